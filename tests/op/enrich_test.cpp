// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/enrich.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/call_pool.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <driftless/testing/seeded_calls.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::seeded_calls, testing::watermark;

namespace enrich_test {
struct order {
    text currency;
    std::int64_t cents;
    event_time at;
};
struct silent {
    int n;
};
}  // namespace enrich_test
BOOST_HANA_ADAPT_STRUCT(enrich_test::order, currency, cents, at);
using enrich_test::order;
using enrich_test::silent;

namespace {
constexpr auto doubled = [](int n) { return n * 2; };
using asking = decltype(enrich(doubled, concurrency{2}));
static_assert(operator_on<asking, int>);
static_assert(operator_on<asking, event<int>>);
static_assert(!operator_on<asking, silent>);  // no codec
constexpr auto no_answer = [](int) {};
static_assert(!operator_on<decltype(enrich(no_answer, concurrency{2})), int>);
constexpr auto text_answer = [](int) { return text{"no"}; };
static_assert(!operator_on<decltype(enrich(text_answer, concurrency{2})), int>);
static_assert(state_bound<decltype(from<int>() | enrich(doubled, concurrency{2}))> == state_class::max_keys);
static_assert(!is_replayable<decltype(from<int>() | enrich(doubled, concurrency{2}))>);

using pair = joined<int, int>;
using ints = std::vector<int>;

/// Calls: how often for each record, and what they do.
struct outside_world {
    std::map<int, int> asked;
    std::map<int, int> failing;  // so many calls for a record fail first
    int answer(int n) {
        ++asked[n];
        if (auto& left = failing[n]; left > 0) {
            --left;
            throw std::runtime_error("no connection");
        }
        return n * 10;
    }
};
}  // namespace

TEST_CASE("enrich refuses numbers that cannot be when the job starts", "[op][enrich]") {
    CHECK_THROWS_AS(play(from<event<int>>() | enrich(doubled, concurrency{0})), error);
    CHECK_THROWS_AS(play(from<event<int>>() | enrich(doubled, concurrency{-3})), error);
    CHECK_THROWS_AS(play(from<event<int>>() | enrich(doubled, concurrency{2}, call_timeout{0_s})), error);
    CHECK_THROWS_AS(play(from<event<int>>() | enrich(doubled, concurrency{2}, retries{1, duration{-1}})), error);
}

TEST_CASE("enrich hands records on in their order, with what the outside said", "[op][enrich]") {
    std::vector<int> const numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (std::uint64_t seed = 1; seed < 30; ++seed) {
        seeded_calls outside{seed};
        std::vector<pair> got;
        auto sink = to([&](pair const& each) { got.push_back(each); });
        auto const p = from<int>() | enrich(doubled, concurrency{4}, calls_on(outside));
        static_cast<void>(run(batch{}, p, numbers, sink));
        REQUIRE(got.size() == numbers.size());
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == pair{numbers[i], numbers[i] * 2});
        CHECK(outside.most_at_once() == 4);
    }
}

TEST_CASE("enrich yields what a function of yours makes of record and answer", "[op][enrich]") {
    seeded_calls outside{7};
    auto const p = from<event<int>>()
        | enrich(doubled, concurrency{3}, calls_on(outside), [](int n, int answer) { return n + answer; });
    auto const out = play(p, event{1, at(1_s)}, event{2, at(2_s)}, testing::end_of_input{});
    CHECK(out.records == ints{3, 6});
}

TEST_CASE("threads of its own answer enrich", "[op][enrich]") {
    std::vector<int> numbers(2000);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    auto const count = [&](int n) {
        int const running = ++now;
        for (int seen = most; seen < running && !most.compare_exchange_weak(seen, running);) {}
        --now;
        return n * 3;
    };
    auto const rows = run(batch{}, from<int>() | enrich(count, concurrency{3}), numbers);
    REQUIRE(rows.size() == numbers.size());
    int next = 0;
    for (auto const& row : rows) {
        CHECK(row.value == pair{next, next * 3});
        ++next;
    }
    CHECK(most <= 3);
}

TEST_CASE("watermarks wait for the records before them", "[op][enrich]") {
    // Every record is on time by its watermark; if one overtook its records they would be late.
    seeded_calls outside{3, 1_ms, 900_ms};
    std::vector<event<int>> rows;
    for (int i = 0; i < 500; ++i) rows.push_back({i, at(1_s * i)});
    auto const p = from<event<int>>() | enrich(doubled, concurrency{8}, calls_on(outside))
        | window(tumbling{1_s}) | aggregate(count());
    testing::script<int> steps;
    for (auto const& each : rows) {
        steps.add(each);
        steps.add(watermark(each.at));
    }
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(testing::play_mode{.chunk = 64}, p, steps);
    CHECK(out.panes.size() == rows.size());
    CHECK(out.refused(reason::late) == 0);
}

