// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/release_on_close.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sorted_by_time.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace {
constexpr auto timed = from<event<int>>();
using releasing = decltype(release_on_close());
template <class... Options>
using behind = output_of<decltype(timed | window(std::declval<Options>()...))>;
static_assert(operator_on<releasing, event<int>>);
static_assert(!operator_on<releasing, int>);  // no event time
static_assert(operator_on<releasing, behind<tumbling>> && operator_on<releasing, behind<sliding>>);
static_assert(!operator_on<releasing, behind<global>>);
static_assert(operator_on<decltype(release_on_close(unbounded_state{})), behind<global>>);
static_assert(!operator_on<releasing, behind<session<>>>);
static_assert(!operator_on<releasing, behind<tumbling, decltype(every(3))>>);

constexpr auto tens = timed | window(tumbling{10_s}, allowed_lateness{5_s}) | late_to("late"_name) | release_on_close();
static_assert(state_bound<decltype(tens)> == state_class::windowed);
static_assert(state_bound<decltype(timed | window(global{}) | release_on_close(unbounded_state{}))>
    == state_class::unbounded);

using ints = std::vector<int>;
}  // namespace

TEST_CASE("release_on_close hands rows on when their window closes, by time", "[op][release_on_close]") {
    auto const pipe = timed | window(tumbling{10_s}) | release_on_close();
    auto const out = play(pipe, event{3, at(3_s)}, event{11, at(11_s)}, event{1, at(1_s)}, event{4, at(3_s)},
        watermark(at(10_s - 1_ns)), watermark(at(10_s)), testing::end_of_input{});
    CHECK(out.values_at(4).empty());
    CHECK(out.values_at(5) == ints{1, 3, 4});
    CHECK(out.values_at(6) == ints{11});
    CHECK(out.panes[0].window == time_window{at(0_s), at(10_s)});
    CHECK(out.panes[3].window == time_window{at(10_s), at(20_s)});
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("release_on_close waits for allowed lateness, and refuses by the same rule", "[op][release_on_close]") {
    std::vector<pane<unkeyed, int>> late;
    auto sink = to([&](pane<unkeyed, int> const& row) { late.push_back(row); });
    auto output = bind("late"_name, sink);
    testing::script<int> steps;
    steps.add(event{1, at(1_s)});
    steps.add(watermark(at(15_s - 1_ns)));
    steps.add(event{2, at(9_s)});  // its window is open still
    steps.add(watermark(at(15_s)));
    steps.add(event{3, at(9_s)});
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(tens, steps, output);
    CHECK(out.values_at(1).empty());
    CHECK(out.values_at(3) == ints{1, 2});
    CHECK(out.refused(reason::late) == 1);
    REQUIRE(late.size() == 1);
    CHECK(late[0].value == 3);
    CHECK(late[0].window == time_window{at(0_s), at(10_s)});
}

TEST_CASE("release_on_close releases a record once per window, and counts it so", "[op][release_on_close]") {
    auto const pipe = timed | window(sliding{10_s, 5_s}) | release_on_close();
    auto const out = play(pipe, event{1, at(6_s)}, watermark(at(10_s)), testing::snapshot_and_restore{},
        event{2, at(7_s)},  // [0, 10) refuses it, [5, 15) does not
        testing::snapshot_and_restore{}, testing::end_of_input{});
    CHECK(out.values_at(1) == ints{1});
    CHECK(out.values_at(5) == ints{1, 2});
    CHECK(out.panes[0].window == time_window{at(0_s), at(10_s)});
    CHECK(out.panes[1].window == time_window{at(5_s), at(15_s)});
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.report.stage("release_on_close")->applied == 3);
    CHECK(out.report.state_bytes == 0);

    auto const gaps = play(timed | window(sliding{2_s, 5_s}) | release_on_close(), event{1, at(6_s)}, event{2, at(8_s)},
        testing::end_of_input{});
    CHECK(gaps.records == ints{1});
    CHECK(gaps.report.stage("release_on_close")->unassigned == 1);
}

TEST_CASE("without a window release_on_close sorts by time", "[op][release_on_close]") {
    testing::script<int> const steps{event{2, at(2_s)}, event{1, at(1_s)}, watermark(at(2_s)), event{0, at(1_s)},
        event{3, at(2_s)}, watermark(at(3_s)), testing::end_of_input{}};
    auto const mine = testing::play_script(timed | release_on_close(), steps);
    auto const theirs = testing::play_script(timed | sorted_by_time(), steps);
    CHECK(mine.records == ints{1, 2, 3});
    CHECK(mine.records == theirs.records);
    for (std::size_t i = 0; i < 6; ++i) CHECK(mine.values_at(i) == theirs.values_at(i));
    CHECK(mine.refused(reason::late) == theirs.refused(reason::late));
}

TEST_CASE("an aggregate behind release_on_close takes the rows of each window by time", "[op][release_on_close]") {
    struct joined {
        std::string operator()(std::string const& so_far, int n) const { return so_far + std::to_string(n); }
    };
    auto const pipe = timed | window(tumbling{10_s}) | release_on_close() | aggregate(fold(std::string{}, joined{}));
    auto const out = play(pipe, event{5, at(5_s)}, event{2, at(12_s)}, event{3, at(3_s)}, watermark(at(10_s)),
        event{1, at(11_s)}, testing::end_of_input{});
    CHECK(out.records == std::vector<std::string>{"35", "12"});
    CHECK(out.values_at(3) == std::vector<std::string>{"35"});
    CHECK(out.panes[1].window == time_window{at(10_s), at(20_s)});
    CHECK(out.refused(reason::late) == 0);

    auto const rows = run(batch{}, pipe,
        std::vector{event{5, at(5_s)}, event{2, at(12_s)}, event{3, at(3_s)}, event{1, at(11_s)}});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].value == "35");
    CHECK(rows[1].value == "12");
}

TEST_CASE("release_on_close takes the rows of an aggregate, window by window", "[op][release_on_close]") {
    auto const pipe = timed | key_by([](int n) { return n; }) | window(tumbling{10_s}) | aggregate(count())
        | release_on_close() | window(tumbling{20_s}) | aggregate(count());
    auto const out = play(pipe, event{1, at(1_s)}, event{2, at(11_s)}, event{1, at(12_s)}, watermark(at(15_s)),
        testing::snapshot_and_restore{}, event{1, at(16_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);  // for key 1 two rows, for key 2 one
    std::int64_t rows = 0;
    for (auto const& each : out.panes) rows += each.value;
    CHECK(rows == 3);
    CHECK(out.panes[0].window == time_window{at(0_s), at(20_s)});
}

TEST_CASE("a second window takes a released row at the last instant of its first", "[op][release_on_close]") {
    auto const pipe =
        timed | window(tumbling{10_s}) | release_on_close() | window(tumbling{10_s, 5_s}) | aggregate(count());
    auto const out = play(pipe, event{1, at(1_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].window == time_window{at(5_s), at(15_s)});
}

TEST_CASE("in the global window release_on_close sorts the whole input", "[op][release_on_close]") {
    auto const out = play(timed | window(global{}) | release_on_close(unbounded_state{}), event{2, at(2_s)},
        watermark(at(5_s)), event{1, at(1_s)}, testing::end_of_input{});
    CHECK(out.values_at(3) == ints{1, 2});
}
