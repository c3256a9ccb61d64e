// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_TRIGGER_HPP
#define DRIFTLESS_TIME_TRIGGER_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/trigger_base.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

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
    static constexpr void merge(state& into, state const& other) noexcept {
        if (other.due_behind < into.due_behind) into.due_behind = other.due_behind;
    }
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
    static constexpr void merge(state& into, state const& other) {
        Early::merge(into.before, other.before);
        Late::merge(into.behind, other.behind);
    }
    /// Whether the end has passed is asked of the window that there is now.
    static constexpr void moved(state& of, trigger_moment const& now) {
        of.passed = now.at_end();
        Early::moved(of.before, now);
        Late::moved(of.behind, now);
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
    static constexpr void merge(state& into, state const& other) { T::merge(into, other); }
    static constexpr void moved(state& s, trigger_moment const& now) { T::moved(s, now); }
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
    /// The one that is less far goes on.
    static constexpr void merge(state& into, state const& other) {
        each_part([&]<std::size_t I>() { part_t<I>::merge(std::get<I>(into.parts), std::get<I>(other.parts)); });
        if (other.current < into.current) into.current = other.current;
    }
    static constexpr void moved(state& of, trigger_moment const& now) {
        each_part([&]<std::size_t I>() { part_t<I>::moved(std::get<I>(of.parts), now); });
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

    constexpr or_finally_trigger(Main m, Until u) : main(m), until(u) {}

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
    static constexpr void merge(state& into, state const& other) {
        Main::merge(into.main, other.main);
        Until::merge(into.until, other.until);
    }
    static constexpr void moved(state& s, trigger_moment const& now) {
        Main::moved(s.main, now);
        Until::moved(s.until, now);
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
}  // namespace driftless::inline v0
#endif
