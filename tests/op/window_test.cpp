// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/window.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play;

namespace {
using every_10_s = decltype(window(tumbling{10_s}));
static_assert(operator_on<every_10_s, event<int>> && !operator_on<every_10_s, int>);
static_assert(!every_10_s::has_lateness && decltype(window(tumbling{1_s}, allowed_lateness{1_s}))::has_lateness);
static_assert(window_assigner<tumbling> && window_assigner<global> && !window_assigner<int>);

auto counts(duration size, duration offset = {}) {
    return from<event<int>>() | window(tumbling{size, offset}) | aggregate(count());
}
}  // namespace

TEST_CASE("window refuses sizes and bounds out of range when the job starts", "[op][window]") {
    CHECK_THROWS_AS(play(counts({})), error);
    CHECK_THROWS_AS(play(counts(duration{-1})), error);
    CHECK_THROWS_AS(
        play(from<event<int>>() | window(tumbling{10_s}, allowed_lateness{duration{-1}}) | aggregate(count())),
        error);
}

TEST_CASE("windows are half open, also before the epoch and with an offset", "[op][window]") {
    auto const out = play(counts(10_s, -3_s), event{1, at(-13_s)}, event{1, at(-3_s - 1_ns)}, event{1, at(-3_s)},
        event{1, at(7_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 3);
    CHECK(out.panes[0].window == time_window{at(-13_s), at(-3_s)});
    CHECK(out.panes[0].value == 2);
    CHECK(out.panes[1].window == time_window{at(-3_s), at(7_s)});
    CHECK(out.panes[2].window == time_window{at(7_s), at(17_s)});
}

TEST_CASE("a second window puts a result into the window of its last instant", "[op][window]") {
    auto const pipe = counts(10_s) | window(tumbling{20_s}) | aggregate(count());
    auto const out =
        play(pipe, event{1, at(19_s)}, event{1, at(20_s)}, testing::watermark(at(20_s)), testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].window == time_window{at(0_s), at(20_s)});  // [10, 20) ends in it, at 20 s - 1 ns
    CHECK(out.panes[1].window == time_window{at(20_s), at(40_s)});
}
