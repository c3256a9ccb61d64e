// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_TRIGGER_BASE_HPP
#define DRIFTLESS_TIME_TRIGGER_BASE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

// When a window shows what it has: triggers are small values, composed like this:
//
//   at_watermark().early(every(100)).late(every(1))
//   repeat(first_of(every(500), after(1_min)))
//
// A trigger has, for itself and for whoever writes one,
//   kind                          its name in plans and fingerprints
//   replayable                    the log alone decides when it fires: it does not ask the clock
//   wakes_by_watermark            the watermark makes it due by itself, also before the end of the window
//   may_finish                    after some firing it never fires again, and the window is closed for that key
//   state                         what is kept per (key, window); save(out), load(in)
//   on_record(state, now)         a record has come into the window
//   due(state, now)               it would fire
//   fire(state, now)              it fires; true if that was its last time
//   wakes(state)                  the processing time and the watermark behind which it is due by itself
//   merge(state, other)           two sessions become one, and what is kept of both their triggers one state
//   moved(state, now)             the window has become another one, by a record or a merge
//   describe(parameter), ==, validate()

namespace driftless::inline v0 {

/// What a trigger may look at: its window, the watermark, and processing time.
struct trigger_moment {
    time_window window;
    event_time watermark;
    event_time clock;
    event_time at{};  ///< of the record that has come, in on_record

    /// The window is over.
    [[nodiscard]] constexpr bool at_end() const noexcept { return watermark >= window.end; }
};

namespace detail {
/// How far a trigger is told that the watermark is. A batch knows the least time to come block by block: what is early
/// would hang on the blocks of the log, so there it comes at the end of the window.
template <bool Exact>
constexpr event_time watermark_for(time_window const& window, event_time watermark) noexcept {
    if constexpr (Exact) return watermark >= window.end ? watermark : event_time::min();
    else return watermark;
}
}  // namespace detail

/// Behind which time a trigger is due without a record: +inf where it never is.
struct trigger_wake {
    event_time clock = event_time::max();
    event_time watermark = event_time::max();

    /// The earlier of each.
    [[nodiscard]] constexpr trigger_wake or_earlier(trigger_wake other) const noexcept {
        return {other.clock < clock ? other.clock : clock, other.watermark < watermark ? other.watermark : watermark};
    }
};

/// Decides when a window shows a pane: what derives from trigger_base, or was put together of such.
template <class T>
concept trigger = requires { typename T::is_trigger; };

// The others are in time/trigger.hpp.
template <trigger Main, trigger Until>
struct or_finally_trigger;
template <trigger Early, trigger Late>
struct watermark_trigger;

namespace detail {
template <class T>
concept defined_trigger = requires { sizeof(T); };
/// A trigger that is made of others.
template <class T>
constexpr auto made_trigger(auto const&... parts) {
    static_assert(defined_trigger<T>,
        "driftless: triggers need their header: #include <driftless/op/trigger.hpp> (or <driftless/driftless.hpp>)");
    if constexpr (defined_trigger<T>) return T{parts...};
}
}  // namespace detail

/// What every trigger derives from.
template <class Self>
struct trigger_base {
    using is_trigger = void;
    static constexpr bool replayable = true;
    static constexpr bool wakes_by_watermark = false;
    static constexpr bool may_finish = false;

    struct no_state {
        void save(auto&) const {}
        void load(auto&) {}
    };
    friend constexpr bool operator==(trigger_base const&, trigger_base const&) = default;
    [[nodiscard]] static constexpr trigger_wake wakes(auto const&) noexcept { return {}; }
    static constexpr void merge(auto&, auto const&) noexcept {}
    static constexpr void moved(auto&, trigger_moment const&) noexcept {}
    constexpr void validate() const {}

    /// Fires as this trigger does until `until` fires, which is the last time.
    template <trigger Until>
    [[nodiscard]] constexpr auto or_finally(Until until) const {
        return detail::made_trigger<or_finally_trigger<Self, Until>>(static_cast<Self const&>(*this), until);
    }
};

/// Never fires. What is in a window then comes out when its state is collected.
struct never : trigger_base<never> {
    static constexpr std::string_view kind = "never";
    using state = no_state;

