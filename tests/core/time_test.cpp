// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/time.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
constexpr event_time ns(std::int64_t n) { return event_time{n}; }

// Durations saturate, they never wrap.
static_assert(duration::max() + 1_ns == duration::max());
static_assert(duration::min() - 1_ns == duration::min());
static_assert(-duration::min() == duration::max());
static_assert(duration::min() * -1 == duration::max() && -2 * duration::max() == duration::min());
static_assert(4_h * 1'000'000'000'000 == duration::max());
static_assert(200'000_d == duration::max() && 18446744073709551615_ns == duration::max());
static_assert(1_d == 24_h && 1_h == 60_min && 1_min == 60_s && 1_s == 1000_ms && 1_ms == 1000_us && 1_us == 1000_ns);
// -inf and +inf are not moved by arithmetic; what is near them saturates.
static_assert(event_time::min() + 1_h == event_time::min() && event_time::max() - 1_h == event_time::max());
static_assert(ns(std::numeric_limits<std::int64_t>::max() - 1) + 2_ns == event_time::max());
static_assert(ns(std::numeric_limits<std::int64_t>::min() + 1) - 2_ns == event_time::min());
static_assert(event_time::max() - event_time::min() == duration::max());
static_assert(event_time::min() - event_time::max() == duration::min());
static_assert(event_time::max().is_infinite() && event_time::min().is_infinite() && !ns(0).is_infinite());
// Milliseconds are rounded towards -inf.
static_assert(ns(-1).ms() == -1 && ns(-1'000'000).ms() == -1 && ns(-1'000'001).ms() == -2 && ns(999'999).ms() == 0);
static_assert(event_time::from_ms(-7).ms() == -7 && event_time::from_ms(10'000'000'000'000'000) == event_time::max());
}  // namespace

TEST_CASE("a window holds its start and not its end", "[core][time]") {
    constexpr time_window window{ns(-10), ns(10)};
    CHECK(window.contains(ns(-10)));
    CHECK(window.contains(ns(9)));
    CHECK_FALSE(window.contains(ns(10)));
    CHECK_FALSE(window.contains(ns(-11)));
    CHECK(window.max_timestamp() == ns(9));
    CHECK(time_window{}.max_timestamp() == event_time::max());
}

TEST_CASE("windows are ordered by end, then by start", "[core][time]") {
    std::vector<time_window> windows{{ns(5), ns(20)}, {ns(0), ns(30)}, {ns(0), ns(20)}, {ns(9), ns(10)}};
    std::sort(windows.begin(), windows.end());
    CHECK(windows == std::vector<time_window>{{ns(9), ns(10)}, {ns(0), ns(20)}, {ns(5), ns(20)}, {ns(0), ns(30)}});
}
