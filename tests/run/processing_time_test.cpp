// SPDX-License-Identifier: BSL-1.0
// Triggers that ask the clock, in a job with a clock of the test's.
#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/journal.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct hit {
    int page;
    event_time at;
};
std::atomic<std::int64_t> seconds{0};
event_time clock_of_the_test() { return event_time{seconds.load() * 1'000'000'000}; }

constexpr auto hits = from<hit>() | assign_time<&hit::at>(bounded_disorder{1_s}) | key_by<&hit::page>()
    | window(tumbling{1_h}, at_watermark().early(after{30_s})) | aggregate(count());

struct lines {
    std::vector<std::string> all{};
    std::atomic<std::size_t> written{0};
    void write(pane<int, std::int64_t> const& row) {
        all.push_back(std::to_string(row.key) + " " + std::to_string(row.value) + " "
            + std::string{to_string(row.info.timing)});
        ++written;
        written.notify_all();
    }
    void remove(int, time_window) {}
};
}  // namespace

TEST_CASE("a job tells its pipeline the clock before each poll", "[run][processing_time]") {
    for (int const threads : {1, 3}) {
        seconds = 100;
        memory_log<hit> log;
        lines out;
        job running{stream{.threads = threads, .clock = clock_of_the_test}, hits, log, out};
        log.append(hit{1, event_time::from_ms(1000)});
        running.poll();
        seconds = 130;
        log.append(hit{1, event_time::from_ms(2000)});
        running.poll();
        CHECK(out.all.empty());  // 30 s have passed, and not more
        seconds = 131;
        running.poll();
        CHECK(out.all == std::vector<std::string>{"1 2 early"});
        auto const state = running.snapshot();
        running.drain();
        CHECK(out.all == std::vector<std::string>{"1 2 early", "1 2 on time"});

        lines more;
        job again{stream{.threads = 2, .clock = clock_of_the_test}, hits, log, more};
        again.restore(state);
        log.append(hit{2, event_time::from_ms(3000)});
        again.poll();
        seconds = 170;
        again.poll();
        CHECK(more.all == std::vector<std::string>{"2 1 early"});
    }
}

TEST_CASE("what the clock fires is among the best at once, and in the snapshots", "[run][processing_time]") {
    constexpr auto best = hits | key_by([](auto const&) { return 0; })
        | top(1, [](auto const& row) { return row.value; });
    seconds = 100;
    memory_log<hit> log;
    std::vector<std::int64_t> told;
    auto sink = to([&](auto const& row) { told.push_back(row.value); }, [](auto const&, auto const&) {});
    job running{stream{.clock = clock_of_the_test}, best, log, sink};
    log.append(hit{1, event_time::from_ms(1000)});
    log.append(hit{1, event_time::from_ms(2000)});
    running.poll();
    CHECK(told.empty());
    seconds = 131;
    running.poll();
    REQUIRE(told == std::vector<std::int64_t>{2});
    auto const state = running.snapshot();
    job again{stream{.clock = clock_of_the_test}, best, log, sink};
    again.restore(state);
    log.append(hit{2, event_time::from_ms(3000)});
    again.poll();
    CHECK(told.size() == 1);
    seconds = 170;
    log.append(hit{2, event_time::from_ms(3000)});
    log.append(hit{2, event_time::from_ms(3000)});
    again.poll();
    seconds = 210;
    again.poll();
    CHECK(told.back() == 3);
}

TEST_CASE("the clock is written down where records come or something is due, and nowhere else",
    "[run][processing_time]") {
    seconds = 100;
    memory_log<hit> log;
    memory_log<journal_entry> journal;
    lines out;
    job running{stream{.clock = clock_of_the_test, .journal = journal_in(journal)}, hits, log, out};
    auto const told_after = [&](std::int64_t at) {
        seconds = at;
        running.poll();
        return journal.end_offset();
    };
    CHECK(told_after(101) == 0);
    log.append(hit{1, event_time::from_ms(1000)});
    CHECK(told_after(110) == 1);  // a record arrives
    CHECK(told_after(125) == 1);
    CHECK(told_after(140) == 1);  // 30 s have passed, and not more
    CHECK(out.all.empty());
    CHECK(told_after(141) == 2);
    CHECK(out.all == std::vector<std::string>{"1 1 early"});
    CHECK(told_after(1000) == 2);
    auto const entry = journal.read(0, 1)[0];
    CHECK(entry.position == 1);
    CHECK(entry.time_ns == 141'000'000'000);
}

TEST_CASE("a job that follows its log lets panes come due while nothing arrives", "[run][processing_time]") {
    seconds = 0;
    memory_log<hit> log;
    log.append(hit{7, event_time::from_ms(1000)});
    lines out;
    job running{stream{.clock = clock_of_the_test}, hits, log, out};
    std::thread runner{[&] { running.run(); }};
    // Whatever it read by now, it reads the record at some time before the clock stands still.
    while (out.written.load() == 0) {
        seconds += 31;
        std::this_thread::yield();
    }
    running.stop();
    runner.join();
    CHECK(out.all.front() == "7 1 early");
}
