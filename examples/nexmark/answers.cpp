// SPDX-License-Identifier: BSL-1.0
#include "answers.hpp"

#include "../support/table.hpp"

#include <cstdio>
#include <string>

std::string nexmark::decimal(std::int64_t units, int places) {
    bool const negative = units < 0;
    auto digits = std::to_string(negative ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units));
    auto const behind = static_cast<std::size_t>(places);
    if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
    digits.insert(digits.size() - behind, ".");
    return negative ? '-' + digits : digits;
}

std::string nexmark::average(std::int64_t sum, std::int64_t count) {
    bool const negative = sum < 0;
    auto const total = negative ? 0 - static_cast<std::uint64_t>(sum) : static_cast<std::uint64_t>(sum);
    auto const of = static_cast<std::uint64_t>(count);
    auto const whole = total / of;
    auto const hundredths = (total % of * 200 + of) / (2 * of);  // the remainder is small: it does not overflow
    auto const units = static_cast<std::int64_t>(whole * 100 + hundredths);
    return decimal(negative ? -units : units, 2);
}

std::string nexmark::quotient(std::int64_t sum, std::int64_t count) {
    bool const negative = sum < 0;
    auto rest = negative ? 0 - static_cast<std::uint64_t>(sum) : static_cast<std::uint64_t>(sum);
    auto const of = static_cast<std::uint64_t>(count);
    auto out = (negative ? "-" : "") + std::to_string(rest / of);
    rest %= of;
    if (rest != 0) out += '.';
    for (int place = 0; place < 20 && rest != 0; ++place) {  // as on paper: the rest, ten times, by count
        out += static_cast<char>('0' + rest * 10 / of);
        rest = rest * 10 % of;
    }
    return out;
}

std::string nexmark::date(dl::event_time at) { return support::date(at); }

std::string nexmark::clock(std::int64_t minutes) {
    char out[48];
    std::snprintf(out, sizeof out, "%02lld:%02lld", static_cast<long long>(minutes / 60),
        static_cast<long long>(minutes % 60));
    return out;
}
