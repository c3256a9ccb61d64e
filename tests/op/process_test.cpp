// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/process.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/state/map_state.hpp>
#include <driftless/testing/explore.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace process_test {
using namespace driftless;
using namespace driftless::literals;

struct visit {
    std::int64_t user;
    std::string page;
    event_time at{};
};

/// The pages of a user, each state with a time to live of its own.
struct pages {
    struct state {
        value_state<std::string, time_to_live<(2_s).ns()>> last;
        list_state<std::string, time_to_live<(4_s).ns()>> all;
        map_state<std::string, int, time_to_live<(6_s).ns()>> counts;
        reducing_state<std::int64_t, std::plus<>, time_to_live<(8_s).ns()>> n;
    };
    void on_record(state& own, visit const& v, auto& context) const {
        std::string said = own.last.value_or("-") + "|";
        for (auto const& each : own.all) said += each;
        said += "|";
        for (auto const& [page, count] : own.counts) said += page + std::to_string(count);
        said += "|" + std::to_string(own.n.value_or(0));
        context.emit(said);
        if (v.page == "look") return;
        own.last = v.page;
        own.all.push_back(v.page);
        own.counts[v.page] += 1;
        own.n.add(1);
    }
};
/// Throws at what it is told to.
struct throwing {
    struct state {
        value_state<int> n;
        event_timer timer;
    };
    void on_record(state& own, visit const& v, auto& context) const {
        own.n = own.n.value_or(0) + 1;
        if (v.page == "throw") throw std::runtime_error{"no"};
        if (v.page == "timer") context.set(own.timer, context.time());
        context.emit(std::to_string(*own.n));
    }
    void on_timer(state&, fired_timer const&, auto&) const { throw std::runtime_error{"never"}; }
};
/// Sets itself again for ever; asks whether the input has ended where it is told to.
struct endless {
    struct state {
        event_timer timer;
    };
    bool asks;
    void on_record(state& own, visit const&, auto& context) const { context.set(own.timer, context.time() + 1_s); }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        context.emit("tick");
        if (!asks || !context.ending()) context.set(own.timer, fired.at + 1_s);
    }
};
/// The second record of a user ends what the first began.
struct pairs {
    struct state {
        std::int64_t first = 0;
        event_timer_set timers;
    };
    using outputs = side_outputs<side_output<"timers", std::string>>;
    void on_record(state& own, visit const& v, auto& context) const {
        if (own.first++ == 0) {
            for (auto const s : {5, 3, 5, 4}) context.set(own.timers, context.time() + s * 1_s);
            context.cancel(own.timers, context.time() + 4_s);
            context.emit("begin " + v.page + " " + std::to_string(own.timers.size()));
        } else {
            context.emit("end " + v.page);
            context.clear();
        }
    }
    void on_timer(state&, fired_timer const& fired, auto& context) const {
        auto const second = std::to_string(fired.at.ns() / 1'000'000'000);
        context.emit("timers"_name, {std::to_string(context.key()) + "@" + second});
    }
};
struct counts_windows {
    struct state {
        value_state<std::int64_t> n;
    };
    void on_record(state& own, visit const&, auto&) const { own.n = own.n.value_or(0) + 1; }
    void on_close(state& own, auto& context) const { context.emit(*own.n); }
};
/// A row for each record, and one for its timer.
struct echo {
    struct state {
        event_timer_set timers;
    };
    void on_record(state& own, visit const&, auto& context) const {
        context.emit(1);
        context.set(own.timers, context.time() + 3_s);
    }
    void on_timer(state&, fired_timer const&, auto& context) const { context.emit(10); }
};
/// A timer at 10 s sets one at 8 s, and says nothing.
struct in_the_past {
    struct state {
        event_timer earlier;  // a member whose turn has been
        event_timer timer;
    };
    void on_record(state& own, visit const& v, auto& context) const {
        context.set(own.timer, v.page == "sets" ? event_time{10} : event_time{9});
    }
    void on_timer(state& own, fired_timer const& fired, auto& context) const {
        if (fired.at == event_time{10}) context.set(own.earlier, event_time{8});
        else context.emit(fired.at.ns());
    }
};
struct polling {
    struct state {
        clock_timer poll;
        value_state<int> n;
    };
    void on_record(state& own, visit const&, auto& context) const {
        own.n = 0;
        context.set(own.poll, context.clock() + 5_s);
    }
    void on_clock_timer(state& own, fired_timer const& fired, auto& context) const {
        own.n = *own.n + 1;
        context.emit(std::to_string(*own.n) + (context.ending() ? " at the end" : ""));
        context.set(own.poll, fired.at + 5_s);
    }
};
}  // namespace process_test
BOOST_HANA_ADAPT_STRUCT(process_test::visit, user, page, at);
BOOST_HANA_ADAPT_STRUCT(process_test::pages::state, last, all, counts, n);
BOOST_HANA_ADAPT_STRUCT(process_test::throwing::state, n, timer);
BOOST_HANA_ADAPT_STRUCT(process_test::endless::state, timer);
BOOST_HANA_ADAPT_STRUCT(process_test::pairs::state, first, timers);
BOOST_HANA_ADAPT_STRUCT(process_test::counts_windows::state, n);
BOOST_HANA_ADAPT_STRUCT(process_test::echo::state, timers);
BOOST_HANA_ADAPT_STRUCT(process_test::in_the_past::state, earlier, timer);
BOOST_HANA_ADAPT_STRUCT(process_test::polling::state, poll, n);

