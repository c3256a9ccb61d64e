// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_CLOCK_DRIVEN_HPP
#define DRIFTLESS_TIME_CLOCK_DRIVEN_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark.hpp>

#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class Next>
class clock_driven_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    duration lag_;
    event_time watermark_ = event_time::min();

public:
    constexpr clock_driven_stage(Next next, duration lag) : looking_through<Next>(std::move(next)), lag_(lag) {}

    /// What is due by the clock comes first, then what the watermark it makes brings about.
    constexpr void on_clock(event_time now) {
        next_.on_clock(now);
        if (!now.is_infinite()) move_to(now - lag_);
    }
    [[nodiscard]] constexpr event_time clock_deadline() const {
        auto const at_watermark = next_.deadline() + lag_;
        auto const theirs = next_.clock_deadline();
        return at_watermark < theirs ? at_watermark : theirs;
    }
    /// The input's own watermark says nothing here, except that it has ended.
    constexpr void on_watermark(event_time watermark) {
        if (watermark == event_time::max()) move_to(watermark);
    }
    constexpr void visit_state(auto&& visit) {
        visit("watermark", watermark_);
        next_.visit_state(visit);
    }

private:
    constexpr void move_to(event_time watermark) {
        if (watermark <= watermark_) return;
        watermark_ = watermark;
        next_.on_watermark(watermark);
    }
};
}  // namespace detail

/// The watermark follows the clock of the job, `lag` behind it: time passes also while nothing arrives.
///
/// Time        After each look at the clock (before every poll) the watermark is clock - lag, exclusive, and never goes
///             back. Records do not move it. A job that begins far behind in its log refuses the past as late.
/// Batch       There is no clock; the watermark is the exact one, or +inf at the end. `as_declared` is refused at
///             compile time: this is no function of the log.
/// Replay      The log alone does not decide the answer: is_replayable<P> is false, as with processing-time triggers.
/// Errors      When the job starts: a lag < 0.
struct clock_driven {
    using is_watermark_strategy = void;
    static constexpr bool replayable = false;
    duration lag{};

    template <class Next>
    constexpr auto bind(Next next) const {
        return detail::clock_driven_stage<Next>{std::move(next), lag};
    }
    void validate() const {
        if (lag < duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"clock_driven needs a lag >= 0, not ", lag.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("strategy", std::string_view{"clock driven"});
        parameter("lag", lag);
    }
};
}  // namespace driftless::inline v0
#endif
