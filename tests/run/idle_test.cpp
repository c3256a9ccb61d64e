// SPDX-License-Identifier: BSL-1.0
// Partitions and inputs of a job that have nothing to say: what holds the watermark and the merge, and what does not.
#include <driftless/run/job.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/journal.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct tick {
    event_time at;
};
std::atomic<std::int64_t> now{0};
event_time clock_of_the_test() { return event_time{now.load()}; }
constexpr auto none = [](auto const&) {};

auto heard_by(std::string& into) {
    return from<tick>() | assign_time<&tick::at>(bounded_disorder{1_ns}) | said::listener{into};
}
stream on_test_clock(stream mode) {
    mode.clock = clock_of_the_test;
    return mode;
}

/// A job that writes down what reaches the end of its pipeline.
class watched {
    using sink_t = decltype(to(none));
    std::string heard_;
    memory_log<tick>* log_;
    sink_t sink_ = to(none);
    job<stream, decltype(heard_by(std::declval<std::string&>())), memory_log<tick>&, sink_t&> running_;

public:
    watched(stream mode, memory_log<tick>& log)
        : log_(&log), running_{on_test_clock(mode), heard_by(heard_), log, sink_} {}
    auto& running() { return running_; }
    /// What came out of a poll at this time, after these records were appended to a partition.
    std::string poll(std::int64_t at, std::uint32_t partition = 0, std::initializer_list<std::int64_t> times = {}) {
        heard_.clear();
        now = at;
        for (auto const t : times) log_->append(tick{event_time{t}}, partition);
        running_.poll();
        return heard_;
    }
    std::string drain() {
        heard_.clear();
        running_.drain();
        return heard_;
    }
};
void refuses(stream mode) {
    memory_log<tick> log;
    std::string heard;
    auto sink = to(none);
    auto const made = try_run(mode, heard_by(heard), log, sink);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code() == error_code::invalid_argument);
}
}  // namespace

TEST_CASE("a partition that stays at its end is idle: it holds neither the watermark nor the others", "[run][idle]") {
    memory_log<tick> log{2};
    watched job{stream{.idle_after = 10_ns}, log};
    CHECK(job.poll(0, 0, {5}).empty());  // nothing is known of partition 1
    CHECK(job.poll(9, 0, {7}).empty());
    CHECK(job.poll(10) == "5 wm 4 7 wm 6");
    // Partition 0 has been read to its end only now, and stays active.
    CHECK(job.poll(19, 0, {9}) == "9 wm 8");
    CHECK(job.poll(29).empty());  // with both of them idle the watermark stays where it is
    CHECK(job.drain() == "wm inf");
}

TEST_CASE("without idle_after an empty partition holds everything, whatever the clock", "[run][idle]") {
    memory_log<tick> log{2};
    watched job{stream{}, log};
    CHECK(job.poll(0, 0, {5}).empty());
    CHECK(job.poll(1'000'000).empty());
    CHECK(job.drain() == "5 wm inf");
}

TEST_CASE("silence is counted from the poll that found the end, and exactly idle_after is enough", "[run][idle]") {
    memory_log<tick> log{2};
    watched job{stream{.idle_after = 10_ns}, log};
    CHECK(job.poll(0, 0, {5}).empty());
    CHECK(job.poll(3, 1, {6}) == "5");  // 6 waits: partition 0 has nothing
    CHECK(job.poll(12).empty());        // for 9 ns
    CHECK(job.poll(13) == "6 wm 5");    // 0 is idle: 6 comes, and counts alone
}

TEST_CASE("one that has records again is active, and counts when it has reached the watermark", "[run][idle]") {
    memory_log<tick> log{2};
    watched job{stream{.idle_after = 10_ns}, log};
    CHECK(job.poll(0, 0, {5}).empty());
    CHECK(job.poll(3, 1, {6}) == "5");
    CHECK(job.poll(13) == "6 wm 5");
    CHECK(job.poll(14, 0, {2}).empty());  // behind the watermark; partition 1 is at its end, and not idle
    CHECK(job.poll(15, 1, {8}) == "2");
    CHECK(job.poll(25) == "8 wm 7");
    CHECK(job.poll(26, 0, {7}).empty());
    CHECK(job.poll(27, 1, {20}) == "7");     // not there yet: 8 is
    CHECK(job.poll(28, 0, {8, 30}) == "8 20");  // now it is, and holds the watermark that 20 would make
    CHECK(job.poll(29, 1, {40}) == "30 wm 19");
}

