// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_ALERTS_HPP
#define DRIFTLESS_METRICS_ALERTS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/metrics/metric.hpp>
#include <driftless/metrics/rates.hpp>
#include <driftless/metrics/text.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Which values an alert looks at: each value of a metric with these labels among others, by itself.
struct alert_metric {
    std::string name;
    metric_labels labels{};
    bool per_second = false;  ///< of a counter: how fast it grows, between two looks

    alert_metric(char const* metric, metric_labels some = {})  // NOLINT(google-explicit-constructor)
        : name(metric), labels(std::move(some)) {}
    alert_metric(std::string metric, metric_labels some = {})  // NOLINT(google-explicit-constructor)
        : name(std::move(metric)), labels(std::move(some)) {}
};
/// The rate of a counter: alert(rate_of("driftless_refused_total", {{"reason", "late"}}), above(10), f).
[[nodiscard]] inline alert_metric rate_of(std::string metric, metric_labels some = {}) {
    alert_metric out{std::move(metric), std::move(some)};
    out.per_second = true;
    return out;
}

/// When an alert fires. Made by above() and below().
///
/// Time        It fires once its value has been beyond the limit at each look for `for_at_least` (0: at once); it ends
///             at the first look that finds the value back at `until`, or on its good side. A value just on the limit
///             is not beyond it. A value that is gone, or NaN, is good.
struct alert_condition {
    double limit = 0;
    double until = 0;  ///< hysteresis: on the good side of the limit, or the limit itself
    bool is_above = true;
    duration at_least{};

    /// It ends only at `value`, or on its good side: above(1000).back_at(500).
    [[nodiscard]] constexpr alert_condition back_at(double value) const noexcept {
        auto out = *this;
        out.until = value;
        return out;
    }
    [[nodiscard]] constexpr alert_condition for_at_least(duration d) const noexcept {
        auto out = *this;
        out.at_least = d;
        return out;
    }
    [[nodiscard]] constexpr bool beyond(double value) const noexcept {
        return is_above ? value > limit : value < limit;
    }
    [[nodiscard]] constexpr bool back(double value) const noexcept {
        return is_above ? !(value > until) : !(value < until);
    }
};
/// Beyond the limit, and back at it: alert(metric, above(10).back_at(5).for_at_least(1_min), callback).
[[nodiscard]] constexpr alert_condition above(double limit) noexcept { return {limit, limit, true, {}}; }
[[nodiscard]] constexpr alert_condition below(double limit) noexcept { return {limit, limit, false, {}}; }

/// An alert has begun, or has ended.
struct alert_event {
    std::string metric;
    metric_labels labels;
    bool firing = true;  ///< false: it has ended
    double value = 0;    ///< NaN where it ended because the value is gone
    double limit = 0;
    event_time since{};  ///< when the value was first seen beyond the limit
    event_time at{};     ///< of the look that found it

    /// One line, for people: driftless_lag_records{partition="0"} is 1200, above 1000
    [[nodiscard]] std::string str() const {
        auto out = metric;
        detail::append_metric_labels(out, labels);
        detail::append_metric_value(out += firing ? " is " : " is good again: ", value);
        if (firing) detail::append_metric_value(out += value > limit ? ", above " : ", below ", limit);
        return out;
    }
};

/// Calls somebody when a metric is no good, once when that begins and once when it ends.
///
///     alerts watch;
///     watch.alert("driftless_lag_records", above(10'000).back_at(1'000).for_at_least(5_min), page_somebody);
///     watch.look(metrics_of(job.metrics(), now), now);   // every few seconds, beside the job
///
/// State       For each value that is beyond its limit two times; and what could not be delivered yet, at most 1000
///             events, the oldest of which are dropped and counted.
/// Time        By the clock of whoever looks: of a look that comes at an earlier time than the one before the spans
///             begin anew. Between two looks nothing is seen.
/// Errors      invalid_argument where an alert is added: a back_at() on the bad side of the limit, a negative duration.
///             A callback that throws is counted (`failures()`, with what it said last) and called again with the same
///             event at the next look, before all later ones of its alert, until it comes back.
/// Threads     Any. Callbacks are called by the thread that looks, one look after the other: never by the job's. A
///             callback does not look, nor add alerts.
/// Complexity  A look is O(alerts * values).
/// Source      Prometheus, "Alerting rules" (`for`, `keep_firing_for`); O. H. Schmitt, "A thermionic trigger" (1938).
class alerts {
public:
    using callback = std::function<void(alert_event const&)>;

    alerts() = default;
    alerts(alerts const&) = delete;
    alerts& operator=(alerts const&) = delete;

    alerts& alert(alert_metric what, alert_condition when, callback then) {
        bool const bad_end = when.is_above ? when.until > when.limit : when.until < when.limit;
        if (bad_end || when.at_least < duration{} || when.limit != when.limit || when.until != when.until) {
            throw error{error_code::invalid_argument,
                "an alert needs a back_at() on the good side of its limit and a duration of at least 0"};
        }
        std::lock_guard const lock{mutex_};
        all_.push_back({std::move(what), when, std::move(then), {}, {}});
        return *this;
    }

    /// Looks at the metrics of one moment; returns how many alerts began or ended.
    std::size_t look(metric_set const& metrics, event_time now) {
        std::lock_guard const in_turn{calling_};
        std::size_t edges = 0;
        std::size_t count = 0;
        {
            std::lock_guard const lock{mutex_};
            if (now < at_) {
                for (auto& one : all_) {
                    for (auto& each : one.series) each.since = now;
                }
            }
            at_ = now;
            rates_.look(metrics, now);
            for (auto& one : all_) edges += judge(one, metrics, now);
            count = all_.size();
        }
        for (std::size_t i = 0; i < count; ++i) deliver(i);
        return edges;
    }

