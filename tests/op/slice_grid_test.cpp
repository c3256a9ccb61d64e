// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/detail/slice_grid.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using driftless::detail::slice_grid;

namespace {
sliding windows(std::int64_t size, std::int64_t period, std::int64_t offset = 0) {
    return {duration{size}, duration{period}, duration{offset}};
}
std::vector<time_window> assigned(sliding const& of, event_time at) {
    std::vector<time_window> out;
    of.assign_each(at, [&](time_window const& window) { out.push_back(window); });
    return out;
}
/// What the grid says of a time agrees with what the assigner says.
void check_at(sliding const& of, event_time at) {
    slice_grid const grid{of};
    auto const slice = grid.slice_at(at);
    auto const expected = assigned(of, at);
    INFO("size " << of.size.ns() << ", period " << of.period.ns() << ", offset " << of.offset.ns());
    INFO("at " << at.ns());
    REQUIRE(grid.span_of_slice(slice).start <= at);
    CHECK(at <= grid.span_of_slice(slice).max_timestamp());
    CHECK(grid.windows_with(slice) == expected.size());
    auto number = grid.first_with(slice);
    CHECK(grid.last_with(slice) - number + 1 == static_cast<std::int64_t>(expected.size()));
    for (auto const& window : expected) {
        CHECK(grid.window(number) == window);
        CHECK(grid.begin_of(number) <= slice);
        CHECK(slice < grid.end_of(number));
        ++number;
    }
}
}  // namespace

TEST_CASE("a slice lies in the windows of its times", "[op][sliding]") {
    for (std::int64_t size = 1; size <= 12; ++size) {
        for (std::int64_t period = 1; period <= 9; ++period) {
            for (std::int64_t const offset : {0, 2, -3, 25}) {
                for (std::int64_t at = -30; at <= 30; ++at) check_at(windows(size, period, offset), event_time{at});
            }
        }
    }
}

TEST_CASE("windows begin and end where slices do", "[op][sliding]") {
    for (std::int64_t size = 1; size <= 12; ++size) {
        for (std::int64_t period = 1; period <= 9; ++period) {
            slice_grid const grid{windows(size, period)};
            for (std::int64_t number = -5; number <= 5; ++number) {
                auto const window = grid.window(number);
                CHECK(window.start == event_time{number * period});
                CHECK(window.end == event_time{number * period + size});
                CHECK(grid.start_of_slice(grid.begin_of(number)) == window.start);
                CHECK(grid.start_of_slice(grid.end_of(number)) == window.end);
                if (size >= period) CHECK(grid.end_of(number) - grid.begin_of(number) >= grid.block());
            }
        }
    }
}

TEST_CASE("a watermark closes the windows whose end it has reached", "[op][sliding]") {
    for (auto const& of : {windows(10, 5), windows(10, 3, 2), windows(3, 10, -4), windows(7, 7)}) {
        slice_grid const grid{of};
        for (std::int64_t at = -40; at <= 40; ++at) {
            auto const first = grid.first_open(event_time{at});
            CHECK(grid.window(first).end > event_time{at});
            CHECK(grid.window(first - 1).end <= event_time{at});
        }
        CHECK(grid.first_open(event_time::max()) == INT64_MAX);
        CHECK(grid.window(grid.first_open(event_time::min())).end > event_time::min());
    }
}

TEST_CASE("at the ends of time windows saturate as those of sliding do", "[op][sliding]") {
    for (auto const& of : {sliding{1_h, 10_min}, sliding{1_h, 7_min, 3_min}, sliding{10_min, 1_h}}) {
        for (std::int64_t step = 0; step < 200; ++step) {
            auto const by = step * 60'000'000'000;
            check_at(of, event_time{INT64_MIN + 1 + by});
            check_at(of, event_time{INT64_MAX - 1 - by});
        }
    }
}
