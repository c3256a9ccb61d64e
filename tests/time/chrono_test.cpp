// SPDX-License-Identifier: BSL-1.0
#include <driftless/time/chrono.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

using namespace driftless;
using namespace driftless::literals;
using std::chrono::hours, std::chrono::microseconds, std::chrono::milliseconds, std::chrono::nanoseconds,
    std::chrono::seconds;

namespace {
constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
static_assert(to_duration(hours{2}) == 2_h);
static_assert(to_duration(milliseconds{-3}) == driftless::duration{-3'000'000});
static_assert(to_chrono(5_s) == seconds{5});
}  // namespace

TEST_CASE("spans that fit are exact, up to the last nanosecond", "[time][chrono]") {
    for (std::int64_t const n : {least, least + 1, std::int64_t{-1}, std::int64_t{0}, greatest - 1, greatest}) {
        CHECK(to_duration(nanoseconds{n}).ns() == n);
        CHECK(to_duration(to_chrono(driftless::duration{n})).ns() == n);
        CHECK(to_event_time(to_chrono(event_time{n})).ns() == n);
    }
    CHECK(to_duration(milliseconds{9'223'372'036'854}).ns() == 9'223'372'036'854'000'000);
    CHECK(to_duration(microseconds{-9'223'372'036'854'775}).ns() == -9'223'372'036'854'775'000);
}

TEST_CASE("spans that do not fit saturate", "[time][chrono]") {
    CHECK(to_duration(milliseconds{9'223'372'036'855}) == driftless::duration::max());
    CHECK(to_duration(milliseconds{-9'223'372'036'855}) == driftless::duration::min());
    CHECK(to_duration(hours::max()) == driftless::duration::max());
    CHECK(to_duration(std::chrono::duration<std::int64_t, std::ratio<31'556'952>>{-300}) == driftless::duration::min());
    CHECK(to_duration(std::chrono::duration<double>{1e30}) == driftless::duration::max());
    CHECK(to_duration(std::chrono::duration<double>{-1e30}) == driftless::duration::min());
}

TEST_CASE("finer spans are rounded towards zero", "[time][chrono]") {
    using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    CHECK(to_duration(picoseconds{1999}) == 1_ns);
    CHECK(to_duration(picoseconds{-1999}) == driftless::duration{-1});
    CHECK(to_duration(std::chrono::duration<double>{1.5}) == 1500_ms);
}