namespace {
using namespace process_test;
using testing::at;
using testing::play;
using testing::watermark;
constexpr auto visits = from<event<visit>>() | key_by<&visit::user>();
event<visit> seen_at(duration t, std::string page, std::int64_t user = 1) {
    return {{user, std::move(page), at(t)}, at(t)};
}
using keyed_visits = stream_of<visit, true, std::int64_t>;
using strings = std::vector<std::string>;
}  // namespace

static_assert(operator_on<decltype(process<std::string>(pages{})), keyed_visits>);
static_assert(!operator_on<decltype(process<std::string>(pages{})), stream_of<visit, false, std::int64_t>>);
static_assert(!operator_on<decltype(process<std::string>(pages{})), event<visit>>);  // no key
static_assert(!operator_on<decltype(process<std::string>(throwing{})), keyed_visits>);
static_assert(operator_on<decltype(process<std::string>(throwing{}, max_keys{1})), keyed_visits>);
static_assert(operator_on<decltype(process<std::string>(endless{})), keyed_visits>);

TEST_CASE("process keeps each state while watermark < last update + its time to live", "[op][process]") {
    auto const p = visits | process<std::string>(pages{});
    auto const looked = [&](duration watermark) {
        testing::watermark const moved{at(watermark)};
        return play(p, seen_at(10_s, "a"), moved, seen_at(watermark, "look")).records.back();
    };
    CHECK(looked(12_s - 1_ns) == "a|a|a1|1");
    CHECK(looked(12_s) == "-|a|a1|1");
    CHECK(looked(14_s) == "-||a1|1");
    CHECK(looked(16_s) == "-|||1");
    CHECK(looked(18_s - 1_ns) == "-|||1");
    CHECK(looked(18_s) == "-|||0");
    // An older record does not bring the update back; looking is no update.
    auto const later = play(p, seen_at(10_s, "a"), seen_at(9_s, "b"), watermark{at(11_s)}, seen_at(11_s, "look"),
        watermark{at(12_s)}, seen_at(12_s, "look"));
    CHECK(later.records == strings{"-|||0", "a|a|a1|1", "b|ab|a1b1|2", "-|ab|a1b1|2"});
    // A key whose state has gone takes no memory.
    CHECK(play(p, seen_at(10_s, "a"), watermark{at(18_s - 1_ns)}).report.state_bytes != 0);
    CHECK(play(p, seen_at(10_s, "a"), watermark{at(18_s)}).report.state_bytes == 0);
}

TEST_CASE("process: timers of a set are there once each, can be taken back, and go with their key", "[op][process]") {
    auto const p = visits | process<std::string>(pairs{}, unbounded_state{});
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        strings timers;
        auto to_timers = to([&](pane<std::int64_t, std::string> const& row) { timers.push_back(row.value); });
        testing::script<visit> const steps{seen_at(1_s, "a", 1), seen_at(2_s, "b", 2), seen_at(3_s, "c", 3),
            watermark{at(5_s)}, seen_at(5_s, "d", 2), watermark{at(20_s)}};
        auto const out = testing::play_script(
            testing::play_mode{.threads = threads}, p, steps, bind("timers"_name, to_timers));
        CHECK(out.records == strings{"begin a 2", "begin b 2", "begin c 2", "end d"});
        CHECK(timers == strings{"1@4", "3@6", "1@6", "3@8"});  // by time, then by canonical hash
    }
}

