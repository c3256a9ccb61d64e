// SPDX-License-Identifier: BSL-1.0
// Guards against event times in the future.
#include <driftless/op/at_most_ahead.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/job.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace at_most_ahead_test {
struct tick {
    event_time at{};
    event_time received = event_time::min();
};
}  // namespace at_most_ahead_test
BOOST_HANA_ADAPT_STRUCT(at_most_ahead_test::tick, at, received);
using at_most_ahead_test::tick;

namespace {
event_time ns(std::int64_t n) { return event_time{n}; }
std::vector<tick> at_times(std::initializer_list<std::int64_t> times) {
    std::vector<tick> out;
    for (auto const t : times) out.push_back({ns(t)});
    return out;
}
constexpr auto none = [](auto const&) {};
struct times {
    std::string text{};
    void write_record(tick const& t) { (text += text.empty() ? "" : " ") += std::to_string(t.at.ns()); }
    void write(pane<unkeyed, tick> const& row) { write_record(row.value); }
};
template <class Guard>
auto guarded_pipeline(Guard guard, std::string& out) {
    return from<tick>() | assign_time<&tick::at>(monotone{}, as_declared, guard, divert_to{"insane"_name})
        | said::listener{out};
}
/// What is taken and the watermarks it makes, then what is refused: "10 wm 10 | 99".
std::string heard(auto guard, std::vector<tick> const& in, error_policy policy = on_error::fail) {
    std::string out;
    times insane;
    auto const books = run(batch{.on_error = policy}, guarded_pipeline(guard, out), in, to(none),
        bind("insane"_name, insane));
    auto const* const own = books.stage("assign_time");
    REQUIRE(own != nullptr);
    CHECK(own->in() == in.size());
    CHECK(books.refused(reason::ahead) == own->refusals(reason::ahead));
    CHECK(books.str().find("refused as ahead") != (insane.text.empty() ? 0 : std::string::npos));
    return out + " | " + insane.text;
}

using guarded_op = decltype(assign_time<&tick::at>(monotone{}, at_most_ahead{1_s}));
static_assert(operator_on<guarded_op, tick>);
static_assert(guarded_op::replayable && guarded_op::sees_order);
using by_received = decltype(assign_time<&tick::at>(monotone{}, at_most_ahead_of<&tick::received>(1_s)));
static_assert(by_received::replayable && !by_received::sees_order);
static_assert(!decltype(assign_time<&tick::at>(monotone{}, at_most_ahead_of_clock{1_s}))::replayable);
struct number {
    event_time at;
    int value;
};
using by_number = decltype(assign_time<&number::at>(monotone{}, at_most_ahead_of<&number::value>(1_s)));
static_assert(!operator_on<by_number, number>);
static_assert(!operator_on<decltype(assign_time<&tick::at>(monotone{}, divert_to{"insane"_name})), tick>);
}  // namespace

TEST_CASE("a record exactly on the bound is taken, one nanosecond further ahead is refused", "[op][at_most_ahead]") {
    CHECK(heard(at_most_ahead{10_ns}, at_times({5, 15, 26, 25})) == "5 wm 5 15 wm 15 25 wm 25 wm inf | 26");
}

TEST_CASE("what is refused moves neither the watermark nor the newest time", "[op][at_most_ahead]") {
    CHECK(heard(at_most_ahead{10_ns}, at_times({0, 50, 20, 10, 60, 20}))
        == "0 wm 0 10 wm 10 20 wm 20 wm inf | 50 20 60");
}

TEST_CASE("the first record of a partition is taken as it is", "[op][at_most_ahead]") {
    CHECK(heard(at_most_ahead{10_ns}, at_times({1000, 5, 1010})) == "1000 wm 1000 5 1010 wm 1010 wm inf | ");
}

