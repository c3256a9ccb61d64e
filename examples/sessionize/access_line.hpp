// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SESSIONIZE_ACCESS_LINE_HPP
#define EXAMPLES_SESSIONIZE_ACCESS_LINE_HPP

#include <driftless/driftless.hpp>
#include <driftless/time/chrono.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace sessionize {
namespace dl = driftless;
using namespace driftless::literals;

/// What a web server wrote about one request.
struct request {
    dl::text client;
    std::int64_t bytes = 0;
    dl::event_time at;
};

namespace detail {
inline std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}
inline unsigned month_of(std::string_view name) {
    constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (std::size_t i = 0; i < 12; ++i)
        if (names.substr(3 * i, 3) == name) return static_cast<unsigned>(i) + 1;
    return 0;
}
/// "17/May/2015:10:05:03 +0200"
inline std::optional<dl::event_time> time_of(std::string_view text) {
    if (text.size() != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[20] != ' ') return {};
    auto const day = number(text.substr(0, 2));
    auto const year = number(text.substr(7, 4));
    auto const hour = number(text.substr(12, 2));
    auto const minute = number(text.substr(15, 2));
    auto const second = number(text.substr(18, 2));
    auto const zone = number(text.substr(22, 4));
    auto const month = month_of(text.substr(3, 3));
    if (!day || !year || !hour || !minute || !second || !zone || month == 0) return {};
    auto const ahead = (*zone / 100 * 60 + *zone % 100) * (text[21] == '-' ? -1 : 1);
    std::chrono::year_month_day const date{std::chrono::year{static_cast<int>(*year)},
        std::chrono::month{month}, std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return {};
    auto const days = std::chrono::sys_days{date}.time_since_epoch().count();
    return dl::event_time{} + days * 1_d + *hour * 1_h + (*minute - ahead) * 1_min + *second * 1_s;
}
}  // namespace detail

/// Reads a line in the common or the combined log format; nothing if it is none. The client points into the line.
inline std::optional<request> read(std::string_view line) {
    auto const client = line.substr(0, line.find(' '));
    auto const open = line.find('[');
    auto const close = line.find(']', open == line.npos ? 0 : open);
    if (client.empty() || client.size() == line.size() || open == line.npos || close == line.npos) return {};
    auto const at = detail::time_of(line.substr(open + 1, close - open - 1));
    auto const quote = line.find("\" ", close);  // the end of the request, before status and bytes
    if (!at || quote == line.npos) return {};
    auto const status_end = line.find(' ', quote + 2);
    if (status_end == line.npos) return {};
    auto const size = line.substr(status_end + 1, line.find_first_of(" \r", status_end + 1) - status_end - 1);
    auto const bytes = size == "-" ? std::optional<std::int64_t>{0} : detail::number(size);
    if (!bytes) return {};
    return request{.client = dl::text{client.data(), client.size()}, .bytes = *bytes, .at = *at};
}

/// "2015-05-17 10:05:03", in UTC.
inline std::string text_of(dl::event_time time) {
    auto const at = dl::to_chrono(time);
    auto const midnight = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date{midnight};
    std::chrono::hh_mm_ss const clock{std::chrono::floor<std::chrono::seconds>(at - midnight)};
    char out[64];
    std::snprintf(out, sizeof out, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return out;
}
}  // namespace sessionize

BOOST_HANA_ADAPT_STRUCT(sessionize::request, client, bytes, at);
#endif