TEST_CASE("process: a timer set in the past by another comes in its place, on any number of threads", "[op][process]") {
    // The hashes of 0 and 1 are the first shard's, that of 2 is the last one's.
    auto const p = visits | process<std::int64_t>(in_the_past{});
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        auto const out = play(testing::play_mode{.threads = threads, .chunk = 99}, p, seen_at(0_s, "sets", 0),
            seen_at(0_s, "", 1), seen_at(0_s, "", 2), watermark{event_time{11}});
        CHECK(out.records == std::vector<std::int64_t>{9, 9, 8});
    }
}

TEST_CASE("process: a function that throws is subject to on_error", "[op][process]") {
    auto const p = from<visit>() | assign_time<&visit::at>() | key_by<&visit::user>()
        | process<std::string>(throwing{}, unbounded_state{});
    std::vector<visit> const log{{1, "a", at(1_s)}, {1, "throw", at(2_s)}, {2, "timer", at(3_s)}, {1, "b", at(4_s)}};
    CHECK_THROWS_WITH(run(batch{}, p, log), Catch::Contains("process failed: no"));
    for (int const threads : {1, 2}) {
        auto const rest = run(batch{.threads = threads, .on_error = on_error::skip}, p, log);
        strings values;
        for (auto const& row : rest) values.push_back(row.value);
        CHECK(values == strings{"1", "1", "3"});  // what it had changed stays
        CHECK(rest.report().stage("process")->refusals(reason::failed) == 1);
        CHECK(rest.report().stage("process")->applied == 3);
        CHECK(rest.report().failures == 2);
    }
    // What fails downstream is not the function's failure.
    auto const behind = p | map([](std::string const& s) -> int { throw std::runtime_error{s}; });
    CHECK_THROWS_WITH(run(batch{}, behind, log), Catch::Contains("map failed: 1"));
}

TEST_CASE("process: a timer that sets itself again ends with the input, or is told that it has no end",
    "[op][process]") {
    auto const asking = visits | process<std::string>(endless{true});
    CHECK(play(asking, seen_at(1_s, ""), watermark{at(4_s)}, testing::end_of_input{}).records.size() == 3);
    auto const deaf = visits | process<std::string>(endless{false});
    CHECK_THROWS_WITH(play(deaf, seen_at(1_s, ""), testing::end_of_input{}), Catch::Contains("context.ending()"));
}

TEST_CASE("process with max_keys refuses further keys, until one has gone", "[op][process]") {
    auto const p = visits | process<std::string>(throwing{}, max_keys{2});
    auto const out = play(p, seen_at(1_s, "a", 1), seen_at(1_s, "b", 2), seen_at(1_s, "c", 3), seen_at(1_s, "d", 1));
    CHECK(out.records == strings{"1", "1", "2"});
    CHECK(out.refused(reason::capacity) == 1);
    auto const q = visits | process<std::string>(pages{}, max_keys{1});
    auto const gone =
        play(q, seen_at(1_s, "a", 1), seen_at(1_s, "b", 2), watermark{at(9_s)}, seen_at(9_s, "c", 2));
    CHECK(gone.records == strings{"-|||0", "-|||0"});
    CHECK(gone.refused(reason::capacity) == 1);
}