TEST_CASE("bounds and times at the ends of the scale neither wrap nor let +inf in", "[op][at_most_ahead]") {
    auto const inf = event_time::max();
    CHECK(heard(at_most_ahead{duration::max()}, {{ns(1)}, {ns(INT64_MAX - 1)}})
        == "1 wm 1 9223372036854775806 wm 9223372036854775806 wm inf | ");
    CHECK(heard(at_most_ahead{10_ns, 1}, {{inf}, {ns(1)}, {inf}, {ns(2)}})
        == "1 wm 1 2 wm 2 wm inf | 9223372036854775807 9223372036854775807");
}

TEST_CASE("so many in a row that agree are believed", "[op][at_most_ahead]") {
    // 100, 105 and 102 are within 10 of the one before; the third is taken, and what follows is measured from it.
    CHECK(heard(at_most_ahead{10_ns, 3}, at_times({0, 100, 105, 102, 112, 113}))
        == "0 wm 0 102 wm 102 112 wm 112 113 wm 113 wm inf | 100 105");
    // One in between that is taken, or one that does not agree, begins the count anew.
    CHECK(heard(at_most_ahead{10_ns, 3}, at_times({0, 100, 105, 1, 102, 103}))
        == "0 wm 0 1 wm 1 wm inf | 100 105 102 103");
    CHECK(heard(at_most_ahead{10_ns, 3}, at_times({0, 100, 111, 121, 110})) == "0 wm 0 wm inf | 100 111 121 110");
    CHECK(heard(at_most_ahead{10_ns, 3}, at_times({0, 100, 110, 120})) == "0 wm 0 120 wm 120 wm inf | 100 110");
    CHECK(heard(at_most_ahead{10_ns, 1}, at_times({0, 100, 7})) == "0 wm 0 100 wm 100 7 wm inf | ");
}

TEST_CASE("ahead of another time of the record", "[op][at_most_ahead]") {
    std::vector<tick> const in{{ns(10), ns(0)}, {ns(11), ns(0)}, {ns(500), event_time::min()}, {ns(5), ns(20)},
        {ns(40), ns(30)}};
    std::string const expected = "10 wm 10 500 wm 500 5 40 wm inf | 11";
    CHECK(heard(at_most_ahead_of<&tick::received>(10_ns), in) == expected);
    CHECK(heard(at_most_ahead_of(&tick::received, 10_ns), in) == expected);
    CHECK(heard(at_most_ahead_of([](tick const& t) { return t.received; }, 10_ns), in) == expected);
}

TEST_CASE("a guard whose function throws is subject to on_error", "[op][at_most_ahead]") {
    auto const received = [](tick const& t) {
        if (t.at == ns(2)) throw std::runtime_error("not known");
        return event_time::min();
    };
    CHECK(heard(at_most_ahead_of(received, 1_s), at_times({1, 2, 3}), on_error::skip)
        == "1 wm 1 3 wm 3 wm inf | ");
    CHECK_THROWS_AS(heard(at_most_ahead_of(received, 1_s), at_times({1, 2, 3})), error);
}

TEST_CASE("a guard below zero is refused when the job starts", "[op][at_most_ahead]") {
    std::string out;
    times insane;
    auto const bad = guarded_pipeline(at_most_ahead{duration{-1}}, out);
    auto const made = try_run(batch{}, bad, std::vector<tick>{}, to(none),
        bind("insane"_name, insane));
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code() == error_code::invalid_argument);
}

TEST_CASE("without divert_to what is refused is counted", "[op][at_most_ahead]") {
    auto const counts = from<tick>() | assign_time<&tick::at>(bounded_disorder{5_ns}, at_most_ahead{10_ns})
        | window(tumbling{10_ns}) | aggregate(count());
    // In batch, without as_declared, as well: nothing is late there, and the same records are refused.
    auto const all = run(batch{}, counts, at_times({3, 12, 90, 4, 15}));
    CHECK(all.report().refused(reason::ahead) == 1);
    REQUIRE(all.size() == 2);
    CHECK(all[0].value == 2);
    memory_log<tick> log;
    log.append(at_times({3, 12, 90, 4, 15}), 0);
    auto const same = run(stream{.until = drained}, counts, log);
    CHECK(same.report().refused(reason::ahead) == 1);
    CHECK(same.size() == 2);
}

