// SPDX-License-Identifier: BSL-1.0
// Incremental snapshots: what a folder says of a job is, to the byte, what the job holds, however many snapshots the
// state is spread over; and a job that goes on from there is the job that never stopped. For every operator that keeps
// windows, with snapshots that fail in between, restarts, and other numbers of threads.
#include <driftless/op/dedup.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/testing/memory_files.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace equivalence;
using testing::fault;
using testing::memory_files;

namespace incremental_functions {
/// Counts, says so after a while, and at the end.
struct counts {
    struct state {
        std::int64_t n = 0;
        event_timer soon;
    };
    void on_record(state& own, sale const& s, auto& context) const {
        own.n += s.cents & 3;
        if (own.n % 3 == 0) context.set(own.soon, s.at + 2_s);
    }
    void on_timer(state& own, fired_timer const&, auto& context) const { context.emit(own.n++); }
    void on_close(state& own, auto& context) const { context.emit(own.n); }
};
}  // namespace incremental_functions
BOOST_HANA_ADAPT_STRUCT(incremental_functions::counts::state, n, soon);

namespace {
/// The state that the newest snapshot of the folder speaks of, as job::snapshot() would have it.
struct stored {
    std::string bytes;
    std::size_t from_before = 0;  // extents that lie in the file of an earlier snapshot
    std::size_t files = 0;

    explicit stored(memory_files& files_of) {
        snapshot_store const store{"state", files_of};
        auto const manifest = store.read(store.numbers().back());
        snapshot_store::reader reader{store, manifest};
        byte_writer out{bytes};
        std::string room;
        files = manifest.files.size();
        for (auto const& member : manifest.members) {
            auto const part = reader.bytes_of(member, room);
            if (&member == &manifest.members.front()) out.put_bytes(part);
            else out.write(std::string_view{member.name}).write(part);
            for (auto const& each : member.extents) from_before += each.file != 0 ? 1 : 0;
        }
    }
};

using log_t = memory_log<sale, rows>;
using named_log = bound<name<"sales">, log_t&>;

struct books {
    std::size_t from_before = 0;
    std::size_t failed = 0;
    std::size_t restarts = 0;
};

/// Runs a job with a folder over a log that grows: snapshots, failures and restarts from the folder at random.
template <class P>
std::vector<std::string> in_parts(
    P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, std::uint64_t seed, books& all) {
    dice random{seed};
    memory_files files;
    log_t log{partitions};
    recorder out;
    std::optional<job<stream, P, named_log, recorder&>> running;
    auto const start = [&] {
        running.reset();
        stream how{.threads = 1 + static_cast<int>(random.below(3)), .snapshots = "state"};
        how.snapshot_options = {.every = {}, .tolerated_failures = 1000, .files = &files};
        how.snapshot_options.keep = 1 + random.below(3);
        how.snapshot_options.full_every = 1 + random.below(8);
        running.emplace(how, pipeline, named_log{log}, out);
    };
    /// True if there is one now.
    auto const save = [&](bool fails) {
        auto const before = running->metrics().warnings;
        if (fails) files.inject(1 + random.below(8), fault::fail);
        running->save_snapshot();
        files.inject(0, fault::fail);
        if (running->metrics().warnings != before) return ++all.failed, false;
        auto const state = running->snapshot();
        stored const there{files};
        CHECK(state.ends_with(there.bytes));
        CHECK(there.bytes.size() + 100 > state.size());
        all.from_before += there.from_before;
        return true;
    };
    start();
    for (std::size_t appended = 0; appended < records.size();) {
        for (auto chunk = 1 + random.below(60); chunk != 0 && appended < records.size(); --chunk, ++appended)
            log.append(records[appended].record, records[appended].partition);
        running->poll(random.below(80));
        if (random.one_in(2)) continue;
        if (!save(random.one_in(4)) || !random.one_in(3)) continue;
        if (random.one_in(4)) {
            auto const state = running->snapshot();
            start();
            running->restore(state);  // what the folder has is not what it holds, for all it knows
        } else {
            auto const state = running->snapshot();
            start();
            CHECK(running->snapshot() == state);
        }
        ++all.restarts;
    }
    running->drain();
    return out.lines;
}

template <class P>
std::vector<std::string> at_once(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions) {
    log_t log{partitions};
    recorder out;
    fill(log, records);
    run(stream{.until = drained}, pipeline, named_log{log}, out);
    return out.lines;
}

/// Many keys and much lateness: windows that are open and large, and few of them touched between two snapshots.
template <class Make>
void check(Make make, std::size_t shops = 40) {
    books all;
    for_seeds(8, [&](std::uint64_t seed) {
        dice random{seed};
        auto const partitions = 1 + static_cast<std::uint32_t>(random.below(2));
        shape of{.records = 900, .partitions = partitions, .disorder = 3_s, .shops = shops, .items = 30};
        of.step_ms = 150;
        of.edges = 0;
        auto const records = random_records(random, of);
        auto const pipeline = make();
        auto const once = at_once(pipeline, records, of.partitions);
        CHECK(!once.empty());
        CHECK_SAME(in_parts(pipeline, records, of.partitions, seed, all), once);
    });
    INFO(all.from_before << " parts of earlier files, " << all.failed << " failures, " << all.restarts << " restarts");
    CHECK(all.from_before > 20);  // else nothing was tried
    CHECK(all.failed > 5);
    CHECK(all.restarts > 5);
}
auto timed() { return from<sale>("sales"_name) | assign_time<&sale::at>(bounded_disorder{3_s}); }
auto by_shop() { return timed() | key_by<&sale::shop>(); }
auto by_item() { return timed() | key_by<&sale::item>(); }
}  // namespace

