// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_INTERVAL_TRIGGER_HPP
#define DRIFTLESS_TIME_INTERVAL_TRIGGER_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/trigger.hpp>

#include <string_view>

namespace driftless::inline v0 {

/// Fires each time that so much event time has passed. Made by every_interval().
struct interval_trigger : trigger_base<interval_trigger> {
    static constexpr std::string_view kind = "every_interval";
    static constexpr bool wakes_by_watermark = true;
    duration interval{};

    struct state {
        event_time due_behind = event_time::max();  // not set
        void save(auto& out) const { out.write(due_behind); }
        void load(auto& in) { in.read(due_behind); }
    };
    constexpr explicit interval_trigger(duration i) : interval(i) {}
    constexpr void on_record(state& of, trigger_moment const& now) const {
        if (of.due_behind == event_time::max()) of.due_behind = next_from(now.at, now.watermark);
    }
    [[nodiscard]] constexpr bool due(state const& of, trigger_moment const& now) const {
        return now.watermark > of.due_behind;
    }
    constexpr bool fire(state& of, trigger_moment const& now) const {
        of.due_behind = next_from(of.due_behind, now.watermark);
        return false;
    }
    [[nodiscard]] static constexpr trigger_wake wakes(state const& of) noexcept { return {.watermark = of.due_behind}; }
    static constexpr void merge(state& into, state const& other) noexcept {
        if (other.due_behind < into.due_behind) into.due_behind = other.due_behind;
    }
    void validate() const {
        if (interval <= duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence(
                    {"every_interval needs an interval > 0, not ", interval.ns(), " ns: every_interval(5_min)"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("trigger", kind);
        parameter("interval", interval);
    }
    friend constexpr bool operator==(interval_trigger const&, interval_trigger const&) = default;

private:
    /// The first of from + interval, from + 2 interval... that the watermark is not behind.
    [[nodiscard]] constexpr event_time next_from(event_time from, event_time watermark) const noexcept {
        auto const next = from + interval;
        if (watermark <= next || watermark == event_time::max()) return next;
        auto const steps = ((watermark - next).ns() - 1) / interval.ns() + 1;
        return next + duration{steps * interval.ns()};
    }
};

/// Fires when the watermark has passed the first record of its (key, window) by a multiple of `interval`.
///
/// Time        That record is the first to arrive. Due at the first watermark > its time + k * interval; where one move
///             passes several of these times, it fires once. Times that have passed when the record comes do not count.
/// Batch       Only at the end of the window, unless the watermark is as_declared: the exact one comes block by block.
/// State       8 bytes per (key, window). A watermark that makes one of them due asks all.
/// Source      SEMANTICS case F-11; Flink's ContinuousEventTimeTrigger.
constexpr interval_trigger every_interval(duration interval) { return interval_trigger{interval}; }
}  // namespace driftless::inline v0
#endif
