// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/sliding_per_record.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace {
constexpr auto fives = window(sliding_per_record{5_ns});
constexpr auto counts = from<event<int>>() | fives | aggregate(count());
constexpr auto forgiving =
    from<event<int>>() | window(sliding_per_record{5_ns}, allowed_lateness{3_ns}) | aggregate(sum());
static_assert(window_assigner<sliding_per_record>);
static_assert(single_pane<decltype(counts)> && !single_pane<decltype(forgiving)>);
static_assert(is_order_free<decltype(counts)>);
static_assert(state_bound<decltype(counts)> == state_class::windowed);

event<int> one(std::int64_t ns, int value = 1) { return {value, event_time{ns}}; }
auto wm(std::int64_t ns) { return watermark(event_time{ns}); }

/// "[0,3) = 2" and the like.
template <class Panes>
std::vector<std::string> said(Panes const& panes) {
    std::vector<std::string> out;
    for (auto const& each : panes) {
        out.push_back("[" + std::to_string(each.window.start.ns()) + "," + std::to_string(each.window.end.ns())
            + ") = " + std::to_string(each.value));
    }
    return out;
}
using lines = std::vector<std::string>;
}  // namespace

TEST_CASE("sliding_per_record refuses a difference below 0 when the job starts", "[op][sliding_per_record]") {
    CHECK_THROWS_AS(play(from<event<int>>() | window(sliding_per_record{duration{-1}}) | aggregate(count())), error);
}

