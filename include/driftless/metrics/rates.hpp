// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_RATES_HPP
#define DRIFTLESS_METRICS_RATES_HPP

#include <driftless/core/time.hpp>
#include <driftless/metrics/metric.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// How fast counters grow, between the last two looks at them.
///
/// Time        That of whoever looks; a look at the same moment, or before, replaces the last one.
/// State       The metrics of two looks.
/// Threads     One.
class metric_rates {
    metric_set before_;
    metric_set now_;
    event_time before_at_ = event_time::min();
    event_time at_ = event_time::min();

public:
    void look(metric_set metrics, event_time now) {
        if (at_ < now) {
            before_ = std::move(now_);
            before_at_ = at_;
        }
        now_ = std::move(metrics);
        at_ = now;
    }
    /// Per second, summed over all values with these labels among others. Nothing before the second look, for what is
    /// not there, and for a counter that went back: it is that of another run.
    [[nodiscard]] std::optional<double> per_second(std::string_view name, metric_labels const& some = {}) const {
        auto const now = now_.value(name, some);
        auto const before = before_.value(name, some);
        if (!now || !before || *now < *before || before_at_ == event_time::min() || at_ <= before_at_)
            return std::nullopt;
        return (*now - *before) / (static_cast<double>((at_ - before_at_).ns()) / 1e9);
    }
    [[nodiscard]] metric_set const& latest() const noexcept { return now_; }
};
}  // namespace driftless::inline v0
#endif
