// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_METRIC_HPP
#define DRIFTLESS_METRICS_METRIC_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time_histogram.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a metric is: a count that only grows, a number that goes up and down, or how many values were how large.
enum class metric_kind : std::uint8_t {
    counter,
    gauge,
    histogram
};
constexpr std::string_view to_string(metric_kind kind) noexcept {
    return kind == metric_kind::counter ? "counter" : kind == metric_kind::gauge ? "gauge"
                                                                                 : "histogram";
}

/// What tells the values of one metric apart: {"input", "orders"}.
struct metric_label {
    std::string name;
    std::string value;
    friend bool operator==(metric_label const&, metric_label const&) = default;
};
/// The labels of a value, in the order in which they are shown.
using metric_labels = std::vector<metric_label>;

/// How many values were how large.
struct histogram_value {
    std::vector<double> bounds;         ///< upper bounds, inclusive, ascending; a last one, +inf, is understood
    std::vector<std::uint64_t> counts;  ///< by bucket, not cumulative: one more than bounds
    double sum = 0;                     ///< of all values

    [[nodiscard]] std::uint64_t count() const noexcept {
        std::uint64_t all = 0;
        for (auto const n : counts) all += n;
        return all;
    }
    friend bool operator==(histogram_value const&, histogram_value const&) = default;
};
/// The same in seconds.
[[nodiscard]] inline histogram_value in_seconds(time_histogram const& of) {
    histogram_value out;
    for (std::size_t i = 0; i + 1 < time_histogram::buckets; ++i)
        out.bounds.push_back(static_cast<double>(time_histogram::bound(i).ns()) / 1e9);
    out.counts.assign(of.counts, of.counts + time_histogram::buckets);
    out.sum = static_cast<double>(of.sum_us) / 1e6;
    return out;
}

/// One value of a metric.
struct metric_sample {
    metric_labels labels;
    double value = 0;  ///< whole numbers up to 2^53 are exact
    std::optional<histogram_value> histogram{};
};

/// A metric: its name with its unit, what it is, and its values.
class metric_family {
public:
    std::string name;
    metric_kind kind = metric_kind::gauge;
    std::string help;
    std::vector<metric_sample> samples;

    template <class Number>
        requires std::is_arithmetic_v<Number>
    void add(metric_labels labels, Number value) {
        samples.push_back({std::move(labels), static_cast<double>(value), {}});
    }
    void add(metric_labels labels, histogram_value of) {
        samples.push_back({std::move(labels), static_cast<double>(of.count()), std::move(of)});
    }
    /// The value with these labels among others; null if there is none.
    [[nodiscard]] metric_sample const* find(metric_labels const& some) const noexcept {
        for (auto const& each : samples) {
            if (has(each, some)) return &each;
        }
        return nullptr;
    }
    /// The sum over all values with these labels among others; nothing if there is none.
    [[nodiscard]] std::optional<double> sum(metric_labels const& some = {}) const noexcept {
        std::optional<double> out;
        for (auto const& each : samples) {
            if (has(each, some)) out = out.value_or(0) + each.value;
        }
        return out;
    }
    [[nodiscard]] static bool has(metric_sample const& of, metric_labels const& some) noexcept {
        return std::all_of(some.begin(), some.end(), [&](metric_label const& wanted) {
            return std::find(of.labels.begin(), of.labels.end(), wanted) != of.labels.end();
        });
    }
};

/// Metrics at one moment: what is exported, and what alerts look at.
///
/// Shape       Families in the order in which they came, each once; run/job_metrics.hpp makes one of a job.
/// State       A value of its own: it can be handed to another thread.
/// Errors      invalid_argument: a name that is none ([a-zA-Z_:][a-zA-Z0-9_:]*), or that has another kind already.
class metric_set {
    std::deque<metric_family> families_;  // references to them stay

public:
    /// The family of that name, made if need be.
    metric_family& family(std::string_view name, metric_kind kind, std::string_view help) {
        for (auto& each : families_) {
            if (each.name != name) continue;
            if (each.kind == kind) return each;
            throw error{error_code::invalid_argument,
                detail::sentence({"the metric '", name, "' is a ", to_string(each.kind), ", and was to be a ",
                    to_string(kind), " as well: give one of them another name"})};
        }
        require_name(name, true);
        families_.push_back({});
        auto& made = families_.back();
        made.name = name;
        made.kind = kind;
        made.help = help;
        return made;
    }
    metric_family& counter(std::string_view name, std::string_view help) {
        return family(name, metric_kind::counter, help);
    }
    metric_family& gauge(std::string_view name, std::string_view help) {
        return family(name, metric_kind::gauge, help);
    }
    metric_family& histogram(std::string_view name, std::string_view help) {
        return family(name, metric_kind::histogram, help);
    }
    [[nodiscard]] metric_family const* find(std::string_view name) const noexcept {
        for (auto const& each : families_) {
            if (each.name == name) return &each;
        }
        return nullptr;
    }
    /// The sum of the values of a metric that have these labels among others; nothing if there is none.
    [[nodiscard]] std::optional<double> value(std::string_view name, metric_labels const& some = {}) const noexcept {
        auto const* const found = find(name);
        return found != nullptr ? found->sum(some) : std::nullopt;
    }
    [[nodiscard]] std::deque<metric_family> const& families() const noexcept { return families_; }

    /// Errors      invalid_argument for what is no name of a metric (`colons`) or label.
    static void require_name(std::string_view name, bool colons) {
        bool good = !name.empty() && !(name.front() >= '0' && name.front() <= '9');
        for (char const c : name) {
            bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
            good = good && (letter || (colons && c == ':'));
        }
        if (!colons) good = good && !name.starts_with("__") && name != "le";
        if (good) return;
        throw error{error_code::invalid_argument,
            detail::sentence({"'", name, "' cannot be the name of a ", colons ? "metric" : "label",
                ": letters, digits and _ (a label neither begins with __ nor is `le`)"})};
    }
};
}  // namespace driftless::inline v0
#endif
