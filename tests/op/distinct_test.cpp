// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/distinct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace distinct_op_test {
struct visit {
    text user;
    std::int64_t page;
};
struct keyless {
    int* p;
};
}  // namespace distinct_op_test
BOOST_HANA_ADAPT_STRUCT(distinct_op_test::visit, user, page);
using distinct_op_test::visit;

namespace {
constexpr auto visits = from<event<visit>>();
constexpr auto by_window = visits | window(tumbling{10_s});
using for_ever = decltype(distinct(unbounded_state{}));
static_assert(operator_on<for_ever, visit>);
static_assert(!operator_on<for_ever, distinct_op_test::keyless>);
static_assert(!operator_on<distinct_op<driftless::detail::itself>, visit>);  // for ever
static_assert(state_bound<decltype(by_window | distinct())> == state_class::windowed);
static_assert(state_bound<decltype(visits | distinct(unbounded_state{}))> == state_class::unbounded);
std::vector<std::int64_t> pages(auto const& rows) {
    std::vector<std::int64_t> all;
    for (auto const& each : rows) all.push_back(each.page);
    return all;
}
using numbers = std::vector<std::int64_t>;
}  // namespace

TEST_CASE("distinct hands on each record of a window once, as soon as it comes", "[op][distinct]") {
    auto const out = play(by_window | distinct(), event{visit{"a", 1}, at(3_s)}, event{visit{"a", 1}, at(1_s)},
        event{visit{"b", 1}, at(2_s)}, testing::snapshot_and_restore{}, event{visit{"b", 1}, at(9_s)},
        event{visit{"a", 1}, at(10_s)}, testing::end_of_input{});
    CHECK(pages(out.records) == numbers{1, 1, 1});
    CHECK(out.panes_at(0).size() == 1);
    CHECK(out.steps[1].call_count == 0);
    CHECK(out.panes_at(2).size() == 1);
    CHECK(out.panes_at(5).size() == 1);  // another window
    CHECK(out.panes[2].window == time_window{at(10_s), at(20_s)});
    CHECK(out.report.stage("distinct")->applied == 5);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("distinct by a member, by a function, by key, and in each of several windows", "[op][distinct]") {
    auto const of = [](auto const& pipe) {
        return pages(play(pipe, event{visit{"a", 1}, at(3_s)}, event{visit{"a", 2}, at(3_s)},
            event{visit{"b", 2}, at(4_s)}, event{visit{"b", 3}, at(4_s)}, testing::end_of_input{})
                .records);
    };
    CHECK(of(by_window | distinct<&visit::user>()) == numbers{1, 2});
    CHECK(of(by_window | distinct<&visit::page>()) == numbers{1, 2, 3});
    CHECK(of(by_window | distinct([](visit const& v) { return v.page / 2; })) == numbers{1, 2});
    CHECK(of(visits | distinct<&visit::page>(unbounded_state{})) == numbers{1, 2, 3});
    CHECK(of(visits | key_by<&visit::user>() | window(tumbling{10_s}) | distinct<&visit::page>())
        == numbers{1, 2, 2, 3});
    CHECK(of(visits | window(sliding{10_s, 5_s}) | distinct<&visit::user>()) == numbers{1, 1, 2, 2});
}

TEST_CASE("what follows distinct groups inside its window", "[op][distinct]") {
    auto const pipe = by_window | distinct<&visit::page>() | key_by<&visit::user>() | aggregate(count());
    auto const out = play(pipe, event{visit{"a", 1}, at(3_s)}, event{visit{"a", 2}, at(4_s)},
        event{visit{"b", 2}, at(4_s)}, event{visit{"b", 2}, at(14_s)}, watermark(at(10_s)), testing::end_of_input{});
    CHECK(out.values_at(4) == numbers{2});
    CHECK(out.records == numbers{2, 1});
}

TEST_CASE("distinct refuses what its window has closed to", "[op][distinct]") {
    std::vector<std::int64_t> late;
    auto output = bind("late"_name, to([&](auto const& row) { late.push_back(row.value.page); }));
    auto const pipe = visits | window(tumbling{10_s}, allowed_lateness{5_s}) | late_to("late"_name)
        | distinct<&visit::page>();
    testing::script<visit> steps;
    steps.add(event{visit{"a", 1}, at(3_s)});
    steps.add(watermark(at(15_s) - 1_ns));
    steps.add(event{visit{"a", 2}, at(4_s)});
    steps.add(event{visit{"a", 1}, at(4_s)});
    steps.add(watermark(at(15_s)));
    steps.add(event{visit{"a", 3}, at(4_s)});
    auto const out = testing::play_script(pipe, steps, output);
    CHECK(pages(out.records) == numbers{1, 2});
    CHECK(late == numbers{3});
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("D2-16 distinct over changes: a value comes with its first row and goes with its last",
    "[op][distinct][cases]") {
    // Rows (a, b) by number; a row that is edited to nothing is deleted.
    struct numbered {
        std::int64_t number;
        std::int64_t a;
    };
    constexpr auto table = from<event<numbered>>() | key_by<&numbered::number>() | window(global{}, every(1))
        | aggregate(sum<&numbered::a>(), unbounded_state{})
        | filter([](pane<std::int64_t, std::int64_t> const& row) { return row.value != 0; })
        | map([](pane<std::int64_t, std::int64_t> const& row) { return row.value; });
    // +1 +1; +1 +2; restart; -1 -1.
    for (bool const restoring : {false, true}) {
        auto const mode = testing::play_mode{.restoring = restoring};
        auto const rows = play(mode, table | distinct(unbounded_state{}), event{numbered{0, 1}, at(1_s)},
            event{numbered{1, 1}, at(1_s)}, event{numbered{2, 1}, at(2_s)}, event{numbered{3, 2}, at(2_s)},
            event{numbered{0, -1}, at(3_s)}, event{numbered{1, -1}, at(3_s)}, event{numbered{2, -1}, at(3_s)},
            event{numbered{3, 3}, at(4_s)});
        CHECK(rows.changed_by_restore == 0);
        CHECK(rows.records == numbers{1, 2, 5});
        CHECK(rows.steps[5].call_count == 0);
        REQUIRE(rows.removed.size() == 2);
        CHECK(rows.removed[0].first == 1);  // with the last of its three rows
        CHECK(rows.steps[6].removed_count == 1);
        CHECK(rows.removed[1].first == 2);  // before the 5 that it became
    }
}
