// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/align.hpp>

#include <driftless/log/memory_log.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

using namespace driftless;
using namespace driftless::literals;

namespace align_test {
struct reading {
    std::int64_t sensor;
    std::int64_t second;
};
}  // namespace align_test
BOOST_HANA_ADAPT_STRUCT(align_test::reading, sensor, second);

namespace {
using align_test::reading;
using log_t = memory_log<reading>;

/// No member says the time, so that inputs are merged by when they were appended.
constexpr auto time_of = [](reading const& r) { return event_time::from_ms(1000 * r.second); };
constexpr auto free_left = from<reading>("left"_name) | assign_time(time_of);
constexpr auto free_right = from<reading>("right"_name) | assign_time(time_of);
constexpr auto aligned(auto name, duration drift) {
    return from<reading>(name) | assign_time(time_of, bounded_disorder{0_s}, align(drift));
}

event_time now{};
event_time clock_now() { return now; }

/// Each second that came out, in order.
struct seconds_sink {
    std::string said;
    void write(pane<unkeyed, reading> const& row) { said += std::to_string(row.value.second) + ' '; }
};
/// Records appended at least a tick of the system's clock apart, so that all of `first` are older than all of `then`.
void fill(log_t& log, std::initializer_list<std::int64_t> seconds, std::uint32_t partition = 0) {
    for (auto const each : seconds) log.append(reading{1, each}, partition);
}
std::string order_of(auto const& pipeline, log_t& left, log_t& right) {
    seconds_sink batched;
    run(batch{}, pipeline, bind("left"_name, left), bind("right"_name, right), batched);
    seconds_sink streamed;
    run(stream{.until = drained}, pipeline, bind("left"_name, left), bind("right"_name, right), streamed);
    CHECK(streamed.said == batched.said);
    return batched.said;
}

/// The most bytes that a join of two logs holds, one of them full before the other begins, and what it yields.
struct skewed {
    std::size_t peak = 0;
    std::int64_t pairs = 0;
    std::int64_t checksum = 0;
};
template <class P>
skewed join_skewed(P const& pipeline, std::int64_t records) {
    log_t left;
    log_t right;
    for (std::int64_t i = 0; i < records; ++i) left.append(reading{i % 7, i});
    for (std::int64_t i = 0; i < records; ++i) right.append(reading{i % 7, i});
    skewed out;
    auto sink = to([&](auto const& row) {
        ++out.pairs;
        out.checksum += row.value.left.second * 3 + row.value.right.second;
    });
    job running{stream{}, pipeline, bind("left"_name, left), bind("right"_name, right), sink};
    while (running.poll(97) != 0) out.peak = std::max(out.peak, std::size_t{running.metrics().state_bytes});
    running.drain();
    return out;
}
constexpr auto joined_by_sensor(auto left, auto right) {
    return join(left | key_by<&reading::sensor>(), right | key_by<&reading::sensor>(), interval{-7_s, 7_s});
}
}  // namespace

TEST_CASE("align holds an input back that is ahead of the slowest by more than the drift", "[op][align]") {
    log_t left;
    log_t right;
    fill(left, {10, 11, 12, 13, 20});
    fill(right, {0, 1, 2, 3, 9});
    // By append time alone, the left log comes first.
    CHECK(order_of(merge(free_left, free_right), left, right) == "10 11 12 13 20 0 1 2 3 9 ");
    // Exactly on the bound it is read: 11 when 1 has come, for 10 is 9 ahead of it. 20 ahead of 9, alone: it goes on.
    CHECK(order_of(merge(aligned("left"_name, 9_s), aligned("right"_name, 9_s)), left, right)
        == "10 0 1 11 2 12 3 13 9 20 ");
    // Only who says so is held back, or holds others back.
    CHECK(order_of(merge(aligned("left"_name, 9_s), free_right), left, right) == "10 11 12 13 20 0 1 2 3 9 ");
    CHECK(order_of(merge(free_left, aligned("right"_name, 9_s)), left, right) == "10 11 12 13 20 0 1 2 3 9 ");
    // Each by its own drift.
    CHECK(order_of(merge(aligned("left"_name, 1_h), aligned("right"_name, 0_s)), left, right)
        == "10 0 11 12 13 20 1 2 3 9 ");
}

