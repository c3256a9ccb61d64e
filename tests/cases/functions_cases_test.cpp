// SPDX-License-Identifier: BSL-1.0
// Cases of CASES-2.md about keyed state, timers and duplicates, by id. Each is played as it stands, restored after
// every move, on 1, 2 and 3 shards; and in batch, where the script refused nothing.
#include <cases/timeline.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/sorted_by_time.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/properties.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace function_cases {
using namespace driftless;
using cases::hit;

constexpr duration unit{1};
constexpr event_time at(std::int64_t t) { return event_time{t}; }

/// S-01, S-02: a timer at 10 for each key and window; a record of value -1 takes it back.
struct timer_at_10 {
    struct state {
        event_timer timer;
    };
    void on_record(state& own, hit const& h, auto& context) const {
        if (h.value < 0) context.cancel(own.timer);
        else context.set(own.timer, at(10));
    }
    void on_timer(state&, fired_timer const&, auto& context) const { context.emit(cases::text_of(context.window())); }
};
/// S-04
struct clock_timers {
    struct state {
        clock_timer_set a;
        clock_timer_set b;
    };
    void on_record(state& own, hit const&, auto& context) const {
        for (auto const t : {10, 20, 30}) context.set(own.a, at(t));
        for (auto const t : {10, 20}) context.set(own.b, at(t));
    }
    void on_clock_timer(state& own, fired_timer const& fired, auto& context) const {
        context.emit((fired.is(own.a) ? "a" : "b") + std::to_string(fired.at.ns()) + " left a "
            + std::to_string(own.a.size()) + " b " + std::to_string(own.b.size()));
    }
};
/// S-05
struct reset_timer {
    struct state {
        event_timer timer;
    };
    void on_record(state& own, hit const& h, auto& context) const {
        context.set(own.timer, context.time() + 1'000 * unit);
        context.emit("input" + std::to_string(h.value));
    }
    void on_timer(state&, fired_timer const&, auto& context) const { context.emit("timer"); }
};
/// S-07
struct ping_pong {
    static constexpr auto from = at(1'500'000'000'000);
    static constexpr auto to = from + 100 * unit;
    struct state {
        std::int64_t count = 0;
        event_timer t1;
        event_timer t2;
    };
    void on_record(state& own, hit const&, auto& context) const {
        context.set(own.t1, from);
        context.set(own.t2, to + unit);
    }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        auto const past = ":" + std::to_string((fired.at - from).ns());
        if (fired.is(own.t1)) {
            context.set(own.t2, fired.at);
            context.emit("t1:" + std::to_string(own.count) + past);
            return;
        }
        context.emit("t2:" + std::to_string(own.count) + past);
        if (fired.at >= to) {
            own.count = -1;
            return;
        }
        ++own.count;
        context.set(own.t1, fired.at + unit);
    }
};
/// S-08
struct appending {
    struct state {
        list_state<std::pair<event_time, std::int64_t>> values;
        value_state<event_time> earliest;
        event_timer append;
        event_timer gc;
    };
    static std::string joined(state const& own, event_time up_to, std::size_t& count) {
        std::vector<std::pair<event_time, std::int64_t>> all(own.values.begin(), own.values.end());
        std::sort(all.begin(), all.end());
        std::string out;
        for (auto const& [time, value] : all) {
            if (time > up_to) continue;
            out += (count++ == 0 ? "" : ":") + std::to_string(value);
        }
        return out;
    }
    void on_record(state& own, hit const& h, auto& context) const {
        if (own.values.empty()) context.set(own.gc, ping_pong::from + 101'000 * unit);
        if (!own.earliest || context.time() < *std::as_const(own.earliest)) {
            own.earliest = context.time();
            context.set(own.append, context.time());
        }
        own.values.push_back({context.time(), h.value});
    }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        std::size_t count = 0;
        if (fired.is(own.gc)) {
            context.emit(joined(own, event_time::max(), count) + ":cleanup");
            return context.clear();
        }
        context.emit(joined(own, fired.at, count));
        if (count < 100) context.set(own.append, fired.at + 1'000 * unit);
    }
};
/// S-09
struct timer_loop {
    struct state {
        value_state<std::int64_t> count;
        event_timer timer;
    };
    void on_record(state& own, hit const&, auto& context) const { context.set(own.timer, context.time() + unit); }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        auto const count = own.count.value_or(0);
        context.emit(std::to_string(count));
        own.count = count + 1;
        if (count < 4) context.set(own.timer, fired.at + unit);
    }
};
/// S-10, S-11: a timer at `value` with the output time given.
struct out_of_bounds {
    struct state {
        holding_timer timer;
    };
    event_time output;
    void on_record(state& own, hit const& h, auto& context) const {
        if (output == event_time::max()) context.set(own.timer, at(h.value));
        else context.set(own.timer, at(h.value), output);
    }
    void on_timer(state&, fired_timer const&, auto& context) const {
        context.emit(std::to_string(context.time().ns()));
    }
};
/// S-13
struct on_expiry {
    struct state {
        std::int64_t fired = 0;
        event_timer timer;
    };
    void on_record(state& own, hit const&, auto& context) const { context.set(own.timer, at(1)); }
    void on_timer(state& own, fired_timer const&, auto&) const { ++own.fired; }
    void on_close(state& own, auto& context) const {
        context.emit(cases::text_of(context.window()) + " " + std::to_string(own.fired));
    }
};
/// S-14
struct number {
    std::int64_t value;
};
struct running_join {
    struct state {
        value_state<std::string> so_far;
    };
    void on_record(state& own, number const& h, auto& context) const {
        own.so_far = own.so_far ? *own.so_far + ":" + std::to_string(h.value) : std::to_string(h.value);
        context.emit(*own.so_far);
    }
};
/// S-16
struct sum_for_2 {
    struct state {
        value_state<std::int64_t, time_to_live<2>> sum;
    };
    void on_record(state& own, hit const& h, auto& context) const {
        own.sum = own.sum.value_or(0) + h.value;
        context.emit(std::to_string(*own.sum));
    }
};
/// D2-04: the first or the last of a window by event time, when it closes.
template <bool Last>
struct keep {
    struct state {
        value_state<event_time> kept;
    };
    void on_record(state& own, hit const&, auto& context) const {
        auto const now = context.time();
        auto const kept = own.kept.value_or(now);
        own.kept = Last ? std::max(kept, now) : std::min(kept, now);
    }
    void on_close(state& own, auto& context) const { context.emit(std::to_string(own.kept->ns())); }
};
}  // namespace function_cases
BOOST_HANA_ADAPT_STRUCT(function_cases::number, value);
BOOST_HANA_ADAPT_STRUCT(function_cases::timer_at_10::state, timer);
BOOST_HANA_ADAPT_STRUCT(function_cases::clock_timers::state, a, b);
BOOST_HANA_ADAPT_STRUCT(function_cases::reset_timer::state, timer);
BOOST_HANA_ADAPT_STRUCT(function_cases::ping_pong::state, count, t1, t2);
BOOST_HANA_ADAPT_STRUCT(function_cases::appending::state, values, earliest, append, gc);
BOOST_HANA_ADAPT_STRUCT(function_cases::timer_loop::state, count, timer);
BOOST_HANA_ADAPT_STRUCT(function_cases::out_of_bounds::state, timer);
BOOST_HANA_ADAPT_STRUCT(function_cases::on_expiry::state, fired, timer);
BOOST_HANA_ADAPT_STRUCT(function_cases::running_join::state, so_far);
BOOST_HANA_ADAPT_STRUCT(function_cases::sum_for_2::state, sum);
BOOST_HANA_ADAPT_STRUCT(function_cases::keep<false>::state, kept);
BOOST_HANA_ADAPT_STRUCT(function_cases::keep<true>::state, kept);

