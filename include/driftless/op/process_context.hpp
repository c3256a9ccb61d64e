// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_PROCESS_CONTEXT_HPP
#define DRIFTLESS_OP_PROCESS_CONTEXT_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/name.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/detail/process_state.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A named output of a process function beside the main one: rows of type Row, bound with bind("text"_name, sink).
template <detail::fixed_string Text, class Row>
struct side_output {
    using name_type = name<Text>;
    using row_type = Row;
};
/// `using outputs = side_outputs<side_output<"refunds", refund>>;` in a process function.
template <class... Outputs>
struct side_outputs {
    static constexpr std::size_t count = sizeof...(Outputs);
    /// The place of a name, from 1; 0 if there is none.
    template <class Name>
    static constexpr std::size_t place_of = [] {
        std::size_t found = 0;
        std::size_t i = 0;
        ((++i, found = std::is_same_v<typename Outputs::name_type, Name> ? i : found), ...);
        return found;
    }();
};

namespace detail {
template <class F>
struct side_outputs_of {
    using type = side_outputs<>;
};
template <class F>
    requires requires { typename F::outputs; }
struct side_outputs_of<F> {
    using type = typename F::outputs;
};
template <std::size_t I, class Out, class Sides>
struct process_row;
template <class Out, class Sides>
struct process_row<0, Out, Sides> {
    using type = Out;
};
template <std::size_t I, class Out, class First, class... Rest>
    requires(I > 0)
struct process_row<I, Out, side_outputs<First, Rest...>>
    : std::conditional_t<I == 1, std::type_identity<typename First::row_type>,
          process_row<I - 1, Out, side_outputs<Rest...>>> {};

/// Anything, for a name that the function does not have: emit() says so.
struct nobodys_row {
    constexpr nobodys_row(auto const&...) {}  // NOLINT(google-explicit-constructor): anything converts
};

/// The function reads the clock, and so the log alone does not decide what it does.
template <class F>
inline constexpr bool reads_clock = state_traits<typename F::state>::clock_timers;
template <class F>
    requires requires { F::reads_clock; }
inline constexpr bool reads_clock<F> = F::reads_clock || state_traits<typename F::state>::clock_timers;

template <class F, class State, class Context>
concept has_on_close = requires(F const& function, State& own, Context& context) { function.on_close(own, context); };

/// A callback under way: what it is called for, and what has become of it.
///
/// order       of what one move of the watermark brings about: by (end, start), then by key
template <class Key, class Entry, class OpenWindow, class Place>
struct process_call {
    Key const* key;
    std::uint64_t hash;
    OpenWindow* in;
    Entry* of;
    Place where;
    event_time at;  // of the rows that are emitted
    time_window order;
    bool downstream = false;
    bool cleared = false;
};
}  // namespace detail

/// What the callbacks of a process function are given beside their state: who they are called for, timers and outputs.
///
/// State       Borrowed for the call.
/// Errors      set() throws error (invalid_argument) for a timer that its window will not live to see, and for an
///             output time that is behind the watermark or after the timer; under on_error that is a failure of the
///             function, unless it catches it. While the input ends, timers beyond the end of a window are ignored.
template <class Core, class To, class Call>
class process_context {
    using function = typename Core::function_type;
    using outputs = typename detail::side_outputs_of<function>::type;

    Core& core_;
    To& to_;
    Call& call_;

public:
    process_context(Core& core, To& to, Call& call) : core_(core), to_(to), call_(call) {}
    process_context(process_context const&) = delete;
    process_context& operator=(process_context const&) = delete;