TEST_CASE("a reader that is not at the end of its partition declares nothing", "[run][idle]") {
    memory_log<tick> log{2};
    memory_log<journal_entry> journal;
    watched job{stream{.idle_after = 10_ns, .journal = journal_in(journal)}, log};
    CHECK(job.poll(0, 0, {5, 6, 7}).empty());
    now = 10;
    job.running().poll(1);  // of three
    now = 100;
    job.running().poll(1);
    now = 1000;
    job.running().poll(0);
    REQUIRE(journal.end_offset() == 1);
    CHECK(journal.read(0, 0)[0].partition == 1);
    CHECK(job.poll(1001, 1, {6}) == "6");  // of partition 1: it is active again, and 7 waits for its next
    CHECK(journal.end_offset() == 2);
}

TEST_CASE("while all are idle the watermark may follow the clock", "[run][idle]") {
    memory_log<tick> log;
    watched job{stream{.idle_after = 10_ns, .when_quiet = on_quiet::advance_with_clock}, log};
    CHECK(job.poll(0, 0, {5}) == "5 wm 4");
    CHECK(job.poll(10).empty());  // idle from here on
    CHECK(job.poll(19).empty());
    CHECK(job.poll(20) == "wm 14");
    CHECK(job.poll(29).empty());
    CHECK(job.poll(33) == "wm 27");
    CHECK(job.poll(34, 0, {20, 28}) == "20 28");  // behind it; then there, and no further
    CHECK(job.poll(35, 0, {29}) == "29 wm 28");
}

TEST_CASE("while all are idle the watermark may move on once, to close what is open", "[run][idle]") {
    memory_log<tick> log{2};
    auto const counts = from<tick>() | assign_time<&tick::at>() | window(tumbling{10_ns}) | aggregate(count());
    std::string out;
    auto sink = to([&](pane<unkeyed, std::int64_t> const& row) {
        out += std::to_string(row.window.end.ns()) + ":" + std::to_string(row.value) + " ";
    });
    job running{on_test_clock({.idle_after = 10_ns, .when_quiet = on_quiet::close_after(5_ns)}), counts, log, sink};
    auto const poll = [&](std::int64_t at) {
        now = at;
        running.poll();
    };
    log.append(tick{event_time{5}}, 0);
    log.append(tick{event_time{25}}, 1);
    for (auto const at : {0, 10, 20, 24}) poll(at);  // 25 comes at 10, both are idle at 20
    CHECK(out == "10:1 ");
    poll(25);
    CHECK(out == "10:1 30:1 ");
    log.append(tick{event_time{29}}, 0);
    log.append(tick{event_time{30}}, 0);
    for (auto const at : {26, 36}) poll(at);
    CHECK(running.metrics().refused(reason::late) == 1);  // 29; 30 lies in the next window
    CHECK(out == "10:1 30:1 ");
    running.drain();
    CHECK(out == "10:1 30:1 40:1 ");
}

TEST_CASE("an input of a merge that is idle leaves the watermark of the merge", "[run][idle]") {
    memory_log<tick> left;
    memory_log<tick> right;
    std::string out;
    auto const p = merge(from<tick>("left"_name) | assign_time<&tick::at>(),
                       from<tick>("right"_name) | assign_time<&tick::at>())
        | said::listener{out};
    auto sink = to(none);
    job running{on_test_clock({.idle_after = 10_ns, .when_quiet = on_quiet::advance_with_clock}), p,
        bind("left"_name, left), bind("right"_name, right), sink};
    auto const poll = [&](std::int64_t at) {
        now = at;
        out.clear();
        running.poll();
        return out;
    };
    left.append(tick{event_time{5}});
    right.append(tick{event_time{9}});
    CHECK(poll(0) == "5");
    CHECK(poll(10) == "9 wm 9");
    CHECK(poll(20).empty());
    CHECK(poll(30) == "wm 19");
    left.append(tick{event_time{7}});
    CHECK(poll(31) == "7");  // it is behind, and not counted
    right.append(tick{event_time{21}});
    CHECK(poll(32).empty());  // left is active, and at its end
    left.append(tick{event_time{22}});
    CHECK(poll(33) == "21 wm 21");  // right alone counts
    right.append(tick{event_time{30}});
    CHECK(poll(34) == "22");
    left.append(tick{event_time{31}});
    CHECK(poll(35) == "30 wm 22");  // both
}

