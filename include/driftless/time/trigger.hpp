// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_TRIGGER_HPP
#define DRIFTLESS_TIME_TRIGGER_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

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

/// Behind which time a trigger is due without a record: +inf where it never is.
struct trigger_wake {
    event_time clock = event_time::max();
    event_time watermark = event_time::max();

    /// The earlier of each.
    [[nodiscard]] constexpr trigger_wake or_earlier(trigger_wake other) const noexcept {
        return {other.clock < clock ? other.clock : clock, other.watermark < watermark ? other.watermark : watermark};
    }
};

template <class T>
concept trigger = requires { typename T::is_trigger; };

template <trigger Main, trigger Until>
struct or_finally_trigger;

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
    constexpr void validate() const {}

    /// Fires as this trigger does until `until` fires, which is the last time.
    template <trigger Until>
    [[nodiscard]] constexpr auto or_finally(Until until) const {
        return or_finally_trigger<Self, Until>{{}, static_cast<Self const&>(*this), until};
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

/// Fires when processing time has passed the first record since it fired last by more than `delay`.
///
/// Time        Due at the first clock > (clock of that record) + delay. In batch there is no clock: what is pending
///             comes out when the window closes.
/// Batch       Not replayable: is_replayable<P> is false.
struct after : trigger_base<after> {
    static constexpr std::string_view kind = "after";
    static constexpr bool replayable = false;
    duration delay{};

    struct state {
        event_time due_behind = event_time::max();  // not set
        void save(auto& out) const { out.write(due_behind); }
        void load(auto& in) { in.read(due_behind); }
    };
    constexpr explicit after(duration d) : delay(d) {}
    constexpr void on_record(state& of, trigger_moment const& now) const {
        if (of.due_behind == event_time::max()) of.due_behind = now.clock + delay;
    }
    [[nodiscard]] constexpr bool due(state const& of, trigger_moment const& now) const {
        return now.clock > of.due_behind;
    }
    constexpr bool fire(state& of, trigger_moment const&) const {
        of.due_behind = event_time::max();
        return true;
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& of) noexcept { return {.clock = of.due_behind}; }
    void validate() const {
        if (delay < duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"after needs a delay >= 0, not ", delay.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        parameter("delay", delay);
    }
    friend constexpr bool operator==(after const&, after const&) = default;
};

/// Fires when the watermark reaches the end of the window, before that as `Early` does, afterwards as `Late` does.
/// Made by at_watermark().early(...), .late(...).
template <trigger Early, trigger Late>
struct watermark_trigger : trigger_base<watermark_trigger<Early, Late>> {
    static constexpr std::string_view kind = "at_watermark";
    static constexpr bool replayable = Early::replayable && Late::replayable;
    static constexpr bool wakes_by_watermark = Early::wakes_by_watermark || Late::wakes_by_watermark;
    Early before;
    Late behind;

    struct state {
        bool passed = false;
        [[no_unique_address]] typename Early::state before{};
        [[no_unique_address]] typename Late::state behind{};
        void save(auto& out) const {
            out.write(passed);
            before.save(out);
            behind.save(out);
        }
        void load(auto& in) {
            in.read(passed);
            before.load(in);
            behind.load(in);
        }
    };
    constexpr watermark_trigger(Early e, Late l) : before(e), behind(l) {}

    template <trigger T>
    [[nodiscard]] constexpr auto early(T t) const {
        return watermark_trigger<T, Late>{t, behind};
    }
    template <trigger T>
    [[nodiscard]] constexpr auto late(T t) const {
        return watermark_trigger<Early, T>{before, t};
    }
    constexpr void on_record(state& of, trigger_moment const& now) const {
        if (of.passed) behind.on_record(of.behind, now);
        else before.on_record(of.before, now);
    }
    [[nodiscard]] constexpr bool due(state const& of, trigger_moment const& now) const {
        return of.passed ? behind.due(of.behind, now) : now.at_end() || before.due(of.before, now);
    }
    constexpr bool fire(state& of, trigger_moment const& now) const {
        if (of.passed) {
            if (behind.fire(of.behind, now)) of.behind = {};
        } else if (now.at_end()) {
            of.passed = true;
        } else if (before.fire(of.before, now)) {
            of.before = {};
        }
        return false;
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& of) noexcept {
        return of.passed ? Late::wakes(of.behind) : Early::wakes(of.before);
    }
    void validate() const {
        before.validate();
        behind.validate();
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        before.describe(parameter);
        behind.describe(parameter);
    }
    friend constexpr bool operator==(watermark_trigger const&, watermark_trigger const&) = default;
};

/// Fires when the watermark reaches the end of the window. Made by at_watermark(); by itself it is repeated: what comes
/// late then fires at once.
struct end_of_window_trigger : trigger_base<end_of_window_trigger> {
    static constexpr std::string_view kind = "end_of_window";
    using state = no_state;

    /// Early panes, each time that `t` fires.
    template <trigger T>
    [[nodiscard]] constexpr auto early(T t) const {
        return watermark_trigger<T, count_trigger>{t, count_trigger{1}};
    }
    /// Late panes, each time that `t` fires; without it, with every late record.
    template <trigger T>
    [[nodiscard]] constexpr auto late(T t) const {
        return watermark_trigger<never, T>{never{}, t};
    }
    constexpr void on_record(state&, trigger_moment const&) const {}
    [[nodiscard]] constexpr bool due(state const&, trigger_moment const& now) const { return now.at_end(); }
    constexpr bool fire(state&, trigger_moment const&) const { return true; }
    constexpr void describe(auto&& parameter) const { parameter("trigger", kind); }
    friend constexpr bool operator==(end_of_window_trigger const&, end_of_window_trigger const&) = default;
};
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
    void validate() const { of.validate(); }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        of.describe(parameter);
    }
    friend constexpr bool operator==(repeat const&, repeat const&) = default;
};