TEST_CASE("a job does not wait for answers, and hands on those that are next", "[op][enrich]") {
    seeded_calls outside{5, 10_ms, 10_ms};
    memory_log<int> log;
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<int>() | enrich(doubled, concurrency{4}, calls_on(outside), [](int, int a) { return a; });
    job running{stream{}, p, log, sink};
    log.append(1);
    log.append(2);
    CHECK(running.poll() == 2);
    CHECK(got.empty());
    outside.advance(5_ms);
    log.append(3);
    running.poll();
    CHECK(got.empty());
    outside.advance(5_ms);
    running.poll();
    CHECK(got == ints{2, 4});
    running.drain();
    CHECK(got == ints{2, 4, 6});
    CHECK(running.metrics().stage("enrich")->applied == 3);
}

TEST_CASE("no more than n records are under way: then the input waits", "[op][enrich]") {
    seeded_calls outside{5, 10_ms, 10_ms};
    memory_log<int> log;
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<int>() | enrich(doubled, concurrency{2}, calls_on(outside), [](int, int a) { return a; });
    job running{stream{}, p, log, sink};
    for (int i = 0; i < 5; ++i) log.append(i);
    running.poll();
    CHECK(got == ints{0, 2, 4});  // three had to go on before the last came
    CHECK(outside.most_at_once() == 2);
    running.drain();
    CHECK(got == ints{0, 2, 4, 6, 8});
}

TEST_CASE("a call that fails is made again, after pauses that double", "[op][enrich]") {
    outside_world world;
    world.failing[2] = 3;
    seeded_calls outside{1, 1_ms, 1_ms};
    auto const ask = [&](int n) { return world.answer(n); };
    auto const p = from<event<int>>()
        | enrich(ask, concurrency{2}, calls_on(outside), retries{3, 10_ms}, [](int, int a) { return a; });
    auto const out = play(p, event{1, at(1_s)}, event{2, at(2_s)}, event{3, at(3_s)}, testing::end_of_input{});
    CHECK(out.records == ints{10, 20, 30});
    CHECK(world.asked[2] == 4);
    // Three calls, the pauses 10, 20, 40 ms between, and those of the others.
    CHECK(outside.now() >= 4_ms + 70_ms);
    CHECK(outside.now() < 4_ms + 70_ms + 3_ms);
}

TEST_CASE("no pause between two tries is longer than it may be", "[op][enrich]") {
    outside_world world;
    world.failing[2] = 4;
    seeded_calls outside{1, 1_ms, 1_ms};
    auto const ask = [&](int n) { return world.answer(n); };
    auto const p = from<event<int>>() | enrich(ask, concurrency{2}, calls_on(outside), retries{4, 10_ms, 15_ms});
    static_cast<void>(play(p, event{2, at(2_s)}, testing::end_of_input{}));
    CHECK(outside.now() == 5_ms + 10_ms + 3 * 15_ms);
}

