// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VERDICT_HPP
#define DRIFTLESS_VIEW_VERDICT_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/codec/untyped_value.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
inline std::string window_text(time_window window) {
    if (window == time_window{}) return "all time";
    return '[' + plan_text(window.start) + ", " + plan_text(window.end) + ')';
}
/// The shortest digits that mean this number; whole ones without a point.
inline std::string number_text(double value) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}
template <class T>
std::string as_json(T const& value) {
    return encoded_to_json(parse_schema(schema_of<T>()), encode(value));
}
}  // namespace detail

/// A row of two versions, as JSON; one of them may not have it.
struct row_pair {
    std::string key;
    time_window window{};
    std::optional<std::string> left{};   ///< in the candidate
    std::optional<std::string> right{};  ///< in what it is compared with
    std::string what{};                  ///< what is wrong about it

    friend bool operator==(row_pair const&, row_pair const&) = default;

    [[nodiscard]] std::string str() const {
        auto out = key + " in " + detail::window_text(window) + ": ";
        if (left) out += *left;
        if (right) (out += left ? " against " : "none against ") += *right;
        else if (!what.empty() && !left) out += "none";
        return what.empty() ? out : out + " (" + what + ')';
    }
};

/// A figure that a verdict rests on.
struct verdict_number {
    std::string name;
    double value = 0;

    friend bool operator==(verdict_number const&, verdict_number const&) = default;
};

/// How a check ended.
enum class outcome : std::uint8_t {
    passed,
    failed,
    skipped,  ///< there was nothing to compare with
};
constexpr std::string_view to_string(outcome what) noexcept {
    return what == outcome::passed ? "passed" : what == outcome::failed ? "FAILED"
                                                                        : "skipped";
}

/// What a validator found: for people as str(), for programs as it is, or encoded, or as JSON.
struct verdict {
    std::string name;
    outcome result = outcome::passed;
    std::string why;                      ///< a sentence, where it did not pass
    std::vector<verdict_number> numbers;
    std::vector<row_pair> samples;        ///< rows that speak against it, by canonical hash of the key: a fair sample

    friend bool operator==(verdict const&, verdict const&) = default;

    [[nodiscard]] bool passed() const noexcept { return result == outcome::passed; }
    [[nodiscard]] bool failed() const noexcept { return result == outcome::failed; }
    /// The number of that name, if there is one.
    [[nodiscard]] std::optional<double> number(std::string_view of) const {
        for (auto const& each : numbers) {
            if (each.name == of) return each.value;
        }
        return std::nullopt;
    }
    /// One line, and one more for each sample.
    [[nodiscard]] std::string str() const {
        auto out = name + ": " + std::string{to_string(result)};
        if (!why.empty()) out += ", " + why;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            (out += i == 0 ? " [" : ", ") += numbers[i].name + ' ' + detail::number_text(numbers[i].value);
        }
        out += numbers.empty() ? "\n" : "]\n";
        for (auto const& each : samples) out += "  " + each.str() + '\n';
        return out;
    }
};

/// What all validators found.
struct validation_report {
    std::vector<verdict> verdicts;

    friend bool operator==(validation_report const&, validation_report const&) = default;

    /// None failed. One that was skipped did not.
    [[nodiscard]] bool passed() const noexcept {
        for (auto const& each : verdicts) {
            if (each.failed()) return false;
        }
        return true;
    }
    explicit operator bool() const noexcept { return passed(); }
    [[nodiscard]] verdict const* find(std::string_view name) const noexcept {
        for (auto const& each : verdicts) {
            if (each.name == name) return &each;
        }
        return nullptr;
    }
    /// "5 checks passed", or which failed: for an audit log.
    [[nodiscard]] std::string summary() const {
        std::string failures;
        std::size_t skipped = 0;
        for (auto const& each : verdicts) {
            if (each.failed()) (failures += failures.empty() ? "failed: " : ", ") += each.name;
            skipped += each.result == outcome::skipped ? 1 : 0;
        }
        if (!failures.empty()) return failures;
        auto const n = verdicts.size() - skipped;
        return std::to_string(n) + (n == 1 ? " check passed" : " checks passed")
            + (skipped == 0 ? "" : ", " + std::to_string(skipped) + " skipped");
    }
    [[nodiscard]] std::string str() const {
        std::string out;
        for (auto const& each : verdicts) out += each.str();
        return out + summary() + '\n';
    }
    [[nodiscard]] std::string json() const;
};
}  // namespace driftless::inline v0
BOOST_HANA_ADAPT_STRUCT(driftless::row_pair, key, window, left, right, what);
BOOST_HANA_ADAPT_STRUCT(driftless::verdict_number, name, value);
BOOST_HANA_ADAPT_STRUCT(driftless::verdict, name, result, why, numbers, samples);
BOOST_HANA_ADAPT_STRUCT(driftless::validation_report, verdicts);

namespace driftless::inline v0 {
inline std::string validation_report::json() const { return detail::as_json(*this); }
}  // namespace driftless::inline v0
#endif
