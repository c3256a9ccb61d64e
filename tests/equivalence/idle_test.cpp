// SPDX-License-Identifier: BSL-1.0
// Partitions that go idle and come back while a job is polled, killed and restarted: what it decided stands in its
// journal, and whoever follows the journal says the same, be it a restarted job, a replay from the beginning with
// another pace and other threads, or loops.
#include <driftless/run/journal.hpp>
#include <equivalence/late_loops.hpp>

#include <atomic>

using namespace equivalence;

namespace {
std::atomic<std::int64_t> seconds{0};
event_time clock_of_the_test() { return event_time{seconds.load() * 1'000'000'000}; }

std::vector<journal_entry> entries_of(memory_log<journal_entry> const& journal) {
    std::vector<journal_entry> out;
    for (std::uint64_t i = 0; i < journal.end_offset(); ++i) out.push_back(journal.read(0, i)[0]);
    return out;
}

/// SEMANTICS section 2 by hand: which record comes next, what the watermark is before it, whether it is late.
judged follow(std::vector<placed> const& records, std::uint32_t partitions, std::vector<journal_entry> const& journal,
    std::int64_t bound) {
    struct lane {
        std::vector<placed> records;
        std::size_t next = 0;
        std::optional<std::int64_t> newest;
        bool idle = false;
        bool aligned = true;
        std::size_t cut = 0;  // where it ends while a cut is read to
        [[nodiscard]] bool has_record(bool cutting) const { return next < (cutting ? cut : records.size()); }
    };
    bool cutting = false;
    std::vector<lane> lanes(partitions);
    for (auto const& each : records) lanes[each.partition].records.push_back(each);
    std::optional<std::int64_t> progress;
    auto const combine = [&] {
        std::optional<std::int64_t> least;
        for (auto& each : lanes) {
            if (each.idle) continue;
            if (!progress || (each.newest && *each.newest >= *progress)) each.aligned = true;
            if (!each.aligned) continue;
            if (!each.newest) return;  // one that has said nothing holds
            if (!least || *each.newest < *least) least = each.newest;
        }
        if (least && (!progress || *least > *progress)) progress = least;
    };
    judged out;
    auto entry = journal.begin();
    for (std::uint64_t position = 0; position <= records.size(); ++position) {
        for (; entry != journal.end() && entry->position == position; ++entry) {
            auto& one = lanes[entry->partition];
            switch (static_cast<journal_entry::kind>(entry->what)) {
                case journal_entry::kind::idle: one.idle = true; break;
                case journal_entry::kind::active:
                    one.idle = false;
                    one.aligned = false;
                    break;
                case journal_entry::kind::moved:
                    if (progress) *progress += entry->time_ns;
                    break;
                case journal_entry::kind::cut:
                    one.cut = static_cast<std::size_t>(entry->offset);
                    cutting = true;
                    break;
                case journal_entry::kind::clock:
                case journal_entry::kind::answers: break;
            }
            combine();
        }
        lane* first = nullptr;
        cutting = cutting && std::any_of(lanes.begin(), lanes.end(), [](lane const& each) {
            return !each.idle && each.has_record(true);
        });
        for (auto& each : lanes) {
            if (each.idle || !each.has_record(cutting)) continue;
            auto const at = each.records[each.next].record.at;
            if (first == nullptr || at < first->records[first->next].record.at) first = &each;
        }
        if (first == nullptr) continue;
        auto const& record = first->records[first->next++];
        bool const late = progress && *progress - bound >= shifted_window(record.record.at).end.ns();
        (late ? out.refused : out.kept).push_back(record);
        first->newest = std::max(first->newest.value_or(INT64_MIN), record.record.at.ns());
        combine();
    }
    CHECK(entry == journal.end());
    return out;
}
}  // namespace

TEST_CASE("what idleness did to a job is in its journal: a replay and loops say the same", "[equivalence][idle]") {
    std::size_t decisions = 0, moves = 0, cuts = 0;
    std::size_t refused = 0;
    for_seeds(120, [&](std::uint64_t seed) {
        dice random{seed};
        auto of = random_shape(random, duration{random.between(0, 20) * 1'000'000'000});
        of.records = 1 + random.below(150);
        auto const bound = random.between(0, 15) * 1'000'000'000;
        auto const records = random_records(random, of);
        auto const p = windowed(from<sale>() | assign_time<&sale::at>(bounded_disorder{duration{bound}}), 0_s);
        memory_log<sale> log{of.partitions};
        memory_log<journal_entry> journal;
        seconds = 0;
        quiet_policy const policies[] = {on_quiet::hold, on_quiet::advance_with_clock,
            on_quiet::close_after(duration{random.between(0, 9) * 1'000'000'000})};
        stream mode{.until = end_of_log,
            .clock = clock_of_the_test,
            .idle_after = duration{random.between(1, 12) * 1'000'000'000},
            .when_quiet = policies[random.below(3)],
            .journal = journal_in(journal)};

        using late_t = driftless::bound<name<"late">, recorder&>;
        struct output {
            recorder out;
            recorder late;
        };
        output live;
        using live_job = job<stream, std::remove_const_t<decltype(p)>, memory_log<sale>&, late_t, recorder&>;
        std::optional<live_job> running;
        auto const start = [&](output& to) {
            mode.threads = 1 + static_cast<int>(random.below(3));
            running.emplace(mode, p, log, late_t{to.late}, to.out);
        };
        start(live);
        std::pair<std::string, output> saved{running->snapshot(), live};
        // Long silences of all but a few partitions, and of all.
        std::uint32_t speaks = 0;
        for (std::size_t next = 0; next < records.size();) {
            if (random.one_in(6)) speaks = static_cast<std::uint32_t>(random.below(1U << of.partitions));
            for (auto n = random.below(6); n != 0 && next < records.size(); --n, ++next) {
                if ((speaks >> records[next].partition & 1U) == 0 && !random.one_in(10)) break;
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

        auto const written = entries_of(journal);
        auto const expected = follow(records, of.partitions, written, bound);
        CHECK_SAME(live.out.rows, loops(expected.kept));
        CHECK_SAME(live.late.lines, said_late(expected.refused));
        decisions += written.size();
        for (auto const& each : written) cuts += each.what == static_cast<std::uint8_t>(journal_entry::kind::cut);
        for (auto const& each : written) moves += each.what == static_cast<std::uint8_t>(journal_entry::kind::moved);
        refused += expected.refused.size();

        output again;
        start(again);
        while (running->poll(1 + random.below(30)) != 0) {}
        running->drain();
        CHECK_SAME(again.out.lines, live.out.lines);
        CHECK_SAME(again.late.lines, live.late.lines);
        auto const followed = entries_of(journal);
        CHECK(std::equal(written.begin(), written.end(), followed.begin()));
        check_books(running->metrics(), records.size());
    });
    // The scripts are worth something.
    CHECK(decisions > 500);
    CHECK(moves > 50);
    CHECK(cuts > 500);
    CHECK(refused > 100);
}
