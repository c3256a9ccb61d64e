// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_REGISTRY_HPP
#define DRIFTLESS_METRICS_REGISTRY_HPP

#include <driftless/core/error.hpp>
#include <driftless/metrics/metric.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A count of the user's that only grows. Any thread adds, any thread reads.
class counter_metric {
    std::atomic<std::uint64_t> value_{0};

public:
    void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
};
/// A number of the user's that goes up and down. Any thread sets, any thread reads.
class gauge_metric {
    std::atomic<double> value_{0};

public:
    void set(double to) noexcept { value_.store(to, std::memory_order_relaxed); }
    void add(double by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }
};
/// How many values of the user's were how large. Any thread observes, any thread reads: a value that is observed
/// meanwhile may be in the sum and not in its bucket yet.
class histogram_metric {
    std::vector<double> bounds_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
    std::atomic<double> sum_{0};

public:
    explicit histogram_metric(std::vector<double> bounds)
        : bounds_(std::move(bounds)), counts_(new std::atomic<std::uint64_t>[bounds_.size() + 1] {}) {
        for (std::size_t i = 1; i < bounds_.size(); ++i) {
            if (bounds_[i - 1] < bounds_[i]) continue;
            throw error{error_code::invalid_argument, "the bounds of a histogram ascend"};
        }
    }
    void observe(double value) noexcept {
        std::size_t i = 0;
        while (i < bounds_.size() && bounds_[i] < value) ++i;
        counts_[i].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }
    [[nodiscard]] histogram_value value() const {
        histogram_value out{bounds_, {}, sum_.load(std::memory_order_relaxed)};
        for (std::size_t i = 0; i <= bounds_.size(); ++i)
            out.counts.push_back(counts_[i].load(std::memory_order_relaxed));
        return out;
    }
};

/// The metrics of a program beside those of its jobs: numbers of its own, and whatever else can say how it does.
///
///     metric_registry mine;
///     auto& paid = mine.counter("shop_payments_total", "Payments that came in.", {{"currency", "EUR"}});
///     paid.add();
///     auto all = metrics_of(job.metrics(), now);
///     mine.collect(all);
///
/// State       What it hands out lives as long as it does. One name with other labels is another value of the metric.
/// Errors      invalid_argument: a name that is none, or has another kind; bounds that do not ascend.
/// Threads     Any, at any time.
/// Complexity  To count, one atomic operation; to register, O(what is registered).
class metric_registry {
    template <class Metric>
    struct entry {
        std::string name;
        std::string help;
        metric_labels labels;
        Metric metric;

        template <class... Args>
        entry(std::string n, std::string h, metric_labels l, Args&&... args)
            : name(std::move(n)), help(std::move(h)), labels(std::move(l)), metric(std::forward<Args>(args)...) {}
    };
    mutable std::mutex mutex_;
    std::deque<entry<counter_metric>> counters_;
    std::deque<entry<gauge_metric>> gauges_;
    std::deque<entry<histogram_metric>> histograms_;
    std::vector<std::function<void(metric_set&)>> sources_;

public:
    counter_metric& counter(std::string name, std::string help, metric_labels labels = {}) {
        return of(counters_, metric_kind::counter, std::move(name), std::move(help), std::move(labels));
    }
    gauge_metric& gauge(std::string name, std::string help, metric_labels labels = {}) {
        return of(gauges_, metric_kind::gauge, std::move(name), std::move(help), std::move(labels));
    }
    histogram_metric& histogram(
        std::string name, std::string help, std::vector<double> bounds, metric_labels labels = {}) {
        return of(histograms_, metric_kind::histogram, std::move(name), std::move(help), std::move(labels),
            std::move(bounds));
    }
    /// Somebody who adds values of its own each time: f(metric_set&), on the thread that collects.
    void add(std::function<void(metric_set&)> source) {
        std::lock_guard const lock{mutex_};
        sources_.push_back(std::move(source));
    }
    /// Adds what is known now.
    void collect(metric_set& into) const {
        std::vector<std::function<void(metric_set&)>> sources;
        {
            std::lock_guard const lock{mutex_};
            for (auto const& each : counters_)
                into.counter(each.name, each.help).add(each.labels, each.metric.value());
            for (auto const& each : gauges_) into.gauge(each.name, each.help).add(each.labels, each.metric.value());
            for (auto const& each : histograms_)
                into.histogram(each.name, each.help).add(each.labels, each.metric.value());
            sources = sources_;
        }
        for (auto const& each : sources) each(into);
    }

private:
    template <class Metric, class... Args>
    Metric& of(std::deque<entry<Metric>>& all, metric_kind kind, std::string name, std::string help,
        metric_labels labels, Args&&... args) {
        std::lock_guard const lock{mutex_};
        metric_set names;
        for (auto const& each : counters_) names.counter(each.name, {});
        for (auto const& each : gauges_) names.gauge(each.name, {});
        for (auto const& each : histograms_) names.histogram(each.name, {});
        names.family(name, kind, {});
        for (auto const& each : labels) metric_set::require_name(each.name, false);
        for (auto& each : all) {
            if (each.name == name && each.labels == labels) return each.metric;
        }
        all.emplace_back(std::move(name), std::move(help), std::move(labels), std::forward<Args>(args)...);
        return all.back().metric;
    }
};
}  // namespace driftless::inline v0
#endif
