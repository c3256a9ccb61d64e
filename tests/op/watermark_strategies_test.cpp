// SPDX-License-Identifier: BSL-1.0
// The strategies of assign_time: what each makes of the records that it sees, to the nanosecond.
#include <driftless/time/clock_driven.hpp>
#include <driftless/time/frames.hpp>
#include <driftless/time/punctuated.hpp>
#include <driftless/time/quantile_disorder.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/job.hpp>
#include <boost/hana/adapt_struct.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace watermark_strategies_test {
struct tick {
    event_time at{};
    event_time mark = event_time::min();
};
}  // namespace watermark_strategies_test
BOOST_HANA_ADAPT_STRUCT(watermark_strategies_test::tick, at, mark);
using watermark_strategies_test::tick;

namespace {
event_time ns(std::int64_t n) { return event_time{n}; }
constexpr auto none = [](auto const&) {};

/// What follows assign_time hears, of records with these times, in a batch that makes the declared watermark.
std::string heard(auto strategy, std::vector<tick> const& in, error_policy policy = on_error::fail) {
    std::string out;
    run(batch{.on_error = policy},
        from<tick>() | assign_time<&tick::at>(strategy, as_declared) | said::listener{out}, in, to(none));
    return out;
}
std::vector<tick> at_times(std::initializer_list<std::int64_t> times) {
    std::vector<tick> out;
    for (auto const t : times) out.push_back({ns(t)});
    return out;
}
template <class S>
auto with_strategy(S strategy) {
    return from<tick>() | assign_time<&tick::at>(strategy) | window(tumbling{10_ns}) | aggregate(count());
}
void refuses(auto strategy) {
    auto const out = try_run(batch{}, with_strategy(strategy), std::vector<tick>{});
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().code() == error_code::invalid_argument);
}

static_assert(is_replayable<decltype(with_strategy(monotone{}))>);
static_assert(!is_replayable<decltype(with_strategy(clock_driven{1_s}))>);
static_assert(!operator_on<decltype(assign_time<&tick::at>(clock_driven{}, as_declared)), tick>);
static_assert(operator_on<decltype(assign_time<&tick::at>(punctuated<&tick::mark>())), tick>);
struct number {
    event_time at;
    int value;
};
static_assert(!operator_on<decltype(assign_time<&number::at>(punctuated<&number::value>())), number>);
}  // namespace

TEST_CASE("a monotone input promises its newest time", "[op][watermark]") {
    CHECK(heard(monotone{}, at_times({3, 5, 4, 5, 7})) == "3 wm 3 5 wm 5 4 5 7 wm 7 wm inf");
    CHECK(heard(monotone{}, at_times({3, 5, 4})) == heard(bounded_disorder{}, at_times({3, 5, 4})));
}

TEST_CASE("a punctuated input promises what its records say, behind them, and never less", "[op][watermark]") {
    std::vector<tick> const in{{ns(1)}, {ns(9), ns(4)}, {ns(5)}, {ns(6), ns(3)}, {ns(7), ns(7)}, {ns(8)}};
    CHECK(heard(punctuated<&tick::mark>(), in) == "1 9 wm 4 5 6 7 wm 7 8 wm inf");
    CHECK(heard(punctuated(&tick::mark), in) == heard(punctuated<&tick::mark>(), in));
    auto const sometimes = [](tick const& t) noexcept {
        return t.mark == event_time::min() ? std::optional<event_time>{} : std::optional{t.mark};
    };
    CHECK(heard(punctuated(sometimes), in) == heard(punctuated<&tick::mark>(), in));
}

TEST_CASE("+inf as punctuation says nothing: it is the end of the input alone", "[op][watermark]") {
    CHECK(heard(punctuated<&tick::mark>(), {{ns(1), event_time::max()}, {ns(2), ns(2)}}) == "1 2 wm 2 wm inf");
}

TEST_CASE("a punctuation that throws leaves its record out and moves nothing", "[op][watermark]") {
    auto const mark = [](tick const& t) {
        if (t.mark == ns(0)) throw std::runtime_error("no mark");
        return t.mark;
    };
    std::vector<tick> const in{{ns(1), ns(1)}, {ns(2), ns(0)}, {ns(3), ns(3)}};
    CHECK(heard(punctuated(mark), in, on_error::skip) == "1 wm 1 3 wm 3 wm inf");
    CHECK_THROWS_AS(heard(punctuated(mark), in), error);
}

TEST_CASE("in frames the watermark is rounded down to multiples, before the epoch too", "[op][watermark]") {
    CHECK(heard(in_frames{monotone{}, 5_ns}, at_times({-7, -5, -1, 0, 4, 5, 11}))
        == "-7 wm -10 -5 wm -5 -1 0 wm 0 4 5 wm 5 11 wm 10 wm inf");
    CHECK(heard(in_frames{bounded_disorder{3_ns}, 1_ns}, at_times({1, 5, 2, 9}))
        == heard(bounded_disorder{3_ns}, at_times({1, 5, 2, 9})));
    CHECK(heard(in_frames{punctuated<&tick::mark>(), 4_ns}, {{ns(9), ns(7)}, {ns(9), ns(9)}})
        == "9 wm 4 9 wm 8 wm inf");
}

TEST_CASE("in frames: the least progress that reaches a watermark", "[op][watermark]") {
    in_frames const frames{bounded_disorder{3_ns}, 5_ns};
    for (std::int64_t w = -12; w <= 12; ++w) {
        auto const progress = frames.reached_at(ns(w));
        CHECK(frames.watermark_at(progress) >= ns(w));
        CHECK(frames.watermark_at(progress - 1_ns) < ns(w));
    }
}