/// Fires once, as T does the first time: the window is then closed for that key.
template <trigger T>
struct once : trigger_base<once<T>> {
    static constexpr std::string_view kind = "once";
    static constexpr bool replayable = T::replayable;
    static constexpr bool wakes_by_watermark = T::wakes_by_watermark;
    static constexpr bool may_finish = true;
    using state = typename T::state;
    T of;

    constexpr explicit once(T t) : of(t) {}
    constexpr void on_record(state& s, trigger_moment const& now) const { of.on_record(s, now); }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const { return of.due(s, now); }
    constexpr bool fire(state& s, trigger_moment const& now) const {
        of.fire(s, now);
        return true;
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& s) noexcept { return T::wakes(s); }
    void validate() const { of.validate(); }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        of.describe(parameter);
    }
    friend constexpr bool operator==(once const&, once const&) = default;
};

namespace detail {
/// What the triggers of several have in common: the parts, and their states.
template <class Self, trigger... T>
struct trigger_list : trigger_base<Self> {
    static constexpr bool replayable = (T::replayable && ...);
    static constexpr bool wakes_by_watermark = (T::wakes_by_watermark || ...);
    static constexpr bool may_finish = true;
    static constexpr std::size_t size = sizeof...(T);
    std::tuple<T...> parts;

    struct state {
        std::uint64_t current = 0;  // in_order: which part it is the turn of
        std::tuple<typename T::state...> parts{};
        void save(auto& out) const {
            out.write(current);
            std::apply([&](auto const&... each) { (each.save(out), ...); }, parts);
        }
        void load(auto& in) {
            in.read(current);
            std::apply([&](auto&... each) { (each.load(in), ...); }, parts);
        }
    };
    constexpr explicit trigger_list(T... t) : parts(t...) {}

    void validate() const {
        std::apply([](auto const&... each) { (each.validate(), ...); }, parts);
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", Self::kind);
        parameter("parts", size);
        std::apply([&](auto const&... each) { (each.describe(parameter), ...); }, parts);
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& of) noexcept {
        trigger_wake least;
        each_part([&]<std::size_t I>() { least = least.or_earlier(part_t<I>::wakes(std::get<I>(of.parts))); });
        return least;
    }
    friend constexpr bool operator==(trigger_list const&, trigger_list const&) = default;

protected:
    template <std::size_t I>
    using part_t = std::tuple_element_t<I, std::tuple<T...>>;

    template <class F>
    static constexpr void each_part(F&& f) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (f.template operator()<I>(), ...);
        }(std::index_sequence_for<T...>{});
    }
};
}  // namespace detail

