// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_PROCESS_STATE_HPP
#define DRIFTLESS_OP_DETAIL_PROCESS_STATE_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

// What the state of a process function consists of: members that the operator looks after, and others.

namespace driftless::inline v0::detail {
template <class M>
concept timer_member = requires { typename M::is_timer; };
template <class M>
concept event_timer_member = timer_member<M> && !M::by_clock;
template <class M>
concept clock_timer_member = timer_member<M> && M::by_clock;
template <class M>
concept holding_member = timer_member<M> && M::holds;
template <class M>
concept keyed_state_member = requires { typename M::is_keyed_state; };
template <class M>
concept expiring_member = keyed_state_member<M> && M::expires;
/// Comes and goes by itself: without its value it need not be kept.
template <class M>
concept managed_member = timer_member<M> || keyed_state_member<M>;

/// True if Test<M>() holds for any member M of the state, which may be a single member itself.
template <class State, class Test>
consteval bool any_member(Test test) {
    if constexpr (managed_member<State>) {
        return test.template operator()<State>();
    } else if constexpr (has_parts<State>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return (test.template operator()<part_t<I, State>>() || ...);
        }(std::make_index_sequence<part_count<State>>{});
    } else {
        return !std::is_empty_v<State> && test.template operator()<State>();
    }
}
/// Calls f(member) for each.
template <class State, class F>
constexpr void each_member(State& state, F&& f) {
    using plain = std::remove_const_t<State>;
    if constexpr (managed_member<plain>) f(state);
    else if constexpr (has_parts<plain>) for_each_part(state, f);
}

template <class State>
struct state_traits {
    static constexpr bool event_timers = any_member<State>([]<class M>() { return event_timer_member<M>; });
    static constexpr bool clock_timers = any_member<State>([]<class M>() { return clock_timer_member<M>; });
    static constexpr bool holds = any_member<State>([]<class M>() { return holding_member<M>; });
    static constexpr bool expires = any_member<State>([]<class M>() { return expiring_member<M>; });
    /// Some of it stays as long as the key.
    static constexpr bool stays = any_member<State>([]<class M>() { return !managed_member<M>; });
    /// Nothing of it is kept for ever: each member has a time to live. A timer goes when it fires.
    static constexpr bool bounded =
        !any_member<State>([]<class M>() { return !timer_member<M> && !expiring_member<M>; });
};

/// Nothing is left in it.
template <class State>
[[nodiscard]] constexpr bool is_empty_state(State const& state) noexcept {
    bool empty = true;
    each_member(state, [&](auto const& member) { empty = empty && member.empty(); });
    return empty;
}
/// What has been updated was so at `now`.
template <class State>
constexpr void settle_state(State& state, [[maybe_unused]] event_time now) noexcept {
    each_member(state, [&]<class M>(M& member) {
        if constexpr (expiring_member<M>) member.settle(now);
    });
}
/// Resets what the watermark has outlived.
template <class State>
constexpr void expire_state(State& state, [[maybe_unused]] event_time watermark) noexcept {
    each_member(state, [&]<class M>(M& member) {
        if constexpr (expiring_member<M>) {
            if (!member.empty() && watermark >= member.expiry()) [[unlikely]]
                member.reset();
        }
    });
}
/// The first time at which something is due once the watermark has passed it: a timer, or the end of a time to live.
template <class State>
[[nodiscard]] constexpr event_time next_event(State const& state) noexcept {
    auto next = event_time::max();
    each_member(state, [&]<class M>(M const& member) {
        if constexpr (event_timer_member<M>) {
            if (member.next() < next) next = member.next();
        } else if constexpr (expiring_member<M>) {
            if (!member.empty() && member.expiry() - duration{1} < next) next = member.expiry() - duration{1};
        }
    });
    return next;
}
template <class State>
[[nodiscard]] constexpr event_time next_by_clock(State const& state) noexcept {
    auto next = event_time::max();
    each_member(state, [&]<class M>(M const& member) {
        if constexpr (clock_timer_member<M>) {
            if (member.next() < next) next = member.next();
        }
    });
    return next;
}
}  // namespace driftless::inline v0::detail
#endif