namespace {
using namespace driftless;
using namespace driftless::literals;
using cases::end;
using cases::hit;
using cases::hit_at;
using cases::keyed_hits;
using cases::pt;
using cases::wm;
using function_cases::at;
using moves = std::vector<cases::move>;
using lines = std::vector<std::string>;
constexpr std::int64_t T = 1'500'000'000'000;

template <class F, class... Bounds>
constexpr auto strings(F f, Bounds... bounds) {
    return process<std::string>(f, bounds...);
}
std::string line_of(std::int64_t key, std::string const& value) { return std::to_string(key) + " " + value; }
std::string line_of(std::int64_t key, hit const& value) { return line_of(key, std::to_string(value.value)); }

struct outcome {
    lines said;  // "step: key value"
    driftless::report report;
};
template <class P>
outcome play_once(P const& pipeline, moves const& steps, bool restoring, std::size_t threads) {
    testing::script<hit> script;
    for (auto const& each : steps) script.add(each);
    auto const out =
        testing::play_script(testing::play_mode{.threads = threads, .restoring = restoring}, pipeline, script);
    CHECK(out.changed_by_restore == 0);
    outcome made{{}, out.report};
    out.each_call([&](std::size_t step, testing::told, auto const& row) {
        made.said.push_back(std::to_string(step) + ": " + line_of(row.key, row.value));
    });
    return made;
}
template <class P>
outcome play_all(P const& pipeline, moves const& steps) {
    auto const once = play_once(pipeline, steps, false, 1);
#ifdef DRIFTLESS_CRASH_CASES
    auto said = once.said;
    for (auto& each : said) each.erase(0, each.find(' ') + 1);
    faults::crash_case<hit>(pipeline, steps, said, [](auto const& row) { return line_of(row.key, row.value); });
#else
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            INFO("threads " << threads << (restoring ? ", restoring" : ""));
            CHECK(play_once(pipeline, steps, restoring, threads).said == once.said);
        }
    }
