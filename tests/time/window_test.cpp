// SPDX-License-Identifier: BSL-1.0
#include <driftless/time/window.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>

using namespace driftless;
using namespace driftless::literals;

namespace {
constexpr event_time ns(std::int64_t n) { return event_time{n}; }
constexpr time_window span(std::int64_t start, std::int64_t end) { return {ns(start), ns(end)}; }
constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto greatest = std::numeric_limits<std::int64_t>::max();

static_assert(tumbling{10_ns}.assign(ns(0)) == span(0, 10));
static_assert(tumbling{10_ns}.assign(ns(9)) == span(0, 10));
static_assert(tumbling{10_ns}.assign(ns(10)) == span(10, 20));
static_assert(tumbling{10_ns}.assign(ns(-1)) == span(-10, 0));
static_assert(tumbling{10_ns}.assign(ns(-10)) == span(-10, 0));
static_assert(tumbling{10_ns}.assign(ns(-11)) == span(-20, -10));
static_assert(tumbling{10_ns, 3_ns}.assign(ns(2)) == span(-7, 3));
static_assert(tumbling{10_ns, duration{-3}}.assign(ns(7)) == span(7, 17));
static_assert(tumbling{1_ns}.assign(ns(-5)) == span(-5, -4));
static_assert(global{}.assign(ns(5)) == time_window{});
}  // namespace

TEST_CASE("a size of zero or less, and a lateness below zero, are refused", "[time][window]") {
    CHECK_THROWS_AS(tumbling{}.validate(), error);
    CHECK_THROWS_AS(tumbling{duration{-5}}.validate(), error);
    CHECK_THROWS_AS(allowed_lateness{duration{-1}}.validate(), error);
    CHECK_NOTHROW(allowed_lateness{}.validate());
    CHECK_NOTHROW((tumbling{1_ns, duration::min()}.validate()));
}

TEST_CASE("tumbling windows hold what they are assigned to, and follow one another", "[time][window][oracle]") {
    for (std::int64_t size = 1; size < 12; ++size) {
        for (std::int64_t offset = -25; offset < 25; ++offset) {
            for (std::int64_t at = -40; at < 40; ++at) {
                std::int64_t start = at;
                while (((start - offset) % size + size) % size != 0) --start;
                if (tumbling{duration{size}, duration{offset}}.assign(ns(at)) != span(start, start + size)) {
                    FAIL_CHECK(at << " in size " << size << ", offset " << offset);
                }
            }
        }
    }
}

TEST_CASE("windows saturate at the ends of time, for every size and offset", "[time][window]") {
    for (std::int64_t const size : {std::int64_t{1}, std::int64_t{10}, std::int64_t{86'400'000'000'000}, greatest}) {
        for (std::int64_t const offset : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{7}, least, greatest}) {
            for (std::int64_t const at :
                {least, least + 1, std::int64_t{-1}, std::int64_t{0}, greatest - 1, greatest}) {
                auto const window = tumbling{duration{size}, duration{offset}}.assign(ns(at));
                INFO(at << " in size " << size << ", offset " << offset);
                CHECK(window.start <= ns(at));
                CHECK((ns(at) < window.end || window.end == event_time::max()));
                CHECK(window.end - window.start <= duration{size});
            }
        }
    }
}