    /// The key that the state belongs to.
    [[nodiscard]] auto const& key() const noexcept { return *call_.key; }
    /// The event time of the record, the output time of the timer, or the last instant of the window: what rows have.
    [[nodiscard]] event_time time() const noexcept { return call_.at; }
    /// The window that the state belongs to; all of time without window(...).
    [[nodiscard]] time_window window() const noexcept { return call_.in->window; }
    /// Nothing earlier is expected. While timers fire, it is where it has moved to.
    [[nodiscard]] event_time watermark() const noexcept {
        static_assert(Core::follows_watermark,
            "driftless: process: this function reads the watermark and has neither timers nor state with a time to "
            "live: add `static constexpr bool reads_watermark = true;`, so that batch makes the watermark that a "
            "stream has");
        return core_.watermark_;
    }
    /// The input has ended: timers of event time fire one after the other, and those of the clock once.
    [[nodiscard]] bool ending() const noexcept { return core_.ending(); }
    /// Processing time as the job last saw it; -inf in batch.
    [[nodiscard]] event_time clock() const noexcept {
        static_assert(detail::reads_clock<function>,
            "driftless: process: this function reads the clock and does not say so: add `static constexpr bool "
            "reads_clock = true;`, which makes its pipeline not replayable");
        return core_.clock_;
    }

    /// Hands a row to what follows.
    DRIFTLESS_INLINE void emit(typename Core::output_type const& row) { hand_on<0>(row); }
    /// Hands a row to a named output; {a, b} will do.
    template <class Name,
        class Row = typename detail::process_row<outputs::template place_of<Name>, detail::nobodys_row, outputs>::type>
    void emit(Name, Row const& row) {
        constexpr auto place = outputs::template place_of<Name>;
        static_assert(place != 0,
            "driftless: process: emit names an output that the function does not have: write using outputs = "
            "side_outputs<side_output<\"name\", row>>;");
        if constexpr (place != 0) {
            using row_type = typename detail::process_row<place, void, outputs>::type;
            row_type const& converted = row;
            hand_on<place>(converted);
        }
    }

    /// Sets a timer, which is a member of the state: a named one is overwritten, a set has each time once. One that is
    /// due already fires when the watermark or the clock moves next; inside a timer's callback, in the same move.
    template <detail::timer_member Timer>
        requires(!Timer::holds)
    DRIFTLESS_INLINE void set(Timer& timer, event_time at) {
        if (accepts<Timer>(at)) timer.put(at);
    }
    /// The same, with the time of what its callback emits.
    void set(detail::holding_member auto& timer, event_time at, event_time output) {
        if (output > at || output < core_.passed_) refuse_output(at, output);
        if (!accepts<std::remove_reference_t<decltype(timer)>>(at)) return;
        timer.put(at, output);
        core_.hold(call_, output);
    }
    void set(detail::holding_member auto& timer, event_time at) { set(timer, at, at); }
    /// Takes a timer back.
    template <detail::timer_member Timer>
        requires(!requires { typename Timer::is_timer_set; })
    void cancel(Timer& timer) noexcept {
        timer.take();
    }
    template <class Timer>
        requires requires { typename Timer::is_timer_set; }
    void cancel(Timer& timer, event_time at) {
        timer.remove(at);
    }
    /// Forgets the whole state of the key, timers included.
    void clear() {
        call_.of->state = {};
        call_.cleared = true;
    }

private:
    template <std::size_t I, class Row>
    DRIFTLESS_INLINE void hand_on(Row const& row) {
        call_.downstream = true;
        to_.template emit<I>(std::as_const(call_), row);
        call_.downstream = false;
    }
    template <class Timer>
    DRIFTLESS_INLINE bool accepts(event_time at) {
        if constexpr (Timer::by_clock) return true;
        else return core_.accepts_timer(*call_.in, at);
    }
    [[noreturn]] DRIFTLESS_NOINLINE void refuse_output(event_time at, event_time output) const {
        throw error{error_code::invalid_argument,
            detail::sentence({"a timer at ", at.ns(), " ns with output timestamp ", output.ns(),
                " ns is refused: the output timestamp lies between the watermark (", core_.passed_.ns(),
                " ns) and the timer"})};
    }
};
}  // namespace driftless::inline v0
#endif
