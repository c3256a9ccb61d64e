// SPDX-License-Identifier: BSL-1.0
// What stands behind an aggregate with a named trigger: other operators, another aggregate, a sink.
#include <driftless/op/trigger.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

namespace {
struct hit {
    int page;
    std::int64_t n;
};
template <class... Options>
constexpr auto sums(Options... options) {
    return from<event<hit>>() | key_by<&hit::page>()
        | window(tumbling{10_s}, at_watermark().early(every(1)), allowed_lateness{10_s}, options...)
        | aggregate(sum<&hit::n>());
}
auto played(auto const& pipeline) {
    return testing::play(pipeline, event{hit{1, 1}, at(1_s)}, event{hit{2, 10}, at(2_s)}, event{hit{1, 2}, at(3_s)},
        testing::watermark(at(10_s)), event{hit{1, 4}, at(4_s)}, testing::end_of_input{});
}
using values = std::vector<std::int64_t>;
}  // namespace

TEST_CASE("an aggregate of early, on-time and late panes counts nothing twice, whatever the encoding",
    "[op][trigger]") {
    auto const total = [](auto option) {
        return sums(option) | key_by([](auto const&) { return 0; })
            | aggregate(sum([](auto const& row) { return row.value; }));
    };
    // Early panes wait for the end of the window, then each correction is one more row: 13, and 17 with the late hit.
    auto const out = played(total(accumulating{}));
    CHECK(out.values_at(3).back() == 13);
    CHECK(out.values_at(4) == values{17});
    CHECK(out.records.back() == 17);
    CHECK(played(total(discarding{})).records == out.records);  // who regroups has no parts
    auto const retracting_out = played(total(retracting{}));
    CHECK(retracting_out.records == out.records);
    CHECK(retracting_out.retracted.size() == out.records.size() - 1);
}

TEST_CASE("map and filter behind discarding panes see what is shown", "[op][trigger]") {
    auto const parts = played(sums(discarding{}));
    CHECK(parts.records == values{1, 10, 2, 0, 0, 4});
    auto const mapped = played(sums(discarding{}) | map([](auto const& row) { return row.value * 100; }));
    CHECK(mapped.records == values{100, 1000, 200, 0, 0, 400});
    // A part that does not pass is not shown, and the whole is not shown in its place.
    auto const few = played(sums(discarding{}) | filter([](auto const& row) { return row.value != 4; }));
    CHECK(few.records == values{1, 10, 2, 0, 0});
    auto const keyed = played(sums(discarding{}) | key_by([](auto const& row) { return std::int64_t{row.key} + 5; }));
    CHECK(keyed.panes.size() == 6);
    CHECK(keyed.records.back().value == 4);
    CHECK(keyed.panes.back().key == 6);
    // A key that changes with the value: still the part, under the new key.
    auto const moving = played(sums(discarding{}) | key_by([](auto const& row) { return row.value; }));
    CHECK(moving.records.back().value == 4);
}

TEST_CASE("a result that does not fit takes its row back, and a later one that fits stands again", "[op][trigger]") {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    std::vector<event<hit>> const input{
        {hit{1, most}, at(1_s)}, {hit{1, 1}, at(2_s)}, {hit{1, -1}, at(3_s)}};
    values written;
    int removed = 0;
    auto const report = run(stream{.on_error = on_error::skip, .until = drained}, sums(), input,
        to([&](auto const& row) { written.push_back(row.value); }, [&](auto const&, time_window) { ++removed; }));
    CHECK(written == values{most, most, most});  // the third is the on-time pane
    CHECK(removed == 1);
    CHECK(report.failures == 1);  // asked for once: what is not shown is not asked for again
}
