// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_PROCESS_HPP
#define DRIFTLESS_OP_PROCESS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/detail/process_stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/process_context.hpp>
#include <driftless/op/window.hpp>
#include <driftless/state/bound.hpp>
#include <driftless/state/keyed_state.hpp>
#include <driftless/state/storage.hpp>
#include <driftless/state/timer.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Windows that a record has by itself, or carries.
template <class Window>
inline constexpr bool process_windows = true;
template <class Window>
    requires Window::assigned
inline constexpr bool process_windows<Window> = [] {
    using windowing = typename Window::windowing;
    if constexpr (Window::carried) return !windowing::triggered;
    else {
        using assigner = typename windowing::assigner_type;
        return !windowing::triggered && !windowing::stamps && (assigns_one<assigner> || assigns_several<assigner>);
    }
}();

/// What a function is asked against before there is a stage.
template <class F, class In, class Out>
struct process_trial {
    using core = process_core<F, In, Out, no_windowing>;
    struct to {
        template <std::size_t, class Call, class Row>
        void emit(Call const&, Row const&) {}
    };
    struct entry {
        typename F::state state;
    };
    struct open {
        time_window window;
    };
    struct place {};
    using context = process_context<core, to, process_call<typename In::key, entry, open, place>>;
};
template <class F>
concept has_process_state = requires { typename F::state; };

template <class F, class In, class Out>
concept takes_records = requires(F const& f, typename F::state& own, typename In::record const& record,
    typename process_trial<F, In, Out>::context& context) { f.on_record(own, record, context); };
template <class F, class In, class Out>
concept takes_timers = requires(F const& f, typename F::state& own, fired_timer const& fired,
    typename process_trial<F, In, Out>::context& context) { f.on_timer(own, fired, context); };
template <class F, class In, class Out>
concept takes_clock_timers = requires(F const& f, typename F::state& own, fired_timer const& fired,
    typename process_trial<F, In, Out>::context& context) { f.on_clock_timer(own, fired, context); };
}  // namespace detail

/// Runs a function over keyed state. Made by process<Out>().
template <class Out, class F, class... Parameters>
struct process_op : operator_base<process_op<Out, F, Parameters...>> {
    static constexpr std::string_view kind = "process";
    using is_stateful = void;

    [[no_unique_address]] F function;
    [[no_unique_address]] std::tuple<Parameters...> parameters;

    constexpr explicit process_op(F f, Parameters... p) : function(std::move(f)), parameters(std::move(p)...) {}

    static constexpr bool has_state = detail::has_process_state<F>;
    static constexpr bool says_unbounded = (std::same_as<Parameters, unbounded_state> || ...);
    static constexpr bool says_max = (std::same_as<Parameters, max_keys> || ...);
    using outputs = typename detail::side_outputs_of<F>::type;
    using storage = detail::storage_among<detail::in_memory, Parameters...>;

    template <class Ask>
    static consteval bool ask(Ask asked) {
        if constexpr (has_state) return asked.template operator()<detail::state_traits<typename F::state>>();
        else return false;
    }
    static constexpr bool expires = ask([]<class S>() { return S::bounded; });
    static constexpr bool needs_time = ask([]<class S>() { return S::event_timers || S::expires; });
    static constexpr bool event_timers = ask([]<class S>() { return S::event_timers; });
    static constexpr bool clock_timers = ask([]<class S>() { return S::clock_timers; });
    /// Batch makes the watermark of a stream: when it moves is part of what the function does.
    static constexpr bool follows_watermark = [] {
        if constexpr (has_state) return detail::process_follows_watermark<F>;
        else return false;
    }();
    static constexpr bool declared = follows_watermark;
    static constexpr bool replayable = [] {
        if constexpr (has_state) return !detail::reads_clock<F>;
        else return true;
    }();
    template <class In>
    using bounded_by =
        std::conditional_t<detail::closes_windows<typename In::window> || (expires && !says_unbounded && !says_max),
            duration, std::conditional_t<says_max, max_keys, unbounded_state>>;

    constexpr void describe(auto&& parameter) const {
        if constexpr (says_max) parameter("max_keys", std::get<max_keys>(parameters).count);
        if constexpr (says_unbounded) parameter("unbounded_state", true);
    }

