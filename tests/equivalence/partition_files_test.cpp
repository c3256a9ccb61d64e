// SPDX-License-Identifier: BSL-1.0
// As partitions_test, over logs whose blocks come and go: what threads that read partitions keep of a record outlives
// its block, whatever the log is made of, and damage is told in its turn.
#include <driftless/log/file_log.hpp>

#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/op/map.hpp>
#include <driftless/testing/memory_files.hpp>
#include <equivalence/generated.hpp>
#include <equivalence/partition_runs.hpp>
#include <log/small_log.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr std::uint32_t partitions = 3;

/// Batch and stream, on any number of threads, also one that changes at restores.
void check_over(auto const& log) {
    auto const batch_rows = [&](int threads) {
        told out;
        out.books = run(batch{.threads = threads}, by_shop, log, sink_into(out.rows));
        return out;
    };
    auto const stream_rows = [&](int threads, bool moving = false) {
        told out;
        auto sink = sink_into(out.rows);
        std::optional<job<stream, std::remove_const_t<decltype(by_shop)>, decltype(log), decltype(sink)&>> running;
        running.emplace(stream{.threads = threads}, by_shop, log, sink);
        while (running->poll(9'000) != 0) {
            out.snapshots.push_back(running->snapshot());
            if (!moving) continue;
            running.emplace(stream{.threads = 1 + static_cast<int>(out.snapshots.size() % 3)}, by_shop, log, sink);
            running->restore(out.snapshots.back());
        }
        running->drain();
        out.books = running->metrics();
        return out;
    };
    auto const batch_once = batch_rows(1);
    auto const stream_once = stream_rows(1);
    CHECK(batch_once.rows.size() > 40);
    CHECK(stream_once.snapshots.size() > 2);
    for (int const threads : {2, 3}) {
        check_same(batch_rows(threads), batch_once);
        check_same(stream_rows(threads), stream_once);
    }
    check_same(batch_rows(7), batch_once);  // more than partitions
    auto const moved = stream_rows(2, true);
    CHECK((moved.rows == stream_once.rows));
    CHECK((moved.snapshots == stream_once.snapshots));
}
file_log_options small_files(testing::memory_files& files) {
    file_log_options how;
    how.partitions = partitions;
    how.background = false;
    how.segment_bytes = std::uint64_t{64} << 10;
    how.block_bytes = 4096;
    how.files = &files;
    return how;
}
void append_some(auto& log, std::uint64_t seed, std::size_t count) {
    for (auto const& each : many_records(seed, partitions, count, 50, false)) log.append(each.record, each.partition);
}
/// What compaction leaves of a log of 30,000 records.
void check_over_compacted(auto& log) {
    compact_by_key(log, [](sale const& s) { return s.cents * 50 + s.item; });
    auto const left = run(batch{}, by_shop, log).report().records;
    CHECK(left > 10'000);
    CHECK(left < 30'000);
    check_over(log);
}
}  // namespace

TEST_CASE("threads read partitions of files: records one after the other", "[equivalence][threads]") {
    testing::memory_files files;
    file_log<sale, packed> log{"sales", small_files(files)};
    append_some(log, 12, 30'000);
    check_over(log);
    check_over_compacted(log);
}

TEST_CASE("threads read partitions of files: columns", "[equivalence][threads]") {
    testing::memory_files files;
    auto how = small_files(files);
    how.deltas = true;
    file_log<sale, columns> log{"sales", how};
    append_some(log, 11, 30'000);
    check_over(log);
    check_over_compacted(log);
}

TEST_CASE("threads read partitions of files: hot ones, then the older half cold", "[equivalence][threads]") {
    testing::memory_files files;
    tiered_log<file_log<sale, columns>> log{"sales", cold_folder{"cold", files}, tiering{}, small_files(files)};
    append_some(log, 13, 30'000);
    log.sync();
    for (std::uint32_t p = 0; p < partitions; ++p) log.move_before(p, log.end_offset(p) / 2);
    REQUIRE(log.hot_offset(0) > 0);
    REQUIRE(log.hot_offset(0) < log.end_offset(0));
    check_over(log);
}

TEST_CASE("threads read one partition of files in stretches", "[equivalence][threads]") {
    testing::memory_files files;
    auto how = small_files(files);
    how.partitions = 1;
    file_log<sale, packed> log{"sales", how};
    for (auto const& each : many_records(14, 1, 30'000, 50, false)) log.append(each.record);
    auto const check = [&] {
        auto const rows = [&](int threads) {
            told out;
            out.books = run(batch{.threads = threads}, by_shop, log, sink_into(out.rows));
            return out;
        };
        auto const once = rows(1);
        CHECK(once.rows.size() > 40);
        for (int const threads : {2, 7}) check_same(rows(threads), once);
    };
    check();
    compact_by_key(log, [](sale const& s) { return s.cents * 50 + s.item; });
    check();  // offsets are missing
}

TEST_CASE("threads that read partitions: what came before damage is told before the job fails",
    "[equivalence][threads]") {
    testing::memory_files files;
    auto how = small_files(files);
    how.durable = on_close;
    {
        file_log<sale, packed> log{"sales", how};
        append_some(log, 13, 60'000);
        log.close();
    }
    how.access = log_access::read;
    auto segments = small_log::paths_in(files, "sales/p00001");
    std::erase_if(segments, [](std::string const& path) { return !path.ends_with(".segment"); });
    REQUIRE(segments.size() > 5);
    small_log::flip(files, segments[segments.size() / 2], 20'000);
    file_log<sale, packed> const log{"sales", how};
    auto const failed = [&](int threads, event_time fails_at) {
        auto const pipeline = timed | map([fails_at](sale const& s) {
            if (s.at == fails_at) throw std::runtime_error{"no such price"};
            return s;
        }) | key_by<&sale::item>()
            | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
        lines rows;
        auto sink = sink_into(rows);
        job running{stream{.threads = threads}, pipeline, log, sink};
        try {
            running.drain();
            FAIL("it is damaged");
        } catch (error const& problem) {
            rows.push_back(std::to_string(problem.offset()) + ": " + problem.what());
        }
        return rows;
    };
    auto const damaged = failed(1, event_time::min());
    CHECK(damaged.size() > 40);
    for (int const threads : {2, 3}) CHECK((failed(threads, event_time::min()) == damaged));
    // A function that fails just before it comes first.
    auto last_time = event_time::min();
    auto const read_all = [&] {
        for (std::uint64_t at = 0; at < log.end_offset(1);) {
            auto const block = log.read(1, at);
            at += block.size();
            last_time = block[block.size() - 1].at;
        }
    };
    CHECK_THROWS_AS(read_all(), error);
    auto const earlier = failed(1, last_time);
    CHECK(earlier.back() != damaged.back());
    for (int const threads : {2, 3}) CHECK((failed(threads, last_time) == earlier));
    // Nobody is at work when the caller hears of it.
    job running{stream{.threads = 3}, by_shop, log};
    CHECK_THROWS_AS(running.drain(), error);
    CHECK(!running.results().empty());
}