    /// What fires now: the events that said so.
    [[nodiscard]] std::vector<alert_event> firing() const {
        std::lock_guard const lock{mutex_};
        std::vector<alert_event> out;
        for (auto const& one : all_) {
            for (auto const& each : one.series) {
                if (each.firing) out.push_back(each.said);
            }
        }
        return out;
    }
    /// Calls of callbacks that threw.
    [[nodiscard]] std::uint64_t failures() const {
        std::lock_guard const lock{mutex_};
        return failures_;
    }
    /// What the last one of them said; empty if none threw.
    [[nodiscard]] std::string last_failure() const {
        std::lock_guard const lock{mutex_};
        return last_failure_;
    }
    /// Adds what is known of the alerts themselves.
    void collect(metric_set& into) const {
        std::lock_guard const lock{mutex_};
        auto& firing = into.gauge("driftless_alerts_firing", "Values beyond the limit of their alert, by metric.");
        for (std::size_t i = 0; i < all_.size(); ++i) {
            std::uint64_t n = 0;
            for (auto const& each : all_[i].series) n += each.firing ? 1 : 0;
            firing.add({{"metric", all_[i].what.name}, {"alert", std::to_string(i)}}, n);
        }
        into.counter("driftless_alert_callback_failures_total", "Callbacks of alerts that threw.").add({}, failures_);
        into.counter("driftless_alerts_dropped_total", "Events of alerts that were never delivered.").add({}, dropped_);
    }

private:
    struct one_value {
        metric_labels labels;
        event_time since{};
        bool firing = false;
        bool seen = true;
        alert_event said{};
    };
    struct rule {
        alert_metric what;
        alert_condition when;
        callback then;
        std::vector<one_value> series;  // those beyond the limit
        std::deque<alert_event> undelivered;
    };
    static constexpr std::size_t most_undelivered = 1000;

    mutable std::mutex mutex_;
    std::mutex calling_;
    std::deque<rule> all_;
    metric_rates rates_;
    event_time at_ = event_time::min();
    std::uint64_t failures_ = 0;
    std::uint64_t dropped_ = 0;
    std::string last_failure_;

    std::size_t judge(rule& of, metric_set const& metrics, event_time now) {
        std::size_t edges = 0;
        for (auto& each : of.series) each.seen = false;
        if (auto const* const family = metrics.find(of.what.name)) {
            for (auto const& sample : family->samples) {
                if (!metric_family::has(sample, of.what.labels)) continue;
                auto value = sample.value;
                if (of.what.per_second) {
                    auto const rate = rates_.per_second(of.what.name, sample.labels);
                    if (!rate) continue;
                    value = *rate;
                }
                edges += judge_value(of, sample.labels, value, now);
            }
        }
        for (std::size_t i = of.series.size(); i-- > 0;) {
            if (of.series[i].seen) continue;
            edges += end(of, i, std::numeric_limits<double>::quiet_NaN(), now);
        }
        return edges;
    }
    std::size_t judge_value(rule& of, metric_labels const& labels, double value, event_time now) {
        std::size_t i = 0;
        while (i < of.series.size() && of.series[i].labels != labels) ++i;
        if (i == of.series.size()) {
            if (!of.when.beyond(value)) return 0;
            of.series.push_back({labels, now, false, true, {}});
        }
        auto& each = of.series[i];
        each.seen = true;
        if (each.firing) return of.when.back(value) ? end(of, i, value, now) : 0;
        if (!of.when.beyond(value)) {
            of.series.erase(of.series.begin() + static_cast<std::ptrdiff_t>(i));
            return 0;
        }
        if (now - each.since < of.when.at_least) return 0;
        each.firing = true;
        each.said = {of.what.name, labels, true, value, of.when.limit, each.since, now};
        keep(of, each.said);
        return 1;
    }
    std::size_t end(rule& of, std::size_t i, double value, event_time now) {
        bool const fired = of.series[i].firing;
        if (fired) {
            auto said = of.series[i].said;
            said.firing = false;
            said.value = value;
            said.at = now;
            keep(of, std::move(said));
        }
        of.series.erase(of.series.begin() + static_cast<std::ptrdiff_t>(i));
        return fired ? 1 : 0;
    }
    void keep(rule& of, alert_event event) {
        of.undelivered.push_back(std::move(event));
        if (of.undelivered.size() <= most_undelivered) return;
        of.undelivered.pop_front();
        ++dropped_;
    }
    /// Callbacks run without the lock, so that they may ask what fires.
    void deliver(std::size_t number) {
        for (;;) {
            callback const* then = nullptr;
            alert_event event;
            {
                std::lock_guard const lock{mutex_};
                auto& of = all_[number];
                if (of.undelivered.empty()) return;
                event = of.undelivered.front();
                then = &of.then;
            }
            std::string why;
            try {
                if (*then) (*then)(event);
            } catch (std::exception const& problem) {
                why = *problem.what() != '\0' ? problem.what() : "an exception without a message";
            } catch (...) {
                why = "an exception that is not a std::exception";
            }
            std::lock_guard const lock{mutex_};
            if (why.empty()) {
                all_[number].undelivered.pop_front();
                continue;
            }
            ++failures_;
            last_failure_ = std::move(why);
            return;
        }
    }
};
}  // namespace driftless::inline v0
#endif
