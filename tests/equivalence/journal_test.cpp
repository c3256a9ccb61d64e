// SPDX-License-Identifier: BSL-1.0
// What the clock did to a job is in its journal: a replay that is told nothing else says the same, in the same order,
// with another pace and other threads, and so does a job that was killed and goes on.
#include <driftless/run/journal.hpp>
#include <driftless/time/clock_driven.hpp>
#include <equivalence/late_loops.hpp>

#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/trigger.hpp>

#include <atomic>

using namespace equivalence;

namespace {
std::atomic<std::int64_t> seconds{0};
event_time clock_of_the_test() { return event_time{seconds.load() * 1'000'000'000}; }
duration random_duration(dice& random, std::int64_t most_s) {
    return duration{random.between(0, most_s) * 1'000'000'000};
}
event_time no_clock() { return event_time::min(); }

std::vector<journal_entry> entries_of(memory_log<journal_entry> const& journal) {
    std::vector<journal_entry> out;
    for (std::uint64_t i = 0; i < journal.end_offset(); ++i) out.push_back(journal.read(0, i)[0]);
    return out;
}

struct story {
    std::size_t lines = 0;
    std::size_t clocks = 0;
    std::size_t early = 0;
};

/// A job lives through random polls, cuts and restarts; then its journal is replayed.
template <class P>
story live_and_replay(dice& random, P const& p, shape const& of) {
    auto const records = random_records(random, of);
    memory_log<sale> log{of.partitions};
    memory_log<journal_entry> journal;
    seconds = 0;
    stream mode{.until = end_of_log, .clock = clock_of_the_test, .journal = journal_in(journal)};
    if (random.one_in(2)) mode.idle_after = duration{random.between(1, 12) * 1'000'000'000};

    recorder live;
    using live_job = job<stream, P, memory_log<sale>&, recorder&>;
    std::optional<live_job> running;
    auto const start = [&](recorder& to) {
        mode.threads = 1 + static_cast<int>(random.below(3));
        running.emplace(mode, p, log, to);
    };
    start(live);
    std::pair<std::string, recorder> saved{running->snapshot(), live};
    for (std::size_t next = 0; next < records.size();) {
        for (auto n = random.below(6); n != 0 && next < records.size(); --n, ++next) {
            log.append(records[next].record, records[next].partition);
        }
        seconds += random.between(0, 4);
        if (random.one_in(8)) running->run();
        else running->poll(random.one_in(3) ? random.below(5) : 1000);
        if (random.one_in(12)) saved = {running->snapshot(), live};
        if (random.one_in(25)) {  // killed: what came out since the snapshot comes out again
            start(live);
            live = saved.second;
            running->restore(saved.first);
        }
    }
    running->drain();
    auto const refused = running->metrics().refused(reason::late) + running->metrics().refused(reason::ahead);
    auto const written = entries_of(journal);

    mode.clock = no_clock;
    recorder again;
    start(again);
    while (running->poll(1 + random.below(30)) != 0) {}
    running->drain();
    CHECK_SAME(again.lines, live.lines);
    CHECK(running->metrics().refused(reason::late) + running->metrics().refused(reason::ahead) == refused);

    story out{.lines = live.lines.size()};
    for (auto const& each : written) out.clocks += each.what == static_cast<std::uint8_t>(journal_entry::kind::clock);
    for (auto const& each : live.lines) out.early += each.find("early") != std::string::npos;
    return out;
}
}  // namespace

TEST_CASE("what processing-time triggers were told is replayed", "[equivalence][journal]") {
    story told;
    for_seeds(100, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, random_duration(random, 20));
        of.records = 1 + random.below(150);
        auto const p = from<sale>() | assign_time<&sale::at>(bounded_disorder{random_duration(random, 15)})
            | key_by<&sale::shop>()
            | window(tumbling{10_s}, at_watermark().early(repeat(after{random_duration(random, 5)})),
                allowed_lateness{5_s})
            | aggregate(count(), sum<&sale::cents>());
        auto const one = live_and_replay(random, p, of);
        told.lines += one.lines;
        told.clocks += one.clocks;
        told.early += one.early;
    });
    CHECK(told.clocks > 500);
    CHECK(told.early > 300);
}

TEST_CASE("what a clock-driven watermark was told is replayed", "[equivalence][journal]") {
    story told;
    for_seeds(100, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, random_duration(random, 20));
        of.records = 1 + random.below(150);
        auto const p = from<sale>() | assign_time<&sale::at>(clock_driven{random_duration(random, 15)})
            | key_by<&sale::shop>() | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
        auto const one = live_and_replay(random, p, of);
        told.lines += one.lines;
        told.clocks += one.clocks;
    });
    CHECK(told.clocks > 500);
    CHECK(told.lines > 500);
}
