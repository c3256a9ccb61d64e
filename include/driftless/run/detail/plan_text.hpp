// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_PLAN_TEXT_HPP
#define DRIFTLESS_RUN_DETAIL_PLAN_TEXT_HPP

#include <driftless/core/time.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// How parameters look in plans. These texts are part of fingerprints: two values have two texts, and a
// value keeps its text for ever.

namespace driftless::inline v0::detail {
/// The largest unit that is exact: 5s, 1h, 90min, 250ms; inf and -inf for the bounds of the type.
inline std::string plan_text(duration d) {
    if (d == duration::max()) return "inf";
    if (d == duration::min()) return "-inf";
    struct unit {
        std::int64_t ns;
        char const* name;
    };
    constexpr unit units[] = {{86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "min"},
        {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
    if (d == duration{}) return "0s";
    for (auto const& each : units) {
        if (d.ns() % each.ns == 0) return std::to_string(d.ns() / each.ns) + each.name;
    }
    return std::to_string(d.ns()) + "ns";
}

/// ISO 8601 in UTC, with a fraction only if there is one: 2024-02-29T12:00:00Z; -inf and inf.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), civil_from_days.
inline std::string plan_text(event_time at) {
    if (at.is_infinite()) return at == event_time::max() ? "inf" : "-inf";
    constexpr std::int64_t day = 86'400'000'000'000;
    auto const rest = (at.ns() % day + day) % day;
    auto const days = at.ns() / day - (at.ns() % day < 0 ? 1 : 0) + 719'468;  // from 0000-03-01; never negative here
    auto const era_day = days % 146'097;
    auto const era_year = (era_day - era_day / 1'460 + era_day / 36'524 - era_day / 146'096) / 365;
    auto const year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    auto const march_month = (5 * year_day + 2) / 153;
    auto const month = march_month < 10 ? march_month + 3 : march_month - 9;
    auto const year = era_year + days / 146'097 * 400 + (month <= 2 ? 1 : 0);
    auto const padded = [](std::int64_t n, std::size_t width) {
        auto digits = std::to_string(n);
        return std::string(width - digits.size(), '0') + digits;
    };
    auto out = padded(year, 4) + '-' + padded(month, 2) + '-' + padded(year_day - (153 * march_month + 2) / 5 + 1, 2)
        + 'T' + padded(rest / 3'600'000'000'000, 2) + ':' + padded(rest / 60'000'000'000 % 60, 2) + ':'
        + padded(rest / 1'000'000'000 % 60, 2);
    if (auto fraction = padded(rest % 1'000'000'000, 9); fraction != "000000000") {
        while (fraction.back() == '0') fraction.pop_back();
        out += '.' + fraction;
    }
    return out + 'Z';
}

/// In quotes; quotes, backslashes and control characters escaped, so that a text is one line.
inline std::string plan_text(std::string_view name) {
    std::string out = "\"";
    for (char const c : name) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20) {
            constexpr char hex[] = "0123456789abcdef";
            ((out += "\\x") += hex[static_cast<unsigned char>(c) >> 4]) += hex[c & 0xf];
        } else out += c;
    }
    return out += '"';
}

template <class V>
    requires std::integral<V>
std::string plan_text(V value) {
    if constexpr (std::same_as<V, bool>) return value ? "true" : "false";
    else return std::to_string(value);
}
template <class V>
concept plan_value = requires(V const& value) { plan_text(value); };
}  // namespace driftless::inline v0::detail
#endif