TEST_CASE("the bound of a quantile is what that many of the last records were behind", "[op][watermark]") {
    // Behind the newest before them: 0 0 2 0 | 1 0 0 6 ...; half of four is the second smallest.
    quantile_disorder const half{.per_mille = 500, .of_last = 4, .at_most = 100_ns};
    CHECK(heard(half, at_times({10, 20, 18, 30})) == "10 wm -90 20 wm -80 18 30 wm 30 wm inf");
    quantile_disorder const whole{.per_mille = 1000, .of_last = 4, .at_most = 100_ns};
    CHECK(heard(whole, at_times({10, 20, 18, 30, 40})) == "10 wm -90 20 wm -80 18 30 wm 28 40 wm 38 wm inf");
    // A bound that grows holds the watermark; it is looked at anew after each record here (8 / 8).
    CHECK(heard(whole, at_times({10, 20, 18, 30, 25, 31, 34})).ends_with("30 wm 28 25 31 34 wm 29 wm inf"));
}

TEST_CASE("the bound of a quantile is at most what the type of state is sized for", "[op][watermark]") {
    quantile_disorder const whole{.per_mille = 1000, .of_last = 2, .at_most = 3_ns};
    CHECK(heard(whole, at_times({10, 1, 11})) == "10 wm 7 1 11 wm 8 wm inf");
}

TEST_CASE("parameters of strategies out of range are refused when the job starts", "[op][watermark]") {
    refuses(clock_driven{duration{-1}});
    refuses(in_frames{monotone{}, 0_ns});
    refuses(in_frames{bounded_disorder{duration{-1}}, 1_ns});
    refuses(quantile_disorder{});
    refuses(quantile_disorder{.per_mille = 0, .at_most = 1_s});
    refuses(quantile_disorder{.per_mille = 1001, .at_most = 1_s});
    refuses(quantile_disorder{.of_last = 0, .at_most = 1_s});
    CHECK_NOTHROW(run(batch{}, with_strategy(quantile_disorder{.at_most = 1_s}), std::vector<tick>{}));
}

TEST_CASE("fingerprints and plans tell strategies and their parameters apart", "[op][watermark]") {
    std::vector<std::uint64_t> const all{fingerprint(with_strategy(monotone{})),
        fingerprint(with_strategy(bounded_disorder{})), fingerprint(with_strategy(punctuated<&tick::mark>())),
        fingerprint(with_strategy(punctuated<&tick::at>())), fingerprint(with_strategy(in_frames{monotone{}, 1_s})),
        fingerprint(with_strategy(in_frames{monotone{}, 2_s})), fingerprint(with_strategy(clock_driven{})),
        fingerprint(with_strategy(clock_driven{1_s})),
        fingerprint(with_strategy(quantile_disorder{.at_most = 1_s})),
        fingerprint(with_strategy(quantile_disorder{.per_mille = 999, .at_most = 1_s})),
        fingerprint(with_strategy(quantile_disorder{.of_last = 10, .at_most = 1_s}))};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            CAPTURE(i, k);
            CHECK(all[i] != all[k]);
        }
    }
    CHECK(explain(with_strategy(punctuated<&tick::mark>())).find("punctuated") != std::string::npos);
}

namespace {
std::atomic<std::int64_t> now{0};
event_time clock_of_the_test() { return event_time{now.load()}; }
}  // namespace

TEST_CASE("a clock-driven watermark follows the clock of the job, also while nothing arrives", "[op][watermark]") {
    std::string out;
    memory_log<tick> log;
    auto const pipeline = from<tick>() | assign_time<&tick::at>(clock_driven{10_ns}) | said::listener{out};
    auto sink = to(none);
    now = 100;
    job running{stream{.clock = clock_of_the_test}, pipeline, log, sink};
    log.append(tick{ns(500)});
    running.poll();
    CHECK(out == "clock 100 wm 90 500");  // records move nothing
    now = 105;
    running.poll();
    now = 104;  // a clock that goes back does not take the watermark along
    running.poll();
    CHECK(out == "clock 100 wm 90 500 clock 105 wm 95 clock 104");
    auto const state = running.snapshot();
    out.clear();
    job again{stream{.clock = clock_of_the_test}, pipeline, log, sink};
    again.restore(state);
    again.poll();
    now = 106;
    again.poll();
    CHECK(out == "clock 104 clock 106 wm 96");
    again.drain();
    CHECK(out == "clock 104 clock 106 wm 96 clock 106 wm inf");
}

TEST_CASE("a clock-driven watermark refuses what comes when its window has closed", "[op][watermark]") {
    memory_log<tick> log;
    now = 5;
    job running{stream{.clock = clock_of_the_test}, with_strategy(clock_driven{}), log};
    log.append(tick{ns(3)});
    running.poll();
    now = 10;  // exactly: [0, 10) fires and closes
    running.poll();
    log.append(at_times({9, 10}), 0);
    running.poll();
    running.drain();
    auto const out = running.take_results();
    REQUIRE(out.size() == 2);
    CHECK(out[0].value == 1);
    CHECK(out.report().refused(reason::late) == 1);
    // A batch has no clock and refuses nothing.
    CHECK(run(batch{}, with_strategy(clock_driven{}), log).report().refused(reason::late) == 0);
}
