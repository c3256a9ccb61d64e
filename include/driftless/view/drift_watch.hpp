// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DRIFT_WATCH_HPP
#define DRIFTLESS_VIEW_DRIFT_WATCH_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/system_time.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/row_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How often two sides are compared, and what is kept of it.
struct drift_watch_options {
    std::string name = "drift";       ///< which comparison this is, in metrics
    duration every = duration{3'600'000'000'000};  ///< from the beginning of one comparison to that of the next
    reconcile_options compare{};
    std::size_t history = 100;        ///< so many comparisons are remembered, at least 1
    event_time (*clock)() = nullptr;  ///< null: the system's
};

/// One comparison, as it is remembered.
struct drift_point {
    event_time at;            ///< when it began, by the clock of the watch
    std::uint64_t rows = 0;
    std::uint64_t disagreeing = 0;
    double drift = 0;         ///< 0 to 1: the share of the rows that disagree
    double greatest_difference = 0;
    std::string failure{};    ///< what one of the sides threw: then nothing was compared

    friend bool operator==(drift_point const&, drift_point const&) = default;
};

/// What is known of a comparison that goes on: numbers for dashboards and alerts.
struct drift_values {
    std::uint64_t comparisons = 0;  ///< that came to an end
    std::uint64_t failures = 0;     ///< that did not
    std::uint64_t disagreements = 0;  ///< comparisons that found rows that disagree
    drift_point last;               ///< the last one that came to an end
    double worst_drift = 0;         ///< of those that are remembered
    std::vector<row_pair> samples;  ///< of the last one: rows that disagree, with both values
};

/// Compares two sides again and again: a view and a ledger, a batch and the stream, two stores.
///
///     dl::drift_watch<std::string, totals> watch{[&] { return rows_of_view(); }, [&] { return rows_of_ledger(); },
///         {.name = "ledger", .every = 1_h}};
///     watch.on_result([](dl::drift_point const& at, dl::reconciliation const& found) { ... });
///     while (...) { job.poll(); watch.poll(); }      // or dl::drift_thread runs{watch};
///
/// Time        All by the clock of the options. The first poll() compares; a comparison that is overdue is made once,
///             and the next one is due `every` after that.
/// State       options.history comparisons, and the samples of the last one.
/// Errors      What a side throws is counted and remembered as `failure`; it is tried again when the next one is due.
///             What a callback throws comes out of poll(), after all of it has been written down.
/// Threads     One polls; metrics, history and values may be asked by any.
/// Complexity  poll() O(1) when nothing is due, else what both sides and reconcile() take.
template <class K, class V>
class drift_watch {
public:
    using side = std::function<row_set<K, V>()>;
    using callback = std::function<void(drift_point const&, reconciliation const&)>;

    drift_watch(side left, side right, drift_watch_options options = {})
        : left_(std::move(left)), right_(std::move(right)), options_(std::move(options)) {
        if (options_.every <= duration{}) {
            throw error{error_code::invalid_argument, "drift_watch_options::every is more than 0"};
        }
        if (options_.history == 0) {
            throw error{error_code::invalid_argument, "drift_watch_options::history is at least 1: values() is of it"};
        }
    }
    drift_watch(drift_watch const&) = delete;
    drift_watch& operator=(drift_watch const&) = delete;

    /// Is told each comparison that came to an end, whether something disagrees or not. Before the first poll().
    void on_result(callback f) { told_.push_back(std::move(f)); }

    /// Compares if that is due; true if it did.
    bool poll() {
        auto const now = clock();
        if (begun_ && now < due_) return false;
        begun_ = true;
        due_ = now + options_.every;
        compare(now);
        return true;
    }
    /// Compares now, whatever is due; the next one is due `every` later.
    void compare_now() {
        auto const now = clock();
        begun_ = true;
        due_ = now + options_.every;
        compare(now);
    }

    [[nodiscard]] drift_values values() const {
        std::lock_guard const lock{mutex_};
        auto out = values_;
        for (auto const& each : history_) out.worst_drift = std::max(out.worst_drift, each.drift);
        return out;
    }
    /// Oldest first.
    [[nodiscard]] std::vector<drift_point> history() const {
        std::lock_guard const lock{mutex_};
        return {history_.begin(), history_.end()};
    }
    [[nodiscard]] drift_watch_options const& options() const noexcept { return options_; }

    /// Adds the numbers to a metric_set: registry.add([&](auto& set) { watch.collect(set); }).
    template <class MetricSet>
    void collect(MetricSet& into) const {
        auto const now = values();
        auto const gauge = [&](char const* name, char const* help, double value) {
            into.gauge(name, help).add({{"name", options_.name}}, value);
        };
        auto const counter = [&](char const* name, char const* help, std::uint64_t value) {
            into.counter(name, help).add({{"name", options_.name}}, value);
        };
        counter("driftless_drift_comparisons_total", "Comparisons of two sides that came to an end.", now.comparisons);
        counter("driftless_drift_failures_total", "Comparisons that a side broke off.", now.failures);
        counter("driftless_drift_disagreements_total", "Comparisons in which rows disagreed.", now.disagreements);
        if (now.comparisons == 0) return;
        gauge("driftless_drift_ratio", "Share of the rows that disagree, 0 to 1.", now.last.drift);
        gauge("driftless_drift_rows", "Rows that were compared.", static_cast<double>(now.last.rows));
        gauge("driftless_drift_rows_disagreeing", "Rows that disagree.", static_cast<double>(now.last.disagreeing));
        gauge("driftless_drift_greatest_difference", "Of two numbers of one row.", now.last.greatest_difference);
        gauge("driftless_drift_compared_at_seconds", "When, since the epoch.",
            static_cast<double>(now.last.at.ns()) / 1e9);
    }

private:
    side left_, right_;
    drift_watch_options options_;
    std::vector<callback> told_;
    bool begun_ = false;
    event_time due_;
    mutable std::mutex mutex_;  // of what follows
    std::deque<drift_point> history_;
    drift_values values_;

    [[nodiscard]] event_time clock() const {
        return options_.clock != nullptr ? options_.clock() : detail::system_time();
    }
    void compare(event_time now) {
        drift_point point{.at = now};
        reconciliation found;
        try {
            found = reconcile(left_(), right_(), options_.compare);
            point.rows = found.rows();
            point.disagreeing = found.disagreeing();
            point.drift = found.drift();
            point.greatest_difference = found.greatest_difference;
        } catch (std::exception const& problem) {
            point.failure = problem.what();
            if (point.failure.empty()) point.failure = "an exception that says nothing";
        }
        {
            std::lock_guard const lock{mutex_};
            history_.push_back(point);
            if (history_.size() > options_.history) history_.pop_front();
            if (!point.failure.empty()) {
                ++values_.failures;
                return;
            }
            ++values_.comparisons;
            if (!found.agree()) ++values_.disagreements;
            values_.last = point;
            values_.samples = found.samples;
        }
        for (auto const& each : told_) each(point, found);
    }
};
}  // namespace driftless::inline v0
#endif