/// Fires when the first of its parts would, and that is the last time.
template <trigger... T>
struct first_of : detail::trigger_list<first_of<T...>, T...> {
    using base = detail::trigger_list<first_of<T...>, T...>;
    using typename base::state;
    static constexpr std::string_view kind = "first_of";

    constexpr explicit first_of(T... t) : base(t...) {}
    constexpr void on_record(state& s, trigger_moment const& now) const {
        base::each_part(
            [&]<std::size_t I>() { std::get<I>(this->parts).on_record(std::get<I>(s.parts), now); });
    }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const {
        bool any = false;
        base::each_part([&]<std::size_t I>() { any = any || std::get<I>(this->parts).due(std::get<I>(s.parts), now); });
        return any;
    }
    constexpr bool fire(state&, trigger_moment const&) const { return true; }
};

/// Fires when all of its parts would, and that is the last time.
template <trigger... T>
struct all_of : detail::trigger_list<all_of<T...>, T...> {
    using base = detail::trigger_list<all_of<T...>, T...>;
    using typename base::state;
    static constexpr std::string_view kind = "all_of";

    constexpr explicit all_of(T... t) : base(t...) {}
    constexpr void on_record(state& s, trigger_moment const& now) const {
        base::each_part(
            [&]<std::size_t I>() { std::get<I>(this->parts).on_record(std::get<I>(s.parts), now); });
    }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const {
        bool all = true;
        base::each_part([&]<std::size_t I>() { all = all && std::get<I>(this->parts).due(std::get<I>(s.parts), now); });
        return all;
    }
    constexpr bool fire(state&, trigger_moment const&) const { return true; }
};

/// Fires as its first part does until that has fired for the last time, then as the second one does, and so on.
template <trigger... T>
struct in_order : detail::trigger_list<in_order<T...>, T...> {
    using base = detail::trigger_list<in_order<T...>, T...>;
    using typename base::state;
    static constexpr std::string_view kind = "in_order";

    constexpr explicit in_order(T... t) : base(t...) {}
    constexpr void on_record(state& s, trigger_moment const& now) const {
        base::each_part([&]<std::size_t I>() {
            if (I == s.current) std::get<I>(this->parts).on_record(std::get<I>(s.parts), now);
        });
    }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const {
        bool is = false;
        base::each_part([&]<std::size_t I>() {
            if (I == s.current) is = std::get<I>(this->parts).due(std::get<I>(s.parts), now);
        });
        return is;
    }
    constexpr bool fire(state& s, trigger_moment const& now) const {
        bool over = false;
        base::each_part([&]<std::size_t I>() {
            if (I == s.current) over = std::get<I>(this->parts).fire(std::get<I>(s.parts), now) || over;
        });
        if (over) ++s.current;
        return s.current == base::size;
    }
};

/// Fires as `Main` does until `Until` fires, which is the last time.
template <trigger Main, trigger Until>
struct or_finally_trigger : trigger_base<or_finally_trigger<Main, Until>> {
    static constexpr std::string_view kind = "or_finally";
    static constexpr bool replayable = Main::replayable && Until::replayable;
    static constexpr bool wakes_by_watermark = Main::wakes_by_watermark || Until::wakes_by_watermark;
    static constexpr bool may_finish = true;
    Main main;
    Until until;

    struct state {
        typename Main::state main{};
        typename Until::state until{};
        void save(auto& out) const {
            main.save(out);
            until.save(out);
        }
        void load(auto& in) {
            main.load(in);
            until.load(in);
        }
    };
    constexpr void on_record(state& s, trigger_moment const& now) const {
        main.on_record(s.main, now);
        until.on_record(s.until, now);
    }
    [[nodiscard]] constexpr bool due(state const& s, trigger_moment const& now) const {
        return until.due(s.until, now) || main.due(s.main, now);
    }
    constexpr bool fire(state& s, trigger_moment const& now) const {
        return until.due(s.until, now) || main.fire(s.main, now);
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& s) noexcept {
        return Main::wakes(s.main).or_earlier(Until::wakes(s.until));
    }
    void validate() const {
        main.validate();
        until.validate();
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        main.describe(parameter);
        until.describe(parameter);
    }
    friend constexpr bool operator==(or_finally_trigger const&, or_finally_trigger const&) = default;
};
template <trigger Main, trigger Until>
constexpr auto or_finally(Main main, Until until) {
    return main.or_finally(until);
}

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
