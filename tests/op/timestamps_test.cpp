// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/timestamps.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/release_on_close.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding_per_record.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace timestamps_test {
struct visit {
    text who;
    int n;
};
}  // namespace timestamps_test
BOOST_HANA_ADAPT_STRUCT(timestamps_test::visit, who, n);
using timestamps_test::visit;

namespace {
constexpr auto timed = from<event<int>>();
constexpr auto tens = window(tumbling{10_s}, earliest_timestamp{});
constexpr auto counts = timed | tens | aggregate(count());
static_assert(single_pane<decltype(counts)>);
static_assert(is_order_free<decltype(counts)>);
/// Without the option, or with the default written down, the types are as ever: it costs nothing.
static_assert(!decltype(window(tumbling{10_s}))::stamps);
static_assert(!decltype(window(tumbling{10_s}, end_of_window_timestamp{}))::stamps);
static_assert(!decltype(tens)::triggered);
static_assert(
    !operator_on<decltype(window(sliding_per_record{5_s}, latest_timestamp{})), event<int>>);
static_assert(!operator_on<decltype(release_on_close()), output_of<decltype(timed | tens)>>);
}  // namespace

TEST_CASE("a second window takes a row at the time of its records", "[op][timestamps]") {
    auto const pipe = counts | window(tumbling{2_s}) | aggregate(count());
    auto const out = play(pipe, event{1, at(5_s)}, event{2, at(3_s)}, watermark(at(8_s)), watermark(at(10_s)),
        testing::end_of_input{});
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].window == time_window{at(2_s), at(4_s)});
    CHECK(out.steps[3].pane_count == 1);  // held at 3 s, until the first window is out
    CHECK(out.refused(reason::late) == 0);
}

TEST_CASE("rows are regrouped in their window, whatever their time", "[op][timestamps]") {
    auto const pipe = timed | key_by([](int n) { return n; }) | tens | aggregate(count())
        | key_by([](auto const&) { return 0; }) | aggregate(count());
    auto const out = play(pipe, event{1, at(1_s)}, event{2, at(9_s)}, event{3, at(12_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].value == 2);
    CHECK(out.panes[0].window == time_window{at(0_s), at(10_s)});
    CHECK(out.panes[1].value == 1);
}

TEST_CASE("a record that is not taken holds nothing", "[op][timestamps]") {
    auto const pipe = timed | window(tumbling{10_s}, earliest_timestamp{})
        | aggregate(fold(0, [](int so_far, int n) {
              if (n < 0) throw std::runtime_error{"negative"};
              return so_far + n;
          }))
        | window(tumbling{2_s}) | aggregate(count());
    std::vector const input{event{-1, at(1_s)}, event{1, at(5_s)}, event{2, at(7_s)}};
    auto const rows = run(batch{.on_error = on_error::skip}, pipe, input);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].window == time_window{at(4_s), at(6_s)});
    CHECK(rows.report().state_bytes == 0);
}

TEST_CASE("a restored job goes on with the times it holds", "[op][timestamps]") {
    auto const pipe = timed | key_by([](int n) { return n % 3; }) | window(sliding{10_s, 5_s}, latest_timestamp{})
        | aggregate(count()) | window(tumbling{2_s}) | aggregate(count());
    testing::script<int> calm;
    testing::script<int> restored;
    for (int n = 0; n < 60; ++n) {
        auto const record = event{n, at((n * 7 % 20 + n) * 1_s)};
        calm.add(record);
        restored.add(record);
        restored.add(testing::snapshot_and_restore{});
        if (n % 3 != 0) continue;
        calm.add(watermark(at(n * 1_s)));
        restored.add(watermark(at(n * 1_s)));
    }
    calm.add(testing::end_of_input{});
    restored.add(testing::end_of_input{});
    auto const once = testing::play_script(pipe, calm);
    auto const again = testing::play_script(pipe, restored);
    REQUIRE(once.panes.size() == again.panes.size());
    for (std::size_t i = 0; i < once.panes.size(); ++i) {
        CHECK(once.panes[i].window == again.panes[i].window);
        CHECK(once.panes[i].value == again.panes[i].value);
    }
    CHECK(once.refused(reason::late) == again.refused(reason::late));
}

TEST_CASE("the times that are held go with their windows, keys of text too", "[op][timestamps]") {
    auto const pipe = from<event<visit>>() | key_by<&visit::who>() | window(sliding{10_ns, 5_ns}, earliest_timestamp{})
        | aggregate(count());
    testing::script<visit> steps;
    std::vector<std::string> names;
    names.reserve(6000);  // the steps borrow
    for (int n = 0; n < 6000; ++n) {
        names.push_back(std::string(100, 'k') + std::to_string(n));
        steps.add(event{visit{text{names.back()}, n}, event_time{n * 5}});
        steps.add(watermark(event_time{n * 5}));
    }
    auto const before_the_end = testing::play_script(pipe, steps);
    CHECK(before_the_end.report.state_bytes > 0);
    CHECK(before_the_end.report.state_bytes < 500'000);  // of 600,000 bytes of names
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(pipe, steps);
    CHECK(out.panes.size() == 12'000);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("plans say which time panes have", "[op][timestamps]") {
    CHECK(explain(counts).find("earliest_timestamp") != std::string::npos);
}