    static constexpr bool owns_bytes = [] {
        if constexpr (!has_state) return true;
        else return encodable<typename F::state> && !has_text<typename F::state>;
    }();
    template <class In>
    static constexpr bool bounded =
        detail::closes_windows<typename In::window> || expires || says_unbounded || says_max;
    template <class In>
    static constexpr bool spills_well =
        !storage::spills || (!In::window::assigned && !event_timers && !clock_timers && !expires);
    template <class In>
    static constexpr bool stands_well = keyed<In> && !changelog<In> && detail::process_windows<typename In::window>
        && (timestamped<In> || !needs_time) && bounded<In> && spills_well<In>;
    template <class In>
    static constexpr bool calls_well = [] {
        if constexpr (!has_state || !owns_bytes || !keyed<In>) return false;
        else
            return detail::takes_records<F, In, Out> && (!event_timers || detail::takes_timers<F, In, Out>)
                && (!clock_timers || detail::takes_clock_timers<F, In, Out>);
    }();
    template <class In>
    static constexpr bool accepts = has_state && owns_bytes && stands_well<In> && calls_well<In>;

    template <class Window>
    struct rows_of {
        using type = no_window;
        using windowing = detail::no_windowing;
    };
    template <class Window>
        requires Window::assigned
    struct rows_of<Window> {
        using type = carried_window<typename Window::windowing>;
        using windowing = typename Window::windowing;
    };
    template <class In>
    using output_t =
        stream_of<Out, In::timed, typename In::key, typename rows_of<typename In::window>::type, stream_kind::records>;

    template <class In>
    static constexpr void refuse() {
        static_assert(keyed<In>,
            "driftless: process keeps its state by key: put key_by<&T::member>() before it");
        static_assert(!changelog<In>,
            "driftless: process needs records, and its input yields changes: put process before the aggregate");
        static_assert(detail::process_windows<typename In::window>,
            "driftless: process needs windows that a record has by itself: write tumbling, sliding or global in the "
            "window(...) before it, without triggers and pane options");
        static_assert(has_state,
            "driftless: process needs a function object with a state: write struct f { struct state { "
            "value_state<int> n; }; void on_record(state& own, T const& record, auto& context) const; };");
        static_assert(owns_bytes,
            "driftless: process saves the state of its function, and this one has no codec or borrows text: write "
            "BOOST_HANA_ADAPT_STRUCT(F::state, members...), with std::string in place of text");
        static_assert(timestamped<In> || !needs_time,
            "driftless: process has timers or state with a time to live, and its records have no time: put "
            "assign_time<&T::at>(...) before it");
        static_assert(bounded<In>,
            "driftless: process keeps state per key for ever here: put window(...) before it, give each member of the "
            "state a time_to_live, or say process<Out>(f, max_keys{n}) or process<Out>(f, unbounded_state{})");
        static_assert(spills_well<In>,
            "driftless: process keeps windows, timers and times to live in memory: leave spill_to(...) out here, or "
            "keep them out of the function that spills");
        if constexpr (has_state && owns_bytes && keyed<In>) {
            static_assert(detail::takes_records<F, In, Out>,
                "driftless: process calls function.on_record(own, record, context): write void on_record(state& own, T "
                "const& record, auto& context) const, where T is the record named in [with In = stream_of<T, ...>]");
            static_assert(!event_timers || detail::takes_timers<F, In, Out>,
                "driftless: process has a state with timers and nobody to call: write void on_timer(state& own, "
                "fired_timer const& fired, auto& context) const");
            static_assert(!clock_timers || detail::takes_clock_timers<F, In, Out>,
                "driftless: process has a state with timers of the clock and nobody to call: write void "
                "on_clock_timer(state& own, fired_timer const& fired, auto& context) const");
        }
    }

    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using windowing = typename rows_of<typename In::window>::windowing;
        using core = detail::process_core<F, In, Out, windowing, typename storage::type>;
        auto late = detail::late_output<In>(at);
        static_assert(In::window::assigned || std::same_as<decltype(late), detail::nowhere>,
            "driftless: late_to stands before a process that refuses nothing: put window(...) before it");
        auto sides = sides_of<In>(at, static_cast<outputs const*>(nullptr));
        constexpr bool may_shard =
            Mode::threads && !detail::state_traits<typename F::state>::holds && !storage::spills;
        using shards = typename std::conditional_t<
            may_shard, std::type_identity<detail::process_shards<core, In, result_t<outputs>>>,
            std::type_identity<detail::no_process_shards>>::type;
        return detail::process_stage<core, In, shards, decltype(sides), decltype(late), Next>{std::move(next),
            core{function, windowing_before<windowing>(at), most_entries(), at.label, storage::of(parameters)},
            std::move(sides), std::move(late), at.services(), most_entries() == no_limit};
    }

private:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();
    [[nodiscard]] constexpr std::uint64_t most_entries() const {
        if constexpr (says_max) return std::get<max_keys>(parameters).count;
        else return no_limit;
    }
    template <class Windowing>
    static constexpr Windowing windowing_before([[maybe_unused]] auto const& at) {
        if constexpr (std::same_as<Windowing, detail::no_windowing>) return {};
        else return *detail::windowing_of(at.upstream);
    }
    template <class Sides>
    struct result_of;
    template <class... Sides>
    struct result_of<side_outputs<Sides...>> {
        using type = std::tuple<time_window, std::size_t, std::optional<Out>,
            std::optional<typename Sides::row_type>...>;
    };
    template <class Sides>
    using result_t = typename result_of<Sides>::type;
    template <class In, class... Sides>
    static constexpr auto sides_of([[maybe_unused]] auto const& at, side_outputs<Sides...> const*) {
        return std::tuple{at.template side_output<typename Sides::name_type,
            typename output_t<In>::template with_record<typename Sides::row_type>>()...};
    }
};

/// Calls a function of the user's for each record and timer, with state that is kept by key.
///
/// The function is an object with `struct state`, whose members are value_state, list_state, map_state, reducing_state
/// (state/keyed_state.hpp, state/map_state.hpp), timers (state/timer.hpp) and plain values; and with
///   void on_record(state& own, T const& record, auto& context) const
///   void on_timer(state& own, fired_timer const& fired, auto& context) const         where it has timers of event time
///   void on_clock_timer(state& own, fired_timer const& fired, auto& context) const   where it has timers of the clock
///   void on_close(state& own, auto& context) const    optional: behind the last timer of its window, or of the input
/// The context (op/process_context.hpp) has key(), time(), window(), emit(row), emit("name"_name, row), set(timer, at),
/// cancel(timer), clear().
///
/// Shape       keyed record stream -> stream of Out with the same keys and windows; any number of rows, in the order of
///             the calls. Side outputs are named in the function (side_outputs) and bound with bind().
/// Time        on_record comes in the order of the log; put sorted_by_time() before for that of event times. In a
///             window a record is refused as late iff watermark >= end + allowed lateness; without one every record is
///             taken. A timer at t is due iff watermark > t, one of the clock iff clock >= t. Timers fire by time, then
///             canonical key order, then window, then in the order of the members; a move of the watermark does what
///             many small ones would. A timer set in the past fires at the next move, one set so inside a timer's
///             callback in the same. Rows have the time of the record, or that of the timer, but are then never behind
///             the watermark that has gone on; rows of on_close have the last instant of the window. State with a time
///             to live is kept while watermark < last update + time to live. When the input ends all timers fire,
///             those of the clock once and last; a timer beyond the end of its window is then ignored, else refused by
///             set().
/// State       By window and key: bounded by windows, or by times to live; otherwise max_keys{n} or unbounded_state{}
///             has to be said. Part of the snapshot, sharded by key unless max_keys, a holding_timer or spill_to is
///             used: with spill_to{store, n} (state/spill.hpp) n keys are in memory, the others in the store.
/// Batch       The same calls in the same order: if there are timers or times to live, batch makes the watermark of a
///             stream (assign_time), so that what is late in a stream is late in batch too.
/// Errors      Compile time: see the sentences. Run time: a function that throws is subject to on_error; what it had
///             changed and emitted stays.
/// Complexity  One look-up per record and window; none more for a named timer that is set to a later time than before.
/// Source      SEMANTICS section 10; T. Akidau et al., "The Dataflow Model" (VLDB 2015); Flink, KeyedProcessFunction.
/// Example     examples/fraud_alert.cpp
template <class Out, class F, class... Parameters>
    requires((detail::state_bound_option<Parameters> || detail::storage_option<Parameters>) && ...)
constexpr auto process(F function, Parameters... bounds) {
    return process_op<Out, F, Parameters...>{std::move(function), bounds...};
}
}  // namespace driftless::inline v0
#endif