TEST_CASE("a record whose calls all fail is subject to on_error, in its turn", "[op][enrich]") {
    std::vector<int> const numbers{1, 2, 3, 4};
    outside_world world;
    auto const ask = [&](int n) { return world.answer(n); };
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    seeded_calls outside{9};
    auto const p = from<int>()
        | enrich(ask, concurrency{4}, calls_on(outside), retries{1}, [](int, int a) { return a; });

    SECTION("fail: what comes before it has gone on") {
        world.failing[3] = 2;
        try {
            static_cast<void>(run(batch{}, p, numbers, sink));
            FAIL("it did not fail");
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::user_function);
            CHECK(problem.offset() == 2);
            CHECK(std::string{problem.what()}.find("no connection") != std::string::npos);
        }
        CHECK(got == ints{10, 20});
        CHECK(world.asked[3] == 2);
    }
    SECTION("fail: it is not written down, and the next job asks again") {
        world.failing[3] = 2;
        memory_log<answer_entry> answers;
        batch mode{.answers = answers_in(answers)};
        CHECK_THROWS_AS(run(mode, p, numbers, sink), error);
        CHECK(answers.end_offset() == 2);
        got.clear();
        seeded_calls again{10};
        auto const once_more = from<int>()
            | enrich(ask, concurrency{4}, calls_on(again), retries{1}, [](int, int answer) { return answer; });
        static_cast<void>(run(mode, once_more, numbers, sink));
        CHECK(got == ints{10, 20, 30, 40});
        CHECK(world.asked[3] == 3);
    }
    SECTION("skip") {
        world.failing[3] = 2;
        auto const report = run(batch{.on_error = on_error::skip}, p, numbers, sink);
        CHECK(got == ints{10, 20, 40});
        CHECK(report.refused(reason::failed) == 1);
        CHECK(report.stage("enrich")->refusals(reason::failed) == 1);
        CHECK(report.stage("enrich")->in() == 4);
    }
    SECTION("dead letter") {
        world.failing[1] = 2;
        std::vector<dead_letter> letters;
        auto receive = [&](dead_letter const& each) { letters.push_back(each); };
        static_cast<void>(run(batch{.on_error = on_error::dead_letter(receive)}, p, numbers, sink));
        REQUIRE(letters.size() == 1);
        CHECK(letters[0].operator_name == "enrich");
        CHECK(letters[0].offset == 0);
        CHECK(got == ints{20, 30, 40});
    }
}

TEST_CASE("a call that takes too long is given up, and has failed", "[op][enrich]") {
    // Every call takes 20 ms, and 5 ms are allowed: nothing gets an answer.
    seeded_calls outside{9, 20_ms, 20_ms};
    std::vector<int> const numbers{1, 2, 3, 4, 5, 6};
    std::vector<dead_letter> letters;
    auto receive = [&](dead_letter const& each) { letters.push_back(each); };
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<int>()
        | enrich(doubled, concurrency{2}, calls_on(outside), call_timeout{5_ms}, [](int, int a) { return a; });
    static_cast<void>(run(batch{.on_error = on_error::dead_letter(receive)}, p, numbers, sink));
    CHECK(got.empty());
    REQUIRE(letters.size() == 6);
    CHECK(letters[0].why == "no answer within 5 ms");
    // Those that were given up run on: they count, so that the outside never sees more than two.
    CHECK(outside.most_at_once() == 2);
}

TEST_CASE("a call that was given up does not answer for the one after it", "[op][enrich]") {
    // The first call takes long and answers late, and otherwise; the second is in time.
    int calls = 0;
    auto const ask = [&](int n) { return n + 1000 * ++calls; };
    struct slow_first final : call_executor {
        std::vector<std::pair<duration, work_item*>> under_way;
        std::uint64_t count = 0;
        std::uint64_t submitted = 0;
        duration time{};
        void submit(work_item& call) override {
            under_way.emplace_back(time + (submitted++ == 0 ? 12_ms : 4_ms), &call);
        }
        std::uint64_t finished() const noexcept override { return count; }
        duration now() const noexcept override { return time; }
        void wait(std::uint64_t seen, duration at_most) override {
            if (count != seen) return;
            auto next = under_way.end();
            for (auto each = under_way.begin(); each != under_way.end(); ++each) {
                if (next == under_way.end() || each->first < next->first) next = each;
            }
            if (next == under_way.end() || next->first > time + at_most) {
                time = time + at_most;
                return;
            }
            auto const due = *next;
            under_way.erase(next);
            time = due.first;
            due.second->work();
            ++count;
        }
    } outside;
    std::vector<int> const numbers{1, 2, 3};
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<int>()
        | enrich(ask, concurrency{2}, calls_on(outside), call_timeout{10_ms}, retries{1}, [](int, int a) { return a; });
    static_cast<void>(run(batch{}, p, numbers, sink));
    // Record 2 is asked about first; the call for 1 is given up at 10 ms, and never begins.
    CHECK(got == ints{2001, 1002, 3003});
}

TEST_CASE("the key and the text of a record are there when its answer is", "[op][enrich]") {
    seeded_calls outside{11};
    auto const rate = [](order const& o) { return std::string{o.currency} + "!"; };
    auto const p = from<event<order>>() | key_by<&order::currency>() | enrich(rate, concurrency{5}, calls_on(outside))
        | window(tumbling{10_s})
        | aggregate(count());
    std::vector<std::string> names;
    testing::script<order> steps;
    names.reserve(400);
    for (int i = 0; i < 400; ++i) {
        names.push_back(std::string(static_cast<std::size_t>(i % 50), 'x') + std::to_string(i % 7));
        steps.add(event{order{text{names.back()}, i, {}}, at(1_s)});
    }
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(testing::play_mode{.chunk = 50}, p, steps);
    std::map<std::string, std::int64_t> expected;
    for (auto const& each : names) ++expected[each];
    CHECK(out.panes.size() == expected.size());
    for (auto const& pane : out.panes) CHECK(pane.value == expected[pane.key]);
}