TEST_CASE("a record from the future does not hold its partition, or the others, until then", "[op][at_most_ahead]") {
    auto const merged = [](auto... guard) {
        std::string out;
        memory_log<tick> log{2};
        auto const p = from<tick>() | assign_time<&tick::at>(monotone{}, guard...) | said::listener{out};
        auto sink = to(none);
        job running{stream{}, p, log, sink};
        log.append(at_times({1, 1'000'000, 3, 5}), 0);
        log.append(at_times({2, 4, 6}), 1);
        running.poll();
        return out;
    };
    CHECK(merged() == "1 2 wm 1 4 6");
    CHECK(merged(at_most_ahead{100_ns}) == "1 2 wm 1 3 wm 2 4 wm 3 5 wm 4");
}

TEST_CASE("the guard of an input is found through a merge of two", "[op][at_most_ahead]") {
    std::string out;
    std::vector<tick> const left = at_times({1, 1'000'000, 3, 5});
    std::vector<tick> const right = at_times({2, 4, 6});
    auto const p = merge(from<tick>("left"_name) | filter([](tick const&) { return true; }), from<tick>("right"_name))
        | assign_time<&tick::at>(monotone{}, as_declared, at_most_ahead{100_ns}) | said::listener{out};
    run(batch{}, p, bind("left"_name, left), bind("right"_name, right), to(none));
    CHECK(out == "1 wm 1 2 wm 2 3 wm 3 4 wm 4 5 wm 5 6 wm 6 wm inf");
}

namespace {
std::atomic<std::int64_t> now{0};
event_time clock_of_the_test() { return event_time{now.load()}; }
}  // namespace

TEST_CASE("ahead of the clock of the job, as it was before the poll; in batch there is none", "[op][at_most_ahead]") {
    std::string out;
    times insane;
    memory_log<tick> log;
    auto const p = from<tick>()
        | assign_time<&tick::at>(monotone{}, at_most_ahead_of_clock{10_ns}, divert_to{"insane"_name})
        | said::listener{out};
    auto sink = to(none);
    now = 100;
    job running{stream{.clock = clock_of_the_test}, p, log, sink, bind("insane"_name, insane)};
    log.append(at_times({111, 110}), 0);
    running.poll();
    now = 101;
    log.append(at_times({111}), 0);
    running.poll();
    CHECK(out == "clock 100 110 wm 110 clock 101 111 wm 111");
    CHECK(insane.text == "111");
    CHECK(run(batch{}, p, log, to(none), bind("insane"_name, insane)).refused(reason::ahead) == 0);
}

TEST_CASE("what was refused, and from where it is measured, is part of the snapshot", "[op][at_most_ahead]") {
    std::string out;
    memory_log<tick> log;
    auto const p = from<tick>() | assign_time<&tick::at>(monotone{}, at_most_ahead{10_ns, 4}) | said::listener{out};
    auto sink = to(none);
    job running{stream{}, p, log, sink};
    log.append(at_times({1, 50, 51}), 0);
    running.poll();
    job again{stream{}, p, log, sink};
    again.restore(running.snapshot());
    CHECK(again.metrics().refused(reason::ahead) == 2);
    log.append(at_times({52, 53}), 0);
    again.poll();
    CHECK(out == "1 wm 1 53 wm 53");
    CHECK(again.metrics().stage("assign_time")->in() == 5);
}

TEST_CASE("fingerprints tell guards apart", "[op][at_most_ahead]") {
    auto const of = [](auto... options) {
        return fingerprint(from<tick>() | assign_time<&tick::at>(monotone{}, options...));
    };
    std::vector<std::uint64_t> const all{of(), of(at_most_ahead{1_s}), of(at_most_ahead{2_s}),
        of(at_most_ahead{1_s, 5}),
        of(at_most_ahead_of<&tick::received>(1_s)), of(at_most_ahead_of<&tick::at>(1_s)),
        of(at_most_ahead_of_clock{1_s}), of(at_most_ahead{1_s}, divert_to{"insane"_name})};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            CAPTURE(i, k);
            CHECK(all[i] != all[k]);
        }
    }
}