TEST_CASE("windows end with a record or start behind one, and fire at their end", "[op][sliding_per_record]") {
    auto const out = play(counts, one(10), one(12), wm(11), wm(13), wm(17), testing::end_of_input{});
    CHECK(said(out.panes_at(2)) == lines{"[5,11) = 1"});
    CHECK(said(out.panes_at(3)) == lines{"[7,13) = 2"});
    CHECK(said(out.panes_at(4)) == lines{"[11,17) = 1"});
    CHECK(out.panes_at(5).empty());  // nothing lies behind 12
    CHECK(out.panes[0].info == pane_info{});
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("records exactly the difference apart share a window; one more and they do not", "[op][sliding_per_record]") {
    CHECK(said(play(counts, one(0), one(5), testing::end_of_input{}).panes)
        == lines{"[-5,1) = 1", "[0,6) = 2", "[1,7) = 1"});
    // [1, 7) is both: it starts behind 0 and ends with 6.
    CHECK(said(play(counts, one(0), one(6), testing::end_of_input{}).panes) == lines{"[-5,1) = 1", "[1,7) = 1"});
    CHECK(said(play(counts, one(0), one(7), testing::end_of_input{}).panes) == lines{"[-5,1) = 1", "[2,8) = 1"});
    CHECK(said(play(counts, one(3), one(3), testing::end_of_input{}).panes) == lines{"[-2,4) = 2"});
}

TEST_CASE("a difference of 0 makes a window of each time", "[op][sliding_per_record]") {
    auto const pipe = from<event<int>>() | window(sliding_per_record{0_ns}) | aggregate(count());
    CHECK(said(play(pipe, one(3), one(4), one(3), testing::end_of_input{}).panes) == lines{"[3,4) = 2", "[4,5) = 1"});
}

TEST_CASE("a record is refused by the window that ends with it, and counts for those that are open",
    "[op][sliding_per_record]") {
    std::vector<pane<unkeyed, int>> late;
    auto sink = to([&](pane<unkeyed, int> const& row) { late.push_back(row); });
    auto output = bind("late"_name, sink);
    auto const pipe = from<event<int>>() | fives | late_to("late"_name) | aggregate(count());
    testing::script<int> steps;
    for (auto const& each : {one(20), one(21)}) steps.add(each);
    steps.add(wm(22));
    steps.add(one(22));      // in time: W = 22 < 23
    steps.add(one(21, 2));   // its window [16, 22) is closed; [17, 23) and [21, 27) are not
    steps.add(one(17, 3));   // [12, 18) is closed, [17, 23) is not: starts with it, ends with 22
    steps.add(one(16, 4));   // W >= 16 + 5 + 1: nothing can hold it
    steps.add(testing::snapshot_and_restore{});
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(pipe, steps, output);
    CHECK(said(out.panes_at(2)) == lines{"[15,21) = 1", "[16,22) = 2"});
    // [18, 24) starts behind 17, the late one.
    CHECK(said(out.panes_at(8)) == lines{"[17,23) = 5", "[18,24) = 4", "[21,27) = 3", "[22,28) = 1"});
    CHECK(out.refused(reason::late) == 3);
    CHECK(out.report.stage("aggregate")->applied == 3);
    REQUIRE(late.size() == 3);
    CHECK(late[0].value == 2);
    CHECK(late[0].window == time_window{event_time{16}, event_time{22}});
    CHECK(late[2].value == 4);
}

TEST_CASE("a late record changes the rows of open windows, by window", "[op][sliding_per_record]") {
    auto const out = play(forgiving, one(10, 1), one(12, 2), wm(14), testing::snapshot_and_restore{}, one(11, 4),
        one(12, 8), wm(15), one(12, 16), wm(16), testing::end_of_input{});
    CHECK(said(out.panes_at(2)) == lines{"[5,11) = 1", "[7,13) = 3"});
    // [5, 11) closes at 14. Now [6, 12) is there, and [7, 13) has one more.
    CHECK(said(out.panes_at(4)) == lines{"[6,12) = 5", "[7,13) = 7"});
    CHECK(out.panes_at(4)[0].info == pane_info{timing::late, 0, 0, true, false});
    CHECK(out.panes_at(4)[1].info == pane_info{timing::late, 1, 1, false, false});
    CHECK(said(out.panes_at(5)) == lines{"[7,13) = 15"});
    CHECK(said(out.panes_at(7)) == lines{"[7,13) = 31"});
    CHECK(said(out.panes_at(9)) == lines{"[11,17) = 30", "[12,18) = 26"});
    CHECK(out.panes_at(9)[0].info == pane_info{timing::on_time, 0, 0, true, true});
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("a window that starts behind one record and ends with a late one is one window", "[op][sliding_per_record]") {
    // [11, 17) starts behind 10 and holds 12; 16, that comes late, ends it.
    auto const out = play(forgiving, one(10), one(12), wm(17), one(16, 2), wm(18), testing::end_of_input{});
    CHECK(said(out.panes_at(2)) == lines{"[5,11) = 1", "[7,13) = 2", "[11,17) = 1"});
    CHECK(said(out.panes_at(3)) == lines{"[11,17) = 3"});
    CHECK(out.panes_at(3)[0].info == pane_info{timing::late, 1, 1, false, false});
    CHECK(out.panes_at(4).empty());
    CHECK(said(out.panes_at(5)) == lines{"[13,19) = 2"});
}

TEST_CASE("a late record shows no row that it is not in", "[op][sliding_per_record]") {
    // At 17 [5, 11) is closed, [10, 16) open; [11, 17) starts behind the record.
    auto const out = play(forgiving, one(10), one(15, 2), wm(17), one(10, 4), testing::end_of_input{});
    CHECK(said(out.panes_at(2)) == lines{"[5,11) = 1", "[10,16) = 3", "[11,17) = 2"});
    CHECK(said(out.panes_at(3)) == lines{"[10,16) = 7"});
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("each key has its windows; those of one time come in canonical order", "[op][sliding_per_record]") {
    auto const pipe = from<event<int>>() | key_by([](int n) { return n % 2; }) | fives | aggregate(count());
    auto const out = play(pipe, one(1, 0), one(1, 1), one(2, 3), testing::end_of_input{});
    REQUIRE(out.panes.size() == 4);
    CHECK(out.panes[0].window == out.panes[1].window);
    CHECK(canonical_hash(out.panes[0].key) < canonical_hash(out.panes[1].key));
    CHECK(out.panes[2].key == 1);
    CHECK(out.panes[2].value == 2);
    CHECK(out.panes[3].window == time_window{event_time{2}, event_time{8}});
}

TEST_CASE("functions in log order take the records of a window in log order", "[op][sliding_per_record]") {
    struct joined {
        std::string operator()(std::string const& so_far, int n) const { return so_far + std::to_string(n); }
    };
    auto const pipe = from<event<int>>() | fives | aggregate(fold(std::string{}, joined{}));
    auto const out = play(pipe, one(4, 1), one(2, 2), one(3, 3), testing::snapshot_and_restore{}, one(2, 4),
        testing::end_of_input{});
    CHECK(out.records == std::vector<std::string>{"24", "234", "1234", "13", "1"});
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("a record whose function throws makes no window", "[op][sliding_per_record]") {
    auto const pipe = from<event<int>>() | key_by([](int n) { return n < 0 ? -n : n; }) | fives
        | aggregate(fold(0, [](int so_far, int n) {
              if (n < 0) throw std::runtime_error{"negative"};
              return so_far + n;
          }));
    std::vector const input{one(1, -7), one(2, 7), one(3, -7), one(9, -8)};
    auto const rows = run(batch{.on_error = on_error::skip}, pipe, input);
    CHECK(said(rows) == lines{"[-3,3) = 7"});
    CHECK(rows.report().stage("aggregate")->applied == 1);
    CHECK(rows.report().refused(reason::failed) == 3);
    CHECK(rows.report().state_bytes == 0);
}

TEST_CASE("sliding_per_record takes the ends of time", "[op][sliding_per_record]") {
    auto const first = event{1, event_time{std::numeric_limits<std::int64_t>::min() + 1}};
    auto const last = event{1, event_time{std::numeric_limits<std::int64_t>::max() - 1}};
    auto const out = play(counts, last, first, wm(0), testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes_at(2).size() == 1);
    CHECK(out.panes[1].window.end == event_time::max());
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("sliding_per_record says its difference in plans", "[op][sliding_per_record]") {
    CHECK(explain(counts).find("window sliding_per_record difference=5ns") != std::string::npos);
}