TEST_CASE("align of no drift reads whoever is behind", "[op][align]") {
    log_t left;
    log_t right;
    fill(left, {1, 3, 5, 7});
    fill(right, {2, 4, 6, 8});
    CHECK(order_of(merge(aligned("left"_name, 0_s), aligned("right"_name, 0_s)), left, right) == "1 2 3 4 5 6 7 8 ");
}

TEST_CASE("align behind a merge, and of the partitions of one input", "[op][align]") {
    log_t left;
    log_t right;
    fill(left, {10, 11, 12});
    fill(right, {0, 2});
    auto const behind = merge(from<reading>("left"_name), from<reading>("right"_name))
        | assign_time(time_of, bounded_disorder{20_s}, align(8_s));
    CHECK(order_of(behind, left, right) == "10 0 2 11 12 ");

    log_t two{2};
    fill(two, {10, 11, 12}, 0);
    fill(two, {0, 2, 20}, 1);
    seconds_sink out;
    run(batch{}, from<reading>() | assign_time(time_of, bounded_disorder{0_s}, align(8_s)), two, out);
    CHECK(out.said == "10 0 2 11 20 12 ");
}

TEST_CASE("align changes nothing where inputs are merged by event time", "[op][align]") {
    memory_log<event<reading>> left;
    memory_log<event<reading>> right;
    for (std::int64_t const s : {9, 1}) left.append({{1, s}, event_time::from_ms(1000 * s)});
    for (std::int64_t const s : {2, 3, 4}) right.append({{1, s}, event_time::from_ms(1000 * s)});
    auto const side = [](auto name) {
        return from<event<reading>>(name) | assign_time(bounded_disorder{8_s}, align(0_s));
    };
    seconds_sink out;
    run(batch{}, merge(side("left"_name), side("right"_name)), bind("left"_name, left), bind("right"_name, right), out);
    CHECK(out.said == "2 3 4 9 1 ");
}

TEST_CASE("align keeps a join of skewed inputs in bounded memory", "[op][align]") {
    constexpr std::int64_t records = 20'000;
    auto const free = join_skewed(joined_by_sensor(free_left, free_right), records);
    auto const kept =
        join_skewed(joined_by_sensor(aligned("left"_name, 60_s), aligned("right"_name, 60_s)), records);
    auto const half = join_skewed(
        joined_by_sensor(aligned("left"_name, 60_s), aligned("right"_name, 60_s)), records / 2);
    CHECK(kept.pairs == 3 * records - 14);
    CHECK(free.pairs == kept.pairs);
    CHECK(free.checksum == kept.checksum);
    // All of the left log against what lies within 60 s + the interval, whatever the length of the logs.
    CHECK(free.peak > records * sizeof(reading));
    CHECK(kept.peak < 32 * 1024);
    CHECK(kept.peak == half.peak);
}

TEST_CASE("align waits for nobody who is idle or has ended", "[op][align]") {
    auto const pipe = merge(aligned("left"_name, 1_s), aligned("right"_name, 1_s));
    log_t left;
    log_t right;
    fill(left, {10, 20, 30});
    fill(right, {0});
    seconds_sink out;
    now = event_time::from_ms(0);
    job running{stream{.clock = clock_now, .idle_after = 5_s}, pipe, bind("left"_name, left),
        bind("right"_name, right), out};
    running.poll(100);
    CHECK(out.said == "10 0 ");  // the merge waits for the right log, whose next record may come first
    now = event_time::from_ms(6000);
    running.poll(100);
    running.poll(100);
    CHECK(out.said == "10 0 20 30 ");
    // It is back, and the slowest by far.
    fill(right, {1, 2});
    fill(left, {31});
    running.poll(100);
    CHECK(out.said == "10 0 20 30 1 2 ");
    running.drain();
    CHECK(out.said == "10 0 20 30 1 2 31 ");
}

TEST_CASE("align says what it is, and refuses a drift < 0 when the job starts", "[op][align]") {
    CHECK_THAT(explain(aligned("left"_name, 1_min)), Catch::Contains("max_drift=1min"));
    log_t log;
    seconds_sink out;
    CHECK_THROWS_WITH(run(batch{}, aligned("left"_name, duration{-1}), bind("left"_name, log), out),
        Catch::Contains("align needs a max_drift >= 0, not -1 ns"));
}
