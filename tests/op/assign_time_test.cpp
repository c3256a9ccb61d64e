// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/assign_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct reading {
    event_time at;
    int value;
};
event_time ns(std::int64_t n) { return event_time{n}; }
struct thrown_by_at {
    event_time operator()(reading const& r) const {
        if (r.value < 0) throw std::runtime_error("no time");
        return r.at;
    }
};
// The watermark of the pipeline is made record by record, so that a batch shows what a stream does.
auto counting(duration bound, duration size, duration lateness) {
    return from<reading>() | assign_time(thrown_by_at{}, bounded_disorder{bound}, as_declared)
        | window(tumbling{size}, allowed_lateness{lateness}) | aggregate(count());
}
auto count_of(std::vector<reading> const& in, duration bound, error_policy policy = on_error::fail) {
    return run(batch{.on_error = policy}, counting(bound, 10_ns, {}), in);
}

using by_member = decltype(assign_time<&reading::at>());
static_assert(operator_on<by_member, reading> && !operator_on<by_member, int>);
static_assert(!operator_on<decltype(assign_time<&reading::value>()), reading>);  // an int is no time
static_assert(operator_on<decltype(assign_time(bounded_disorder{})), event<int>>);
static_assert(!operator_on<decltype(assign_time(bounded_disorder{})), int>);  // there is no time to keep
static_assert(timestamped<by_member::output_t<stream_of<reading>>>);
}  // namespace

TEST_CASE(
    "a record exactly on the disorder bound is in time, one nanosecond further behind is late", "[op][assign_time]") {
    // The second record makes the watermark 20 - 10 = 10: the window [0, 10) has closed, [10, 20) has not.
    auto const on_bound = count_of({{ns(5), 1}, {ns(20), 1}, {ns(10), 1}}, 10_ns);
    CHECK(on_bound.report().refused(reason::late) == 0);
    auto const behind = count_of({{ns(5), 1}, {ns(20), 1}, {ns(9), 1}}, 10_ns);
    CHECK(behind.report().refused(reason::late) == 1);
    // 19 makes it 9, and that does not close it.
    CHECK(count_of({{ns(5), 1}, {ns(19), 1}, {ns(9), 1}}, 10_ns).report().refused(reason::late) == 0);
}

TEST_CASE("without a bound equal times are in time", "[op][assign_time]") {
    CHECK(count_of({{ns(9), 1}, {ns(9), 1}, {ns(10), 1}, {ns(10), 1}}, {}).report().refused(reason::late) == 0);
    CHECK(count_of({{ns(10), 1}, {ns(9), 1}}, {}).report().refused(reason::late) == 1);
}

TEST_CASE("the watermark follows the record that causes it", "[op][assign_time]") {
    // 0 is judged by the watermark before it; -1 by the one after it.
    auto const out = count_of({{ns(0), 1}, {ns(-1), 1}, {ns(100), 1}}, {});
    CHECK(out.report().refused(reason::late) == 1);
    CHECK(out.size() == 2);
}

TEST_CASE("times and bounds at the ends of the scale neither wrap nor stop the watermark", "[op][assign_time]") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
    auto const out = count_of({{ns(least + 1), 1}, {ns(greatest - 1), 1}, {ns(least + 1), 1}}, {});
    CHECK(out.report().refused(reason::late) == 1);
    CHECK(out.size() == 2);
    // The longest bound spans half the scale: greatest - 1 makes the watermark -1.
    CHECK(count_of({{ns(greatest - 1), 1}, {ns(-1), 1}}, duration::max()).report().refused(reason::late) == 0);
    CHECK(count_of({{ns(greatest - 1), 1}, {ns(-11), 1}}, duration::max()).report().refused(reason::late) == 1);
}

TEST_CASE("a time function that throws is subject to on_error", "[op][assign_time]") {
    std::vector<reading> const in{{ns(1), 1}, {ns(50), -1}, {ns(2), 1}};
    auto const skipped = count_of(in, {}, on_error::skip);
    CHECK(skipped.report().failures == 1);
    CHECK(skipped.report().refused(reason::late) == 0);  // the record that was left out moved no watermark
    CHECK(skipped[0].value == 2);
    CHECK_THROWS_AS(count_of(in, {}), error);
}

TEST_CASE("a bound below zero is refused when the job starts", "[op][assign_time]") {
    auto const out = try_run(batch{}, counting(duration{-1}, 10_ns, {}), std::vector<reading>{});
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().code() == error_code::invalid_argument);
}

TEST_CASE("the declared watermark refuses what loops from scratch refuse", "[op][assign_time][oracle]") {
    property("declared watermark", [] {
        auto const bound = *rc::gen::inRange<std::int64_t>(0, 12);
        auto const size = *rc::gen::inRange<std::int64_t>(1, 9);
        auto const lateness = *rc::gen::inRange<std::int64_t>(0, 9);
        auto const times = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-40, 40));

        std::vector<reading> in;
        std::map<std::int64_t, std::int64_t> counts;  // by window end
        std::uint64_t late = 0;
        for (std::size_t i = 0; i < times.size(); ++i) {
            in.push_back({ns(times[i]), 1});
            std::int64_t newest = std::numeric_limits<std::int64_t>::min() / 2;
            for (std::size_t j = 0; j < i; ++j) newest = std::max<std::int64_t>(newest, times[j]);
            std::int64_t end = -1000;
            while (end <= times[i]) ++end;
            while (end % size != 0) ++end;
            if (newest - bound >= end + lateness) ++late;
            else ++counts[end];
        }
        auto const out = run(batch{}, counting(duration{bound}, duration{size}, duration{lateness}), in);
        RC_ASSERT(out.report().refused(reason::late) == late);
        RC_ASSERT(out.report().stage("aggregate")->in() == times.size());
        RC_ASSERT(out.size() == counts.size());
        for (auto const& row : out) RC_ASSERT(counts.at(row.window.end.ns()) == row.value);
    });
}