#endif
    return once;
}
/// What is said of which keys, in order, without the steps.
lines without_steps(lines said) {
    for (auto& each : said) each.erase(0, each.find(' ') + 1);
    return said;
}
lines sorted(lines said) {
    std::sort(said.begin(), said.end());
    return said;
}
template <class P>
lines batch_of(P const& pipeline, moves const& steps) {
    std::vector<event<hit>> log;
    for (auto const& each : steps) {
        if (each.record) log.push_back(*each.record);
    }
    lines out;
    for (auto const& row : run(batch{}, pipeline, log)) out.push_back(line_of(row.key, row.value));
    return out;
}
template <class P>
void check_batch(P const& pipeline, moves const& steps, outcome const& streamed) {
    CHECK(sorted(batch_of(pipeline, steps)) == sorted(without_steps(streamed.said)));
}
}  // namespace

TEST_CASE("S-01 timers of keys and windows fire once each", "[cases][functions]") {
    auto const p = keyed_hits | window(tumbling{duration{20}}) | strings(function_cases::timer_at_10{});
    moves const steps{hit_at(0, 1, 1), hit_at(20, 1, 1), hit_at(0, 1, 2), hit_at(20, 1, 2), wm(10), wm(11), end()};
    auto const out = play_all(p, steps);
    CHECK(sorted(out.said) == lines{"5: 1 [0,20)", "5: 1 [20,40)", "5: 2 [0,20)", "5: 2 [20,40)"});
    CHECK(out.report.state_bytes == 0);
    check_batch(p, steps, out);
}

TEST_CASE("S-02 timers that are taken back never fire", "[cases][functions]") {
    auto const p = keyed_hits | window(tumbling{duration{20}}) | strings(function_cases::timer_at_10{});
    auto const out = play_all(p,
        {hit_at(0, 1, 1), hit_at(20, 1, 1), hit_at(0, 1, 2), hit_at(20, 1, 2), hit_at(21, -1, 1), hit_at(1, -1, 2),
            wm(11), end()});
    CHECK(sorted(out.said) == lines{"6: 1 [0,20)", "6: 2 [20,40)"});
}

TEST_CASE("S-04 timers of the clock", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::clock_timers{}, unbounded_state{});
    static_assert(!is_replayable<decltype(keyed_hits | strings(function_cases::clock_timers{}, unbounded_state{}))>);
    auto const out = play_all(p, {hit_at(0), pt(9), pt(10), pt(20), pt(30), pt(40)});
    CHECK(out.said
        == lines{"2: 1 a10 left a 2 b 2", "2: 1 b10 left a 2 b 1", "3: 1 a20 left a 1 b 1", "3: 1 b20 left a 1 b 0",
            "4: 1 a30 left a 0 b 0"});
    CHECK(out.report.state_bytes == 0);
    // 10b: in batch they fire once, when the input ends.
    CHECK(batch_of(p, {hit_at(0)}).size() == 5);
}

TEST_CASE("S-05 a named timer that is set again is overwritten", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::reset_timer{});
    moves const steps{wm(0), hit_at(0, 1), hit_at(0, 2), end()};
    auto const out = play_all(p, steps);
    CHECK(out.said == lines{"1: 1 input1", "2: 1 input2", "3: 1 timer"});
    check_batch(p, steps, out);
}

