// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/count_window.hpp>

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
struct joined {
    std::string operator()(std::string const& so_far, int n) const { return so_far + std::to_string(n) + ' '; }
};
constexpr auto tens = [](int n) { return n / 10; };
constexpr auto threes = window(count_window{3});
auto const unkeyed_threes = from<event<int>>() | threes | aggregate(fold(std::string{}, joined{}));
constexpr auto keyed_threes =
    from<event<int>>() | key_by(tens) | threes | aggregate(count(), sum(), unbounded_state{});

static_assert(window_assigner<count_window>);
using threes_of_each_key = output_of<decltype(from<event<int>>() | key_by(tens) | threes)>;
static_assert(!operator_on<decltype(aggregate(count())), threes_of_each_key>);  // as many states as keys
static_assert(operator_on<decltype(aggregate(count(), unbounded_state{})), threes_of_each_key>);
static_assert(single_pane<decltype(keyed_threes)>);
static_assert(!is_order_free<decltype(keyed_threes)>);
static_assert(!lambda_additive<decltype(keyed_threes)>);
static_assert(state_bound<decltype(keyed_threes)> == state_class::unbounded);
static_assert(state_bound<decltype(unkeyed_threes)> == state_class::max_keys);
static_assert(state_bound<decltype(from<event<int>>() | key_by(tens) | threes | aggregate(count(), max_keys{5}))>
    == state_class::max_keys);

time_window places(std::int64_t first, std::int64_t end) { return {event_time{first}, event_time{end}}; }
}  // namespace

TEST_CASE("count_window refuses a size of 0 when the job starts", "[op][count_window]") {
    CHECK_THROWS_AS(play(from<event<int>>() | window(count_window{0}) | aggregate(count())), error);
    CHECK_THROWS_AS(play(from<event<int>>() | window(count_window{std::numeric_limits<std::uint64_t>::max()})
                        | aggregate(count())),
        error);
}

TEST_CASE("a count window comes out with its last record, whatever the times", "[op][count_window]") {
    auto const out = play(unkeyed_threes, event{1, at(9_s)}, watermark(at(8_s)), event{2, at(1_s)}, event{3, at(5_s)},
        event{4, at(2_s)}, testing::snapshot_and_restore{}, event{5, at(3_s)}, watermark(at(20_s)), event{6, at(4_s)});
    CHECK(out.values_at(3) == std::vector<std::string>{"1 2 3 "});
    CHECK(out.values_at(8) == std::vector<std::string>{"4 5 6 "});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].window == places(0, 3));
    CHECK(out.panes[1].window == places(3, 6));
    CHECK(out.panes[0].info == pane_info{});
    CHECK(out.refused(reason::late) == 0);
}

TEST_CASE("each key counts its own records; unfinished windows come out at the end", "[op][count_window]") {
    auto const out = play(keyed_threes, event{11, at(1_s)}, event{21, at(1_s)}, event{12, at(2_s)}, event{22, at(3_s)},
        event{13, at(3_s)}, event{14, at(4_s)}, watermark(at(1_h)), testing::end_of_input{});
    CHECK(out.steps[6].pane_count == 0);  // no watermark closes a window before the last
    REQUIRE(out.panes.size() == 3);
    CHECK(out.panes[0].key == 1);
    CHECK(out.panes[0].value == std::tuple{std::int64_t{3}, std::int64_t{36}});
    // By window, as everywhere: [0, 3) of key 2 before [3, 6) of key 1.
    CHECK(out.panes[1].key == 2);
    CHECK(out.panes[1].window == places(0, 3));
    CHECK(out.panes[1].value == std::tuple{std::int64_t{2}, std::int64_t{43}});
    CHECK(out.panes[2].key == 1);
    CHECK(out.panes[2].window == places(3, 6));
    CHECK(out.panes[2].value == std::tuple{std::int64_t{1}, std::int64_t{14}});
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("the last window is not repeated where it was full", "[op][count_window]") {
    auto const out = play(unkeyed_threes, event{1, at(1_s)}, event{2, at(2_s)}, event{3, at(3_s)},
        testing::end_of_input{});
    CHECK(out.records == std::vector<std::string>{"1 2 3 "});
    CHECK(play(unkeyed_threes, testing::end_of_input{}).records.empty());
}

TEST_CASE("the row of a count window has the greatest time of its records", "[op][count_window]") {
    auto const pipe = from<event<int>>() | threes | aggregate(count()) | window(tumbling{10_s}) | aggregate(count());
    auto const out = play(pipe, event{1, at(12_s)}, event{2, at(3_s)}, event{3, at(5_s)}, event{4, at(5_s)},
        watermark(at(20_s)), testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].window == time_window{at(10_s), at(20_s)});
    CHECK(out.steps[4].pane_count == 1);
    CHECK(out.panes[1].window.end == event_time::max());  // the unfinished one, at +inf
    CHECK(out.refused(reason::late) == 0);
}

TEST_CASE("a record whose function throws does not count", "[op][count_window]") {
    auto const pipe = from<event<int>>() | key_by([](int) { return 1; }) | threes
        | aggregate(fold(std::string{}, [](std::string const& so_far, int n) {
              if (n < 0) throw std::runtime_error{"negative"};
              return so_far + std::to_string(n);
          }),
            unbounded_state{});
    std::vector const input{event{-1, at(1_s)}, event{1, at(1_s)}, event{-2, at(1_s)}, event{2, at(1_s)},
        event{3, at(1_s)}, event{4, at(1_s)}};
    auto const rows = run(batch{.on_error = on_error::skip}, pipe, input);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].value == "123");
    CHECK(rows[1].value == "4");
    CHECK(rows.report().stage("aggregate")->applied == 4);
    CHECK(rows.report().refused(reason::failed) == 2);
}

TEST_CASE("max_keys bounds the keys of count windows", "[op][count_window]") {
    auto const pipe = from<event<int>>() | key_by(tens) | threes | aggregate(count(), max_keys{1});
    auto const out = play(pipe, event{11, at(1_s)}, event{21, at(1_s)}, event{12, at(1_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].value == 2);
    CHECK(out.refused(reason::capacity) == 1);
}

TEST_CASE("count_window says its size in plans", "[op][count_window]") {
    CHECK(explain(keyed_threes).find("window count_window size=3") != std::string::npos);
}
