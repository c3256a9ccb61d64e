// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_FRAMES_HPP
#define DRIFTLESS_TIME_FRAMES_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark.hpp>

namespace driftless::inline v0 {

/// Another strategy, whose watermark moves from one multiple of `frame` to the next only.
///
/// Time        The watermark of `of`, rounded down to a multiple of `frame` since the epoch: records are late by it,
///             so a longer frame refuses less. It is never ahead of that of `of`.
/// Source      Hazelcast Jet, EventTimePolicy and InsertWatermarksP.
template <watermark_strategy Strategy>
    requires requires { typename Strategy::partition_state; }
struct in_frames {
    using is_watermark_strategy = void;
    using partition_state = typename Strategy::partition_state;
    Strategy of;
    duration frame;

    constexpr in_frames(Strategy strategy, duration size) : of(strategy), frame(size) {}

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (requires { Strategy::template fits<T>; }) return Strategy::template fits<T>;
        else return true;
    }();
    static constexpr bool replayable = [] {
        if constexpr (requires { Strategy::replayable; }) return Strategy::replayable;
        else return true;
    }();
    template <class T>
    constexpr event_time mark(partition_state& state, event_time at, T const& record) const
        noexcept(noexcept(of.mark(state, at, record))) {
        return of.mark(state, at, record);
    }
    [[nodiscard]] constexpr event_time watermark_at(event_time progress) const noexcept {
        auto const exact = of.watermark_at(progress);
        return exact - into_frame(exact);
    }
    [[nodiscard]] constexpr event_time reached_at(event_time watermark) const noexcept {
        auto const beyond = into_frame(watermark);
        return of.reached_at(beyond == duration{} ? watermark : watermark + (frame - beyond));
    }
    void validate() const {
        of.validate();
        if (frame <= duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"in_frames needs a frame > 0, not ", frame.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        of.describe(parameter);
        parameter("frame", frame);
    }

private:
    /// How far `at` lies behind the beginning of its frame.
    [[nodiscard]] constexpr duration into_frame(event_time at) const noexcept {
        auto const rest = at.ns() % frame.ns();
        return duration{rest < 0 ? rest + frame.ns() : rest};
    }
};
}  // namespace driftless::inline v0
#endif