    constexpr void on_record(state&, trigger_moment const&) const {}
    [[nodiscard]] constexpr bool due(state const&, trigger_moment const&) const { return false; }
    constexpr bool fire(state&, trigger_moment const&) const { return false; }
    constexpr void describe(auto&& parameter) const { parameter("trigger", kind); }
    friend constexpr bool operator==(never const&, never const&) = default;
};

/// Fires when so many records have come since it fired last. Made by every(n).
struct count_trigger : trigger_base<count_trigger> {
    static constexpr std::string_view kind = "every";
    std::uint64_t count = 1;

    struct state {
        std::uint64_t seen = 0;
        void save(auto& out) const { out.write(seen); }
        void load(auto& in) { in.read(seen); }
    };
    constexpr explicit count_trigger(std::uint64_t n) : count(n) {}
    static constexpr void merge(state& into, state const& other) noexcept { into.seen += other.seen; }
    constexpr void on_record(state& of, trigger_moment const&) const { ++of.seen; }
    [[nodiscard]] constexpr bool due(state const& of, trigger_moment const&) const { return of.seen >= count; }
    constexpr bool fire(state& of, trigger_moment const&) const {
        of.seen = 0;
        return true;
    }
    void validate() const {
        if (count == 0) throw error{error_code::invalid_argument, "every needs a number of records > 0: every(1)"};
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        parameter("records", count);
    }
    friend constexpr bool operator==(count_trigger const&, count_trigger const&) = default;
};

/// Fires when so many records have come into the window since it fired last.
constexpr count_trigger every(std::integral auto records) {
    return count_trigger{records < 0 ? 0 : static_cast<std::uint64_t>(records)};
}

/// Fires when the watermark reaches the end of the window. Made by at_watermark(); by itself it is repeated: what comes
/// late then fires at once.
struct end_of_window_trigger : trigger_base<end_of_window_trigger> {
    static constexpr std::string_view kind = "end_of_window";
    using state = no_state;

    /// Early panes, each time that `t` fires.
    template <trigger T>
    [[nodiscard]] constexpr auto early(T t) const {
        return detail::made_trigger<watermark_trigger<T, count_trigger>>(t, count_trigger{1});
    }
    /// Late panes, each time that `t` fires; without it, with every late record.
    template <trigger T>
    [[nodiscard]] constexpr auto late(T t) const {
        return detail::made_trigger<watermark_trigger<never, T>>(never{}, t);
    }
    constexpr void on_record(state&, trigger_moment const&) const {}
    [[nodiscard]] constexpr bool due(state const&, trigger_moment const& now) const { return now.at_end(); }
    constexpr bool fire(state&, trigger_moment const&) const { return true; }
    constexpr void describe(auto&& parameter) const { parameter("trigger", kind); }
    friend constexpr bool operator==(end_of_window_trigger const&, end_of_window_trigger const&) = default;
};
/// Fires when the watermark reaches the end of the window; .early(t) and .late(t) add panes before and behind that.
constexpr end_of_window_trigger at_watermark() { return {}; }

/// Fires as `T` does, time after time: when T has fired for the last time it begins anew.
template <trigger T>
struct repeat : trigger_base<repeat<T>> {
    static constexpr std::string_view kind = "repeat";
    static constexpr bool replayable = T::replayable;
    static constexpr bool wakes_by_watermark = T::wakes_by_watermark;
    using state = typename T::state;
    T of;

    constexpr explicit repeat(T t) : of(t) {}
    constexpr void on_record(state& s, trigger_moment const& now) const { of.on_record(s, now); }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const { return of.due(s, now); }
    constexpr bool fire(state& s, trigger_moment const& now) const {
        if (of.fire(s, now)) s = {};
        return false;
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& s) noexcept { return T::wakes(s); }
    static constexpr void merge(state& into, state const& other) { T::merge(into, other); }
    static constexpr void moved(state& s, trigger_moment const& now) { T::moved(s, now); }
    void validate() const { of.validate(); }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        of.describe(parameter);
    }
    friend constexpr bool operator==(repeat const&, repeat const&) = default;
};

namespace detail {
/// What is written bare in window(...) is repeated: every(2) is repeat(every(2)).
template <class T>
inline constexpr bool repeats_bare = !T::may_finish;
template <class T>
struct whole_trigger {
    using type = T;
    static constexpr T const& of(T const& t) { return t; }
};
template <class T>
    requires repeats_bare<T>
struct whole_trigger<T> {
    using type = repeat<T>;
    static constexpr repeat<T> of(T const& t) { return repeat<T>{t}; }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
