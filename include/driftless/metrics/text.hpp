// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_TEXT_HPP
#define DRIFTLESS_METRICS_TEXT_HPP

#include <driftless/core/detail/utf8.hpp>
#include <driftless/metrics/metric.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {
namespace detail {
/// f(piece) for each UTF-8 character of a text; what is none becomes U+FFFD.
template <class F>
void each_character(std::string_view text, F&& f) {
    while (!text.empty()) {
        auto const length = utf8_length(text);
        f(length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
}
/// A number that both formats read back as it is.
inline void append_number(std::string& out, double value) {
    char digits[64];
    constexpr double whole = 9007199254740992.0;  // 2^53
    auto* end = digits;
    if (value == std::floor(value) && value > -whole && value < whole)
        end = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value)).ptr;
    else end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}
inline void append_metric_value(std::string& out, double value) {
    if (std::isnan(value)) out += "NaN";
    else if (std::isinf(value)) out += value < 0 ? "-Inf" : "+Inf";
    else append_number(out, value);
}
inline void append_metric_help(std::string& out, std::string_view text) {
    each_character(text, [&](std::string_view c) {
        if (c == "\\") out += "\\\\";
        else if (c == "\n") out += "\\n";
        else out += c;
    });
}
/// {name="value",...}; `le` is the bound of a bucket, or empty.
inline void append_metric_labels(std::string& out, metric_labels const& labels, std::string_view le = {}) {
    char between = '{';
    auto const add = [&](std::string_view name, std::string_view value) {
        ((out += between) += name) += "=\"";
        each_character(value, [&](std::string_view c) {
            if (c == "\\" || c == "\"") (out += '\\') += c;
            else if (c == "\n") out += "\\n";
            else out += c;
        });
        out += '"';
        between = ',';
    };
    for (auto const& each : labels) {
        metric_set::require_name(each.name, false);
        add(each.name, each.value);
    }
    if (!le.empty()) add("le", le);
    if (between == ',') out += '}';
}
inline void append_histogram(std::string& out, std::string_view name, metric_sample const& of) {
    std::uint64_t below = 0;
    auto const& all = *of.histogram;
    auto const line = [&](std::string_view ending, std::string_view le, double value) {
        (out += name) += ending;
        append_metric_labels(out, of.labels, le);
        append_metric_value(out += ' ', value);
        out += '\n';
    };
    for (std::size_t i = 0; i < all.counts.size(); ++i) {
        std::string le = "+Inf";
        if (i < all.bounds.size()) append_metric_value(le = {}, all.bounds[i]);
        line("_bucket", le, static_cast<double>(below += all.counts[i]));
    }
    line("_sum", {}, all.sum);
    line("_count", {}, static_cast<double>(below));
}
inline void append_metric_string(std::string& out, std::string_view text) {
    out += '"';
    each_character(text, [&](std::string_view c) {
        auto const first = static_cast<unsigned char>(c[0]);
        if (c == "\"" || c == "\\") (out += '\\') += c;
        else if (first < 0x20 || first == 0x7f)
            ((out += "\\u00") += "0123456789abcdef"[first >> 4]) += "0123456789abcdef"[first & 15];
        else out += c;
    });
    out += '"';
}
inline void append_json_value(std::string& out, double value) {
    if (std::isfinite(value)) return append_number(out, value);
    out += '"';
    append_metric_value(out, value);
    out += '"';
}
}  // namespace detail

/// Metrics as Prometheus reads them: its text format, version 0.0.4 (text/plain; version=0.0.4; charset=utf-8).
///
/// Shape       Each family with HELP, TYPE and its values together, histograms with cumulative buckets up to +Inf, _sum
///             and _count. Families without values are left out. Bytes that are no UTF-8 become U+FFFD.
/// Errors      invalid_argument: a label whose name is none.
/// Complexity  O(values).
/// Source      prometheus.io, "Exposition formats"; "Metric and label naming".
[[nodiscard]] inline std::string prometheus_text(metric_set const& metrics) {
    std::string out;
    for (auto const& family : metrics.families()) {
        if (family.samples.empty()) continue;
        detail::append_metric_help(((out += "# HELP ") += family.name) += ' ', family.help);
        ((((out += "\n# TYPE ") += family.name) += ' ') += to_string(family.kind)) += '\n';
        for (auto const& each : family.samples) {
            if (each.histogram) {
                detail::append_histogram(out, family.name, each);
                continue;
            }
            detail::append_metric_labels(out += family.name, each.labels);
            detail::append_metric_value(out += ' ', each.value);
            out += '\n';
        }
    }
    return out;
}

/// Metrics as one JSON object, on one line, with a line break at the end:
///
///     {"metrics":[{"name":"...","kind":"counter","help":"...","samples":[{"labels":{"input":"a"},"value":7}]}]}
///
/// Shape       A histogram has "count", "sum" and "buckets" of {"le", "count"}, cumulative, in place of "value". NaN
///             and the infinities are the strings "NaN", "+Inf" and "-Inf". Bytes that are no UTF-8 become U+FFFD.
/// Complexity  O(values).
/// Source      RFC 8259.
[[nodiscard]] inline std::string json_text(metric_set const& metrics) {
    std::string out = "{\"metrics\":[";
    bool first_family = true;
    for (auto const& family : metrics.families()) {
        if (family.samples.empty()) continue;
        out += first_family ? "{\"name\":" : ",{\"name\":";
        first_family = false;
        detail::append_metric_string(out, family.name);
        detail::append_metric_string(out += ",\"kind\":", to_string(family.kind));
        detail::append_metric_string(out += ",\"help\":", family.help);
        out += ",\"samples\":[";
        bool first = true;
        for (auto const& each : family.samples) {
            out += first ? "{\"labels\":{" : ",{\"labels\":{";
            first = false;
            for (std::size_t i = 0; i < each.labels.size(); ++i) {
                if (i != 0) out += ',';
                detail::append_metric_string(out, each.labels[i].name);
                detail::append_metric_string(out += ':', each.labels[i].value);
            }
            out += '}';
            if (!each.histogram) {
                detail::append_json_value(out += ",\"value\":", each.value);
                out += '}';
                continue;
            }
            detail::append_json_value(out += ",\"count\":", each.value);
            detail::append_json_value(out += ",\"sum\":", each.histogram->sum);
            out += ",\"buckets\":[";
            std::uint64_t below = 0;
            for (std::size_t i = 0; i < each.histogram->counts.size(); ++i) {
                out += i == 0 ? "{\"le\":" : ",{\"le\":";
                if (i < each.histogram->bounds.size()) detail::append_json_value(out, each.histogram->bounds[i]);
                else out += "\"+Inf\"";
                detail::append_json_value(
                    out += ",\"count\":", static_cast<double>(below += each.histogram->counts[i]));
                out += '}';
            }
            out += "]}";
        }
        out += "]}";
    }
    return out += "]}\n";
}
}  // namespace driftless::inline v0
#endif