TEST_CASE("S-07 two timers that set each other", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::ping_pong{}, unbounded_state{});
    lines expected;
    for (int e = 0; e <= 100; ++e) {
        auto const past = std::to_string(e) + ":" + std::to_string(e);
        expected.push_back("1 t1:" + past);
        expected.push_back("1 t2:" + past);
    }
    moves const bounded{hit_at(T - 1), end()};
    CHECK(without_steps(play_all(p, bounded).said) == expected);
    CHECK(batch_of(p, bounded) == expected);
    // The watermark moves on by one, by many, past the end.
    CHECK(without_steps(play_all(p, {hit_at(T - 1), wm(T), wm(T + 1), wm(T + 50), wm(T + 101), wm(T + 102)}).said)
        == expected);
    CHECK(without_steps(play_all(p, {hit_at(T - 1), wm(T + 1'000)}).said) == expected);
}

TEST_CASE("S-08 timers fire in order between the records that they lie between", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::appending{}, unbounded_state{});
    lines expected;
    std::string joined;
    for (int i = 0; i < 100; ++i) {
        joined += (i == 0 ? "" : ":") + std::to_string(i);
        expected.push_back("1 " + joined);
    }
    expected.push_back("1 " + joined + ":cleanup");
    moves steps;
    for (int i = 0; i < 100; ++i) {
        steps.push_back(hit_at(T + 1'000 * i, i));
        if (i % 10 == 9) steps.push_back(wm(T + 1'000 * (i + 1)));
    }
    steps.push_back(end());
    CHECK(without_steps(play_all(p, steps).said) == expected);
    CHECK(batch_of(p, steps) == expected);
}

TEST_CASE("S-09 a timer that sets itself again runs to its end when the input ends", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::timer_loop{}, unbounded_state{});
    lines const expected{"1 0", "1 1", "1 2", "1 3", "1 4"};
    CHECK(without_steps(play_all(p, {hit_at(0), end()}).said) == expected);
    CHECK(batch_of(p, {hit_at(0)}) == expected);
}

TEST_CASE("S-10 timers and output times out of bounds are refused at the call", "[cases][functions]") {
    auto const said_of = [](event_time output, std::int64_t timer) {
        auto const p = keyed_hits | window(tumbling{duration{10}}) | strings(function_cases::out_of_bounds{output});
        return play_all(p, {hit_at(3, timer), end()}).said;
    };
    CHECK(said_of(event_time::max(), 9) == lines{"1: 1 9"});
    CHECK_THROWS_WITH(said_of(event_time::max(), 10), Catch::Contains("expiration"));
    CHECK(said_of(at(9), 9) == lines{"1: 1 9"});
    CHECK_THROWS_WITH(said_of(at(10), 9), Catch::Contains("output timestamp"));
}

TEST_CASE("S-11 the output time of a timer is the time of what it emits", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::out_of_bounds{at(8)});
    CHECK(play_all(p, {hit_at(3, 13), wm(13), wm(14)}).said == lines{"2: 1 8"});
    CHECK(play_all(p, {hit_at(3, 13), end()}).said == lines{"1: 1 8"});
    // Until it has fired the watermark behind it does not pass 8.
    auto const count_behind = p | window(tumbling{duration{4}}) | aggregate(count());
    CHECK(cases::play(count_behind, {hit_at(3, 13), wm(12), wm(13), wm(14)}, true, 1).lines
        == lines{"3: 1 [8,12) = 1 on time 0,0 first last"});
}

TEST_CASE("S-13 timers run before the window expires, also those before it began", "[cases][functions]") {
    auto const p = keyed_hits | window(tumbling{duration{10}}) | strings(function_cases::on_expiry{});
    moves const steps{hit_at(3), hit_at(13), wm(10), wm(20), end()};
    auto const out = play_all(p, steps);
    CHECK(out.said == lines{"2: 1 [0,10) 1", "3: 1 [10,20) 1"});
    check_batch(p, steps, out);
}

TEST_CASE("S-14 behind a sort a function takes its input by time", "[cases][functions]") {
    auto const p = keyed_hits | map([](hit const& h) { return function_cases::number{h.value}; }) | sorted_by_time()
        | strings(function_cases::running_join{}, unbounded_state{});
    moves const steps{hit_at(2, 1), hit_at(1, 2), hit_at(0, 3), end()};
    CHECK(without_steps(play_all(p, steps).said) == lines{"1 3", "1 3:2", "1 3:2:1"});
    CHECK(batch_of(p, steps) == lines{"1 3", "1 3:2", "1 3:2:1"});
}

TEST_CASE("S-16 state with a time to live of 2", "[cases][functions]") {
    auto const p = keyed_hits | strings(function_cases::sum_for_2{});
    auto const values = [&](moves const& steps) { return without_steps(play_all(p, steps).said); };
    // Keys a = 1 and b = 2.
    CHECK(values({hit_at(0, 1, 1), hit_at(1, 2, 2), wm(3), hit_at(3, 3, 1), wm(4), hit_at(4, 4, 2)})
        == lines{"1 1", "2 2", "1 3", "2 4"});
    CHECK(values({hit_at(1, 1, 2), wm(2), hit_at(2, 2, 2)}) == lines{"2 1", "2 3"});
    // Jet keeps b, whose time is up at 1 + 2 = 3, for that very watermark, and says 6; here state goes at equality.
    CHECK(values({hit_at(0, 1, 1), hit_at(1, 2, 2), wm(3), hit_at(3, 3, 1), hit_at(3, 4, 2)})
        == lines{"1 1", "2 2", "1 3", "2 4"});
}

TEST_CASE("D2-01 what is filtered out upstream does not count as seen", "[cases][functions]") {
    auto const p = keyed_hits | filter([](hit const& h) { return h.key != 2 || h.value != 2; })
        | dedup<&hit::key>(unbounded_state{});
    moves const steps{hit_at(0, 1, 1), hit_at(1, 2, 2), hit_at(2, 7, 1), wm(3), hit_at(3, 9, 3), hit_at(4, 5, 2),
        hit_at(5, 20, 1), end()};
    auto const out = play_all(p, steps);
    CHECK(out.said == lines{"0: 1 1", "4: 3 9", "5: 2 5"});
    check_batch(p, steps, out);
}

TEST_CASE("D2-02 the first row of each id, across a restore", "[cases][functions]") {
    auto const rows = [](duration ttl) {
        auto const p = keyed_hits | dedup<&hit::key>(ttl);
        moves const steps{hit_at(99, 13, 1), hit_at(99, 13, 1), hit_at(100, 12, 1), hit_at(101, 11, 2), wm(103),
            testing::snapshot_and_restore{}, hit_at(300, 12, 1), hit_at(301, 11, 2), hit_at(299, 5, 3), wm(303)};
        auto const out = play_all(p, steps);
        check_batch(p, steps, out);
        return out.said;
    };
    CHECK(rows(202_ns) == lines{"0: 1 13", "3: 2 11", "8: 3 5"});
    CHECK(rows(200_ns) == lines{"0: 1 13", "3: 2 11", "6: 1 12", "7: 2 11", "8: 3 5"});
}

TEST_CASE("D2-04 the first and the last row of a key in a window", "[cases][functions]") {
    moves const steps{hit_at(1, 1, 2), hit_at(4, 1, 2), hit_at(5, 1, 2), hit_at(3, 1, 2), hit_at(1002, 1, 2),
        hit_at(3007, 1, 2), hit_at(3008, 1, 2), hit_at(3001, 1, 2), hit_at(2), hit_at(1), hit_at(3), hit_at(3),
        hit_at(1004), hit_at(1006), hit_at(1007), wm(1000), wm(2000), testing::snapshot_and_restore{}, wm(4000),
        hit_at(3001, 1, 2), wm(5000)};
    auto const windows = keyed_hits | window(tumbling{duration{1000}});
    auto const first = play_all(windows | strings(function_cases::keep<false>{}), steps);
    CHECK(sorted(first.said) == lines{"15: 1 1", "15: 2 1", "16: 1 1004", "16: 2 1002", "18: 2 3001"});
    CHECK(first.report.refused(reason::late) == 1);
    auto const last = play_all(windows | strings(function_cases::keep<true>{}), steps);
    CHECK(sorted(last.said) == lines{"15: 1 3", "15: 2 5", "16: 1 1007", "16: 2 1002", "18: 2 3008"});
    CHECK(last.report.refused(reason::late) == 1);
}