TEST_CASE("process in windows: rows keep their window, and window(global{}) closes with the input", "[op][process]") {
    auto const p = visits | window(tumbling{10_s}) | process<std::int64_t>(counts_windows{});
    auto const out = play(p, seen_at(1_s, ""), seen_at(2_s, ""), seen_at(12_s, ""), watermark{at(10_s)});
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].window == time_window{at(0_s), at(10_s)});
    CHECK(out.panes[0].value == 2);
    // A following aggregate regroups inside the window.
    auto const sums = p | key_by([](std::int64_t) { return 0; }) | aggregate(sum());
    auto const all = play(sums, seen_at(1_s, "", 1), seen_at(2_s, "", 2), seen_at(12_s, "", 1), watermark{at(10_s)});
    CHECK(all.records == std::vector<std::int64_t>{2});
    auto const whole = visits | window(global{}) | process<std::int64_t>(counts_windows{}, unbounded_state{});
    CHECK(play(whole, seen_at(1_s, ""), seen_at(99_s, ""), watermark{at(1'000_s)}).records.empty());
    CHECK(play(whole, seen_at(1_s, ""), seen_at(99_s, ""), testing::end_of_input{}).records.size() == 1);
}

TEST_CASE("process: rows have the time of their record or timer, and are not late behind it", "[op][process]") {
    auto const p = visits | process<int>(echo{}) | window(tumbling{1_s}) | aggregate(sum());
    auto const out = play(p, seen_at(1_s, ""), seen_at(2_s, ""), watermark{at(30_s)});
    REQUIRE(out.panes.size() == 4);
    CHECK(out.panes[0].window.start == at(1_s));
    CHECK(out.panes[1].window.start == at(2_s));
    CHECK(out.panes[2].window.start == at(4_s));
    CHECK(out.panes[3].window.start == at(5_s));
    CHECK(out.records == std::vector<std::int64_t>{1, 1, 10, 10});
    // A timer set in the past speaks at the watermark that has gone on.
    auto const late = play(p, watermark{at(20_s)}, seen_at(20_s, ""), seen_at(2_s, ""), watermark{at(21_s)});
    CHECK(late.refused(reason::late) == 1);  // the row of the record that is behind the watermark; not its timer's
    CHECK(late.records == std::vector<std::int64_t>{11});
}

TEST_CASE("process: timers of the clock", "[op][process]") {
    auto const p = visits | process<std::string>(polling{}, unbounded_state{});
    static_assert(!is_replayable<decltype(visits | process<std::string>(polling{}, unbounded_state{}))>);
    auto const out = play(p, testing::clock_at{at(100_s)}, seen_at(1_s, ""), testing::clock_at{at(105_s - 1_ns)},
        testing::clock_at{at(105_s)}, testing::clock_at{at(116_s)}, testing::end_of_input{});
    CHECK(out.records == strings{"1", "2", "3", "4 at the end"});
    CHECK(out.values_at(2).empty());
    CHECK(out.values_at(3) == strings{"1"});
    CHECK(out.values_at(4) == strings{"2", "3"});
}

TEST_CASE("process gives the memory of text keys back that come and go", "[op][process]") {
    auto const p = from<visit>() | assign_time<&visit::at>() | key_by<&visit::page>() | process<std::string>(pages{});
    memory_log<visit> log;
    job running{stream{}, p, log, to([](pane<std::string, std::string> const&) {})};
    std::size_t most = 0;
    for (std::int64_t i = 0; i < 20'000; ++i) {
        log.append(visit{1, "page number " + std::to_string(i) + " of many that are visited once", at(i * 1_s)});
        if (i % 500 != 0) continue;
        running.poll();
        most = std::max(most, running.metrics().state_bytes);
    }
    CHECK(most < 200'000);
}

TEST_CASE("process says what it is", "[op][process]") {
    constexpr auto timed = from<visit>() | assign_time<&visit::at>(bounded_disorder{5_s}) | key_by<&visit::user>();
    constexpr auto p = timed | process<std::string>(throwing{}, max_keys{5});
    CHECK(explain(p).find("process max_keys=5 : text") != std::string::npos);
    static_assert(state_bound<decltype(p)> == state_class::max_keys);
    static_assert(is_replayable<decltype(p)>);
    static_assert(!is_order_free<decltype(p)>);
    static_assert(state_bound<decltype(timed | process<std::string>(pages{}))> == state_class::windowed);
    static_assert(state_bound<decltype(timed | process<std::string>(throwing{}, unbounded_state{}))>
        == state_class::unbounded);
    static_assert(state_bound<decltype(timed | window(tumbling{1_s}) | process<std::int64_t>(counts_windows{}))>
        == state_class::windowed);
    CHECK(fingerprint(p) != fingerprint(timed | process<std::string>(throwing{}, max_keys{6})));
}

TEST_CASE("explore finds no drift in process", "[op][process]") {
    auto const p = from<visit>() | assign_time<&visit::at>(bounded_disorder{4_s}) | key_by<&visit::user>()
        | process<std::string>(pages{});
    std::vector<visit> log;
    for (std::int64_t i = 0; i < 40; ++i) {
        std::string const page(1, static_cast<char>('a' + i % 4));
        log.push_back({i % 3, page, at(duration{(i * 7 % 20) * 500'000'000})});
    }
    auto const found = testing::explore(p, log, {.scripts = 60});
    INFO(found.sentence);
    CHECK(found.ok);
    CHECK(found.compared > 10);
}
