// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/every_fault.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// Whatever a compaction is in the middle of when its process or the power ends: the last value of every key is that of
// the records that were appended, and the next compaction finishes.

using namespace driftless;
using log_conformance::reading;
using testing::memory_files;

namespace {
constexpr std::uint64_t per_segment = 25;

/// Some keys are deleted for good, some come back.
reading numbered(std::uint64_t i) {
    bool const deleted = i % 5 == 3 && i % 50 >= 25;
    return {static_cast<std::int32_t>(i * 7 % 17), deleted ? 0 : static_cast<std::int64_t>(i) + 1,
        event_time{static_cast<std::int64_t>(i)}, false};
}
constexpr auto key_of = [](reading const& each) { return each.sensor; };
constexpr auto is_deleted = [](reading const& each) { return each.value == 0; };
constexpr key_compaction at_once{.keep_tombstones = duration{0}};

file_log_options options_in(memory_files& files) {
    auto out = small_log::options_in(files);
    out.segment_bytes = 1;
    out.block_bytes = 1'024;
    return out;
}
using log_type = file_log<reading>;

struct promises {
    std::uint64_t attempted = 0;
    std::uint64_t durable = 0;
};
void append_some(log_type& log, promises& out, std::uint64_t segments) {
    for (std::uint64_t s = 0; s < segments; ++s) {
        for (std::uint64_t i = 0; i < per_segment; ++i) {
            out.attempted = log.end_offset() + 1;
            log.append(numbered(log.end_offset()));
        }
        log.flush();
    }
    log.sync();
    out.durable = log.end_offset();
}
void live(memory_files& files, promises& out) {
    for (int round = 0; round < 2; ++round) {
        log_type log{"log", options_in(files)};
        append_some(log, out, 3);
        compact_by_key(log, key_of, is_deleted, {.keep_tombstones = duration{0}, .keys_at_once = 9});
        append_some(log, out, 1);
        compact_by_key(log, key_of, is_deleted, at_once);
        compact_by_key(log, key_of, is_deleted, at_once);
        log.close();
    }
}
using table = std::map<std::int32_t, std::int64_t>;
void put_in(table& to, reading const& each) {
    if (is_deleted(each)) to.erase(each.sensor);
    else to[each.sensor] = each.value;
}
table table_until(std::uint64_t end) {
    table out;
    for (std::uint64_t i = 0; i < end; ++i) put_in(out, numbered(i));
    return out;
}
/// Every record is what was appended at its offset; returns how many there are.
std::size_t check_table(log_type const& log) {
    table found;
    std::size_t records = 0;
    std::uint64_t wrong = 0;
    read_offsets(log, 0, {log.begin_offset(), log.end_offset()}, [&](partition_offset const& at, reading const& each) {
        wrong += !(each == numbered(at.offset));
        put_in(found, each);
        ++records;
    });
    CHECK(wrong == 0);
    CHECK(found == table_until(log.end_offset()));
    return records;
}
void check_after(memory_files& files, promises const& told) {
    log_type log{"log", options_in(files)};
    CHECK(log.end_offset() >= told.durable);
    CHECK(log.end_offset() <= told.attempted);
    check_table(log);
    // Behind the point that is told for compacted nothing is missing.
    auto const point = compacted_before(log);
    std::uint64_t behind = 0;
    if (point < log.end_offset()) read_offsets(log, 0, {point, log.end_offset()}, [&](reading const&) { ++behind; });
    CHECK(behind == log.end_offset() - std::min(point, log.end_offset()));
    promises more;
    append_some(log, more, 2);
    compact_by_key(log, key_of, is_deleted, at_once);
    compact_by_key(log, key_of, is_deleted, at_once);
    // The keys, the active segment, and the newest record of the others.
    CHECK(check_table(log) <= 17 + per_segment + 1);
    log.close();
    verify_log_options options;
    options.files = &files;
    options.found = [&](log_finding const& each) { FAIL_CHECK(each.path << ": " << each.what); };
    verify_log("log", options);
}
}  // namespace

TEST_CASE("killed anywhere in a compaction, every key has its last value", "[log][compact][crash]") {
    every_fault::killed_anywhere<promises>(live, check_after);
}

TEST_CASE("a loss of power anywhere in a compaction takes no key's last value", "[log][compact][crash]") {
    every_fault::without_power_anywhere<promises>(live, check_after);
}

TEST_CASE("a segment that was written anew never has the index file of the old one", "[log][compact][crash]") {
    using detail::index_ending;
    using detail::segment_ending;
    std::uint64_t replaced = 0;
    for (std::uint64_t const seed : {0U, 1U, 2U, 3U}) {  // 0: the process ends; else the power
        bool done = false;
        for (std::uint64_t nth = 1; !done; ++nth) {
            INFO("operation " << nth << ", seed " << seed);
            memory_files files;
            std::map<std::string, std::string> before;
            {
                log_type log{"log", options_in(files)};
                promises told;
                append_some(log, told, 4);
                for (auto const& path : small_log::paths_in(files)) before[path] = small_log::bytes_of(files, path);
                files.inject(nth, testing::fault::cut);
                try {
                    compact_by_key(log, key_of, is_deleted, at_once);
                    done = true;
                } catch (error const&) {  // NOLINT(bugprone-empty-catch): looked at below
                }
            }
            files.inject(0, testing::fault::cut);
            if (seed == 0) files.restart();
            else files.lose_power(seed * 1'000 + nth);
            for (auto const& [path, bytes] : before) {
                if (!path.ends_with(segment_ending) || small_log::bytes_of(files, path) == bytes) continue;
                auto const index = path.substr(0, path.size() - segment_ending.size()) + std::string{index_ending};
                REQUIRE(before.contains(index));
                CHECK((!files.exists(index) || small_log::bytes_of(files, index) != before[index]));
                ++replaced;
            }
        }
    }
    CHECK(replaced > 20);
}