TEST_CASE("a partition that was read in between has been silent from then on", "[run][idle]") {
    memory_log<tick> log;
    memory_log<journal_entry> journal;
    watched job{stream{.idle_after = 10_ns, .journal = journal_in(journal)}, log};
    job.poll(0, 0, {5});
    job.poll(9, 0, {6});  // at its end before and after
    job.poll(18);
    CHECK(journal.end_offset() == 0);
    job.poll(19);
    REQUIRE(journal.end_offset() == 1);
    CHECK(journal.read(0, 0)[0] == journal_entry{.position = 2, .offset = 2, .what = 0});
}

TEST_CASE("who is idle is part of the snapshot, with and without a journal", "[run][idle]") {
    memory_log<tick> log{2};
    watched job{stream{.idle_after = 10_ns}, log};
    job.poll(0, 0, {5});
    CHECK(job.poll(10) == "5 wm 4");
    auto const state = job.running().snapshot();
    for (int round = 0; round < 2; ++round) {
        watched again{stream{.idle_after = 10_ns}, log};
        again.running().restore(state);
        CHECK(again.running().snapshot() == state);
        if (round == 0) CHECK(again.poll(11, 0, {8}) == "8 wm 7");
        else CHECK(again.poll(11, 1, {6}) == "6");  // 1 is back, and holds the 8 of partition 0
    }
    job.running().restore(state);  // a job of its own may go back as well
    CHECK(job.running().snapshot() == state);
}

TEST_CASE("a journal that does not fit the snapshot or the inputs is refused", "[run][idle]") {
    memory_log<tick> log{2};
    memory_log<journal_entry> journal;
    watched job{stream{.idle_after = 10_ns, .journal = journal_in(journal)}, log};
    job.poll(0, 0, {5});
    job.poll(10);
    auto const state = job.running().snapshot();
    REQUIRE(journal.end_offset() == 1);

    memory_log<journal_entry> shorter;
    watched lost{stream{.idle_after = 10_ns, .journal = journal_in(shorter)}, log};
    CHECK_THROWS_AS(lost.running().restore(state), error);

    auto const code_of = [&](journal_entry const& entry) {
        memory_log<journal_entry> wrong;
        wrong.append(entry);
        watched job_of_it{stream{.idle_after = 10_ns, .journal = journal_in(wrong)}, log};
        try {
            job_of_it.poll(0);
        } catch (error const& problem) {
            return problem.code();
        }
        return error_code{};
    };
    auto const good = journal.read(0, 0)[0];
    CHECK(code_of(good) == error_code{});
    auto bad = good;
    bad.partition = 2;
    CHECK(code_of(bad) == error_code::mismatch);
    bad = good;
    bad.offset = 3;
    CHECK(code_of(bad) == error_code::mismatch);
    bad = good;
    bad.what = static_cast<std::uint8_t>(journal_entry::kind::active);  // of one that is active
    CHECK(code_of(bad) == error_code::mismatch);
    bad = good;
    bad.what = 9;
    CHECK(code_of(bad) == error_code::mismatch);
}

TEST_CASE("a job that follows its log finds partitions idle while nothing arrives", "[run][idle]") {
    now = 0;
    memory_log<tick> log{2};
    log.append(tick{event_time{5}}, 0);
    std::atomic<int> written{0};
    auto const p = from<tick>() | assign_time<&tick::at>();
    auto sink = to([&](tick const&) { ++written; });
    job running{on_test_clock({.idle_after = 10_ns}), p, log, sink};
    std::thread runner{[&] { running.run(); }};
    while (written.load() == 0) {
        now += 10;
        std::this_thread::yield();
    }
    running.stop();
    runner.join();
    CHECK(written.load() == 1);
}

TEST_CASE("parameters of idleness out of range are refused when the job starts", "[run][idle]") {
    refuses({.idle_after = duration{-1}});
    refuses({.when_quiet = on_quiet::advance_with_clock});
    refuses({.when_quiet = on_quiet::close_after(1_s)});
    refuses({.idle_after = 1_s, .when_quiet = on_quiet::close_after(1_s, duration{-1})});
    refuses({.idle_after = 1_s, .when_quiet = on_quiet::close_after(duration{-1})});
}