TEST_CASE("incremental: windows that have not fired", "[equivalence][incremental]") {
    check([] {
        return from<sale>("sales"_name) | assign_time<&sale::at>(bounded_disorder{20_s}) | key_by<&sale::shop>()
            | window(tumbling{4_s, 1_s}) | aggregate(count(), sum<&sale::cents>());
    });
}
TEST_CASE("incremental: windows that have fired and are open for late records", "[equivalence][incremental]") {
    check([] {
        return by_shop() | window(tumbling{4_s}, allowed_lateness{15_s})
            | aggregate(count(), max<&sale::shop>(), sum<&sale::cents>());
    });
}
TEST_CASE("incremental: windows that overlap", "[equivalence][incremental]") {
    check([] {
        return by_item() | window(sliding{8_s, 2_s}, allowed_lateness{10_s}) | aggregate(collect<&sale::cents>());
    });
}
TEST_CASE("incremental: slices of sliding windows", "[equivalence][incremental]") {
    check([] { return by_shop() | window(sliding{12_s, 2_s}) | aggregate(count(), sum<&sale::cents>()); });
    check([] { return by_shop() | window(sliding{12_s, 2_s}) | aggregate(max<&sale::cents>()); });
}
TEST_CASE("incremental: named triggers", "[equivalence][incremental]") {
    check([] {
        return by_shop()
            | window(tumbling{4_s}, allowed_lateness{15_s}, at_watermark().early(every(3)).late(every(2)), discarding{})
            | aggregate(count(), sum<&sale::cents>());
    });
    check([] {
        return by_item() | window(tumbling{4_s}, allowed_lateness{15_s}, at_watermark().early(every(3)))
            | aggregate(count(), sum<&sale::cents>());
    });
}
TEST_CASE("incremental: aggregates over what an aggregate corrects", "[equivalence][incremental]") {
    check([] {
        return by_shop() | window(tumbling{4_s}, allowed_lateness{15_s}) | aggregate(count())
            | key_by([](auto const& row) { return row.value % 40; }) | aggregate(count());
    });
}
TEST_CASE("incremental: distinct and dedup", "[equivalence][incremental]") {
    check([] { return by_shop() | window(tumbling{4_s}, allowed_lateness{15_s}) | distinct<&sale::item>(); });
    check([] { return by_shop() | dedup<&sale::item, &sale::cents>(6_s, allowed_lateness{2_s}); });
}
TEST_CASE("incremental: groups of two inputs", "[equivalence][incremental]") {
    check([] {
        auto const windows = window(tumbling{4_s}, allowed_lateness{15_s});
        return join(by_shop() | filter([](sale const& s) { return s.item < 5; }) | windows,
            by_shop() | filter([](sale const& s) { return s.item > 22; }) | windows, left_outer{});
    });
}
TEST_CASE("incremental: process in windows", "[equivalence][incremental]") {
    check([] {
        return by_shop() | window(tumbling{4_s}, allowed_lateness{15_s})
            | process<std::int64_t>(incremental_functions::counts{});
    });
}
TEST_CASE("incremental: sessions and what has one table for all of time are whole each time",
    "[equivalence][incremental]") {
    books all;
    for_seeds(12, [&](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = 500, .disorder = 3_s, .shops = 30, .edges = 0});
        auto const pipeline = by_shop() | window(session{3_s}) | aggregate(count(), sum<&sale::cents>());
        CHECK_SAME(in_parts(pipeline, records, 1, seed, all), at_once(pipeline, records, 1));
    });
    CHECK(all.restarts > 5);
}
TEST_CASE("incremental: behind restore() a snapshot is whole", "[equivalence][incremental]") {
    auto const pipeline = timed() | key_by<&sale::shop>() | window(tumbling{10000_s}) | aggregate(sum<&sale::cents>());
    dice random{7};
    auto const records = random_records(random, {.records = 400, .shops = 40, .edges = 0});
    memory_files files;
    log_t log{1};
    recorder out;
    job running{stream{.snapshots = "state", .snapshot_options = {.every = {}, .files = &files}}, pipeline,
        named_log{log}, out};
    for (std::size_t i = 0; i < 200; ++i) log.append(records[i].record);
    running.poll();
    running.save_snapshot();
    auto const older = running.snapshot();
    for (std::size_t i = 200; i < 400; ++i) log.append(records[i].record);
    running.poll();
    running.save_snapshot();
    CHECK(running.snapshot().ends_with(stored{files}.bytes));
    CHECK(stored{files}.bytes != older);
    running.restore(older);
    running.save_snapshot();
    CHECK(running.snapshot() == older);
    CHECK(older.ends_with(stored{files}.bytes));
    CHECK(stored{files}.files == 1);
}