TEST_CASE("records without an answer are part of a snapshot, and are asked about again", "[op][enrich]") {
    outside_world world;
    auto const ask = [&](int n) { return world.answer(n); };
    memory_log<int> log;
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    std::string state;
    for (int i = 1; i <= 6; ++i) log.append(i);
    {
        seeded_calls outside{5, 10_ms, 10_ms};
        auto const p = from<int>() | enrich(ask, concurrency{4}, calls_on(outside), [](int, int a) { return a; });
        job running{stream{}, p, log, sink};
        running.poll(3);
        state = running.snapshot();
        CHECK(world.asked.empty());
    }
    CHECK(world.asked.empty());  // given up before they began
    seeded_calls outside{6, 10_ms, 10_ms};
    auto const p = from<int>() | enrich(ask, concurrency{2}, calls_on(outside), [](int, int a) { return a; });
    job running{stream{}, p, log, sink};
    running.restore(state);
    CHECK(running.snapshot() == state);
    running.drain();
    CHECK(got == ints{10, 20, 30, 40, 50, 60});
    CHECK(world.asked == std::map<int, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}});
    CHECK(outside.most_at_once() == 2);  // three were restored, and two may be under way
}

TEST_CASE("an answer that waits for its turn is part of a snapshot, and is not asked for again", "[op][enrich]") {
    outside_world world;
    world.failing[1] = 1;  // so that the second is there before the first
    auto const ask = [&](int n) { return world.answer(n); };
    memory_log<int> log;
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    seeded_calls outside{5, 10_ms, 10_ms};
    auto const p =
        from<int>() | enrich(ask, concurrency{4}, calls_on(outside), retries{5, 1_s}, [](int, int a) { return a; });
    for (int i = 1; i <= 3; ++i) log.append(i);
    std::optional<job<stream, std::remove_const_t<decltype(p)>, memory_log<int>&, decltype(sink)&>> running;
    running.emplace(stream{}, p, log, sink);
    running->poll();
    outside.advance(10_ms);
    running->poll();
    CHECK(got.empty());
    auto const state = running->snapshot();
    running.emplace(stream{}, p, log, sink);
    running->restore(state);
    CHECK(running->snapshot() == state);
    running->drain();
    CHECK(got == ints{10, 20, 30});
    CHECK(world.asked == std::map<int, int>{{1, 2}, {2, 1}, {3, 1}});
}

TEST_CASE("a run to the end of the log waits for its answers", "[op][enrich]") {
    seeded_calls outside{5, 10_ms, 10_ms};
    memory_log<int> log;
    for (int i = 1; i <= 3; ++i) log.append(i);
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<int>() | enrich(doubled, concurrency{8}, calls_on(outside), [](int, int a) { return a; })
        | enrich(doubled, concurrency{8}, calls_on(outside), [](int, int a) { return a; });
    static_cast<void>(run(stream{.until = end_of_log}, p, log, sink));
    CHECK(got == ints{4, 8, 12});
}

TEST_CASE("unordered: a record goes on when its answer is there, and overtakes no watermark beyond its time",
    "[op][enrich]") {
    outside_world world;
    world.failing[1] = 1;  // the first is answered at its second try, 100 ms later
    auto const ask = [&](int n) { return world.answer(n); };
    seeded_calls outside{5, 10_ms, 10_ms};
    memory_log<event<int>> log;
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    auto const p = from<event<int>>()
        | enrich(ask, concurrency{8}, calls_on(outside), retries{1, 100_ms}, unordered{}, [](int, int a) { return a; });
    job running{stream{}, p, log, sink};
    for (int i = 1; i <= 3; ++i) log.append({i, at(1_s * i)});
    running.poll();
    outside.advance(10_ms);
    running.poll();
    CHECK(got == ints{20, 30});
    outside.advance(100_ms);  // the pause
    running.poll();
    outside.advance(10_ms);
    running.poll();
    CHECK(got == ints{20, 30, 10});
    running.drain();
    CHECK(running.metrics().stage("enrich")->applied == 3);
}
