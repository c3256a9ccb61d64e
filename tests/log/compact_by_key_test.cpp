// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/compact_by_key.hpp>

#include <driftless/log/copy_log.hpp>
#include <driftless/log/evolution.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/log/untyped_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The cases with an L are those of Kafka's LogCleanerTest, of which the numbers are.

using namespace driftless;
using testing::memory_files;

namespace {
struct entry {
    std::int32_t key = 0;
    std::int64_t value = 0;  // 0: the key is deleted
    event_time at;
    friend bool operator==(entry const&, entry const&) = default;
};
struct named_entry {
    std::string key;
    text value;
    event_time at;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(entry, key, value, at);
BOOST_HANA_ADAPT_STRUCT(named_entry, key, value, at);

namespace {
constexpr auto key_of = [](auto const& each) { return each.key; };
constexpr auto is_deleted = [](entry const& each) { return each.value == 0; };

std::int64_t present = 0;
event_time clock_now() { return event_time{present}; }

file_log_options options_in(memory_files& files) {
    auto out = small_log::options_in(files);
    out.segment_bytes = 1;  // a segment for every flush
    out.block_bytes = 64 * 1024;
    out.clock = &clock_now;
    return out;
}
using log_type = file_log<entry>;
using offsets = std::vector<std::uint64_t>;

/// One segment of these keys.
template <class Log>
void append_segment(Log& log, std::vector<std::int32_t> const& keys, std::int64_t value = 1) {
    for (auto const key : keys) {
        auto const end = static_cast<std::int64_t>(log.end_offset());
        log.append(entry{key, value == 0 ? 0 : value * 1'000 + end, event_time{end}});
    }
    log.flush();
}
/// What is there, and that the ways to read agree.
template <class Log>
std::vector<std::pair<std::uint64_t, typename Log::value_type>> records_of(Log const& log) {
    std::vector<std::pair<std::uint64_t, typename Log::value_type>> out;
    std::uint64_t wrong = 0;
    for (auto at = log.begin_offset(); at < log.end_offset();) {
        auto const block = log.read(0, at);
        REQUIRE(block.size() > 0);
        wrong += block.offset(0) < at;
        block.each(0, block.size(),
            [&](std::size_t i, auto const& each) { out.emplace_back(block.offset(i), each); });
        at = block.next_offset();
    }
    CHECK(wrong == 0);
    for (std::size_t i = 0; i < out.size(); ++i) {  // from any offset on, the next one that is there
        for (auto at = i == 0 ? log.begin_offset() : out[i - 1].first + 1; at <= out[i].first; ++at) {
            wrong += log.read(0, at).offset(0) != out[i].first;
        }
    }
    CHECK(wrong == 0);
    return out;
}
template <class Log>
offsets offsets_of(Log const& log, std::uint64_t below = ~std::uint64_t{0}) {
    offsets out;
    for (auto const& [offset, each] : records_of(log)) {
        if (offset < below) out.push_back(offset);
    }
    return out;
}
std::string problems_in(memory_files& files, std::string const& folder = "log") {
    std::string out;
    verify_log_options options;
    options.files = &files;
    options.found = [&](log_finding const& each) {
        if (each.is_problem) out += each.path + ": " + each.what + "\n";
    };
    verify_log(folder, options);
    return out;
}
}  // namespace

TEST_CASE("L-01: with room for one key a compaction makes progress, and order and offsets stay", "[log][compact]") {
    memory_files files;
    log_type log{"log", options_in(files)};
    append_segment(log, {0, 1, 0, 1, 0});
    append_segment(log, {99});
    key_compaction const one{.keys_at_once = 1};
    auto const next = [&] {
        compact_by_key(log, key_of, is_deleted, one);
        return offsets_of(log, 5);
    };
    CHECK(next() == offsets{0, 1, 2, 3, 4});  // from 0: key 1 finds no room
    CHECK(compacted_before(log) == 1);
    CHECK(next() == offsets{0, 1, 2, 3, 4});
    CHECK(compacted_before(log) == 2);
    CHECK(next() == offsets{1, 2, 3, 4});
    CHECK(next() == offsets{2, 3, 4});
    CHECK(next() == offsets{3, 4});
    CHECK(next() == offsets{3, 4});
    CHECK(compacted_before(log) == 5);
    CHECK_THROWS_WITH(
        compact_by_key(log, key_of, is_deleted, {.keys_at_once = 0}), Catch::Contains("one key at least"));
}

TEST_CASE("L-02: tombstones are kept from the first compaction that saw them, not from their time", "[log][compact]") {
    memory_files files;
    constexpr std::int64_t retention = 1'000'000;
    key_compaction const how{.keep_tombstones = duration{retention}};
    present = 1'000;
    log_type log{"log", options_in(files)};
    append_segment(log, {0});
    log.append(entry{0, 0, event_time{present - retention - 10}});  // its own time is long ago
    log.flush();
    append_segment(log, {5});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{1, 2});
    present += 10;
    append_segment(log, {1});
    append_segment(log, {6});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{1, 2, 3, 4});
    present = 1'000 + retention - 1;
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{1, 2, 3, 4});
    present = 1'000 + retention;
    auto const last = compact_by_key(log, key_of, is_deleted, how);
    CHECK(last.tombstones == 1);
    CHECK(offsets_of(log) == offsets{2, 3, 4});
}

TEST_CASE("a tombstone waits for every registered reader", "[log][compact]") {
    memory_files files;
    key_compaction const how{.keep_tombstones = duration{0}};
    present = 0;
    log_type log{"log", options_in(files)};
    append_segment(log, {0});
    append_segment(log, {0}, 0);
    append_segment(log, {1});
    append_segment(log, {2});
    auto reader = log.register_reader("slow");
    compact_by_key(log, key_of, is_deleted, how);
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{1, 2, 3});
    reader.move_to(0, 2);
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{2, 3});
}

TEST_CASE("the newest sealed record stays, so that every offset below the end leads somewhere", "[log][compact]") {
    memory_files files;
    present = 0;
    key_compaction const how{.keep_tombstones = duration{0}};
    log_type log{"log", options_in(files)};
    append_segment(log, {0});
    append_segment(log, {0}, 0);
    append_segment(log, {5});
    for (int i = 0; i < 3; ++i) compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{1, 2});
    append_segment(log, {6});
    for (int i = 0; i < 2; ++i) compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{2, 3});
}

TEST_CASE("L-03: a deleted key does not come back", "[log][compact]") {
    memory_files files;
    present = 0;
    key_compaction const how{.keep_tombstones = duration{100}};
    constexpr std::int32_t n = 40;
    log_type log{"log", options_in(files)};
    for (std::int32_t key = 0; key < n; key += 4) append_segment(log, {key, key + 1, key + 2, key + 3});
    for (std::int32_t key = 0; key < n; key += 8) append_segment(log, {key, key + 2, key + 4, key + 6}, 0);
    for (std::int32_t key = n; key < 2 * n; key += 10) append_segment(log, {key, key + 1, key + 2, key + 3, key + 4});
    append_segment(log, {1'000});
    auto const live_even = [&] {
        std::size_t out = 0;
        for (auto const& [offset, each] : records_of(log)) out += each.key < n && each.key % 2 == 0 && each.value != 0;
        return out;
    };
    REQUIRE(live_even() == n / 2);
    CHECK(compact_by_key(log, key_of, is_deleted, how).superseded == n / 2);
    CHECK(live_even() == 0);
    present = 100;
    CHECK(compact_by_key(log, key_of, is_deleted, how).tombstones == n / 2);
    CHECK(live_even() == 0);
    std::map<std::int32_t, std::int64_t> table;
    for (auto const& [offset, each] : records_of(log)) table[each.key] = each.value;
    CHECK(table.size() == n / 2 + 20 + 1);
    CHECK(problems_in(files) == "");
}

TEST_CASE("L-04: offsets that are missing do not stall a compaction", "[log][compact]") {
    memory_files files;
    present = 0;
    key_compaction const how{.keep_tombstones = duration{0}};
    log_type log{"log", options_in(files)};
    // (a) 0..9, then the segment that begins with 11: the record at 10 is a tombstone that has gone.
    append_segment(log, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100});
    append_segment(log, {50});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(compacted_before(log) == 11);
    // (b) 0..9, 15..24, active from 30.
    append_segment(log, {100, 100, 100});  // 12, 13, 14
    append_segment(log, {10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
    append_segment(log, {100, 50, 50, 50, 100});  // up to 30
    append_segment(log, {7'000});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(compacted_before(log) == 30);
    auto const there = offsets_of(log);
    CHECK(there == offsets{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 28, 29, 30});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(compacted_before(log) == 30);
    append_segment(log, {0});
    append_segment(log, {8'000});
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(compacted_before(log) == 32);
    CHECK(offsets_of(log).front() == 1);
    CHECK(problems_in(files) == "");
}

TEST_CASE("L-06: what producers have sent is known after the records have gone", "[log][compact]") {
    memory_files files;
    present = 0;
    auto const batch = [](std::vector<std::int32_t> const& keys) {
        std::vector<entry> out;
        for (auto const key : keys) out.push_back({key, key + 1, event_time{key}});
        return out;
    };
    // The record that is being written stays away from what is compacted.
    auto const keys_of = [](log_type const& log) {
        std::vector<std::pair<std::uint64_t, std::int32_t>> out;
        for (auto const& [offset, each] : records_of(log)) {
            if (each.key < 1'000) out.emplace_back(offset, each.key);
        }
        return out;
    };
    using found = std::vector<std::pair<std::uint64_t, std::int32_t>>;
    {
        log_type log{"log", options_in(files)};
        CHECK(log.append_once(1, 0, batch({1, 2, 3})).offset == 0);
        log.flush();
        CHECK(log.append_once(2, 0, batch({3, 1, 4})).offset == 3);
        log.flush();
        CHECK(log.append_once(3, 0, batch({1, 4})).offset == 6);
        log.flush();
        append_segment(log, {1'000});
        compact_by_key(log, key_of);
        CHECK(keys_of(log) == found{{1, 2}, {3, 3}, {6, 1}, {7, 4}});
    }
    {
        log_type log{"log", options_in(files)};
        CHECK(keys_of(log) == found{{1, 2}, {3, 3}, {6, 1}, {7, 4}});
        auto const again = [&](std::uint64_t producer, std::vector<std::int32_t> const& keys, std::uint64_t first) {
            auto const sent = log.append_once(producer, 0, batch(keys));
            CHECK(sent.added == 0);
            CHECK(sent.offset == first);
        };
        again(1, {1, 2, 3}, 0);
        again(3, {1, 4}, 6);
        again(2, {3, 1, 4}, 3);
        CHECK(log.append_once(4, 0, batch({2})).offset == 9);  // 8 in Kafka, where nothing is in the active segment
        log.flush();
        append_segment(log, {1'001});
        compact_by_key(log, key_of);
        CHECK(keys_of(log) == found{{3, 3}, {6, 1}, {7, 4}, {9, 2}});
    }
    log_type log{"log", options_in(files)};
    auto const sent = log.append_once(1, 0, batch({1, 2, 3}));
    CHECK(sent.added == 0);
    CHECK(sent.offset == 0);
    CHECK(log.append_once(1, 3, batch({7})).added == 1);
    CHECK(log.append_once(2, 3, batch({7})).added == 1);
    CHECK(log.append_once(3, 2, batch({7})).added == 1);
    CHECK(log.append_once(4, 1, batch({7})).added == 1);
    CHECK(problems_in(files) == "");
}

TEST_CASE("L-08: what was given up is not seen, and what is undecided neither", "[log][compact]") {
    // p1: 1,2; p2: 2,3; p1: 3,4; p1 gives up; p2 commits; p1: 2, and commits. A transaction takes its offsets when it
    // commits: 2,3 of p2 have 0 and 1, and 2 of p1 has 2, where Kafka has them among the others at 2, 3 and 8.
    memory_files files;
    present = 0;
    log_type log{"log", options_in(files)};
    auto const put = [](log_type::transaction& in, std::vector<std::int32_t> const& keys) {
        for (auto const key : keys) in.append(entry{key, 1, event_time{key}});
    };
    auto p1 = log.begin();
    auto p2 = log.begin();
    put(p1, {1, 2});
    put(p2, {2, 3});
    put(p1, {3, 4});
    p1.abort();
    p2.commit();
    log.flush();
    auto again = log.begin();
    put(again, {2});
    again.commit();
    log.flush();
    auto undecided = log.begin();
    put(undecided, {3});
    undecided.prepare("later");
    append_segment(log, {9});
    compact_by_key(log, key_of);
    CHECK(offsets_of(log) == offsets{1, 2, 3});  // 3 and 2 live
    CHECK(log.prepared() == std::vector<std::string>{"later"});
    CHECK(log.commit_prepared("later"));
    append_segment(log, {8});
    compact_by_key(log, key_of);
    auto const all = records_of(log);
    std::vector<std::int32_t> keys;
    for (auto const& [offset, each] : all) keys.push_back(each.key);
    CHECK(keys == std::vector<std::int32_t>{2, 9, 3, 8});
    CHECK(problems_in(files) == "");
}

TEST_CASE("a transaction of several blocks is whole after a compaction", "[log][compact]") {
    memory_files files;
    auto options = options_in(files);
    options.block_bytes = 1'024;
    {
        log_type log{"log", options};
        auto several = log.begin();
        for (std::int32_t i = 0; i < 300; ++i) several.append(entry{i % 3, i + 1, event_time{i}});
        several.commit();
        log.flush();
        append_segment(log, {9});
        compact_by_key(log, key_of);
        CHECK(offsets_of(log) == offsets{297, 298, 299, 300});
        log.close();
    }
    CHECK(problems_in(files) == "");
    log_type const log{"log", options};
    CHECK(offsets_of(log) == offsets{297, 298, 299, 300});
}

TEST_CASE("a read as of an offset below what is compacted is an error, and exact behind it", "[log][compact]") {
    memory_files files;
    present = 0;
    log_type log{"log", options_in(files)};
    append_segment(log, {0, 1, 0});
    append_segment(log, {1, 2});
    append_segment(log, {0});
    std::uint64_t before = 0;
    read_as_of(log, 0, 2, [&](entry const&) { ++before; });
    CHECK(before == 2);
    compact_by_key(log, key_of);
    CHECK_THROWS_WITH(read_as_of(log, 0, 2, [](entry const&) {}), Catch::Contains("compacted by key up to offset 5"));
    for (std::uint64_t at = 5; at <= 6; ++at) {
        std::map<std::int32_t, std::int64_t> table;
        read_as_of(log, 0, at, [&](entry const& each) { table[each.key] = each.value; });
        CHECK(table == std::map<std::int32_t, std::int64_t>{{0, at == 5 ? 1'002 : 1'005}, {1, 1'003}, {2, 1'004}});
    }
}

TEST_CASE("pins hold a compaction back", "[log][compact]") {
    memory_files files;
    present = 0;
    log_type log{"log", options_in(files)};
    append_segment(log, {0, 0});
    append_segment(log, {0, 0});
    append_segment(log, {0});
    append_segment(log, {0});
    {
        auto const pin = log.pin(0, 3);
        compact_by_key(log, key_of);
        CHECK(offsets_of(log) == offsets{1, 2, 3, 4, 5});
    }
    compact_by_key(log, key_of);
    CHECK(offsets_of(log) == offsets{4, 5});
}

TEST_CASE("readers keep what they have, and others see what is left", "[log][compact]") {
    memory_files files;
    present = 0;
    log_type log{"log", options_in(files)};
    append_segment(log, {0, 1, 0, 1});
    append_segment(log, {0, 1});
    append_segment(log, {7});
    auto reading = options_in(files);
    reading.access = log_access::read;
    log_type const early{"log", reading};
    auto const held = early.read(0, 0);
    CHECK(held.size() == 4);
    compact_by_key(log, key_of);
    CHECK(held[0].key == 0);
    CHECK(held[3].key == 1);
    CHECK(held.offset(3) == 3);
    auto const seen = offsets_of(early);  // the files it has open, or the new ones
    CHECK(seen.size() >= 3);
    CHECK(seen.back() == 6);
    log_type const late{"log", reading};
    CHECK(offsets_of(late) == offsets{4, 5, 6});
    CHECK(late.begin_offset() == 0);
    CHECK(late.read(0, 0).offset(0) == 4);
    CHECK(log.offset_at(event_time::min()) == 0);
}

TEMPLATE_TEST_CASE("every layout is compacted, and compacted again, like a map by hand", "[log][compact]", rows, packed,
    columns) {
    memory_files files;
    present = 0;
    auto options = options_in(files);
    options.block_bytes = 1'024;
    options.segment_bytes = 3'000;
    using log_t = file_log<entry, TestType>;
    std::map<std::int32_t, std::pair<std::uint64_t, entry>> newest;
    log_t log{"log", options};
    std::uint64_t random = 12'345;
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 700; ++i) {
            random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
            entry const one{static_cast<std::int32_t>(random >> 33) % 90, static_cast<std::int64_t>(random >> 40) + 1,
                event_time{static_cast<std::int64_t>(i)}};
            auto const at = log.append(one);
            newest[one.key] = {at, one};
        }
        log.sync();
        compact_by_key(log, key_of);
        std::map<std::int32_t, std::pair<std::uint64_t, entry>> found;
        std::size_t records = 0;
        for (auto const& [offset, each] : records_of(log)) {
            found[each.key] = {offset, each};
            ++records;
        }
        CHECK(found == newest);
        CHECK(records < 400);
        CHECK(problems_in(files) == "");
        // The bounds of a block are those of what is left in it.
        for (auto at = log.begin_offset(); at < compacted_before(log);) {
            auto const block = log.read(0, at);
            auto least = event_time::max();
            auto greatest = event_time::min();
            block.each(0, block.size(), [&](std::size_t, entry const& each) {
                least = std::min(least, each.at);
                greatest = std::max(greatest, each.at);
            });
            CHECK(block.bounds(2).least == least);
            CHECK(block.bounds(2).greatest == greatest);
            at = block.next_offset();
        }
    }
    auto const there = offsets_of(log);
    log.close();
    untyped_log untyped{"log", files};
    std::size_t seen = 0;
    for (auto at = untyped.begin_offset(0); at < untyped.end_offset(0);) {
        auto const block = untyped.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) CHECK(block.offset(i) == there.at(seen++));
        at = block.next_offset();
    }
    CHECK(seen == there.size());
    auto const from = there[there.size() / 3] + 1;
    auto const to = there[there.size() / 2];
    CHECK(copy_log("log", "copy", {from, to, {3, 4}, &files}) == there.size() / 2 - there.size() / 3 - 1);
    CHECK(problems_in(files, "copy") == "");
    auto reading = options;
    reading.access = log_access::read;
    log_t const copy{"copy", reading};
    CHECK(copy.begin_offset() == from);
    CHECK(copy.end_offset() == to);
    offsets copied;
    read_offsets(copy, 0, {from, to}, [&](partition_offset const& at, entry const&) { copied.push_back(at.offset); });
    auto const part = [&](std::size_t i) { return there.begin() + static_cast<std::ptrdiff_t>(i); };
    CHECK(copied == offsets(part(there.size() / 3 + 1), part(there.size() / 2)));
}

TEST_CASE("keys may be text", "[log][compact]") {
    memory_files files;
    present = 0;
    file_log<named_entry> log{"log", options_in(files)};
    for (int i = 0; i < 30; ++i) {
        log.append(named_entry{"k" + std::to_string(i % 3), "v", event_time{i}});
        if (i % 4 == 3) log.flush();
    }
    log.flush();
    compact_by_key(log, key_of);
    CHECK(offsets_of(log) == offsets{25, 26, 27, 28, 29});  // the last two are in the active segment
}

TEST_CASE("a log that was compacted moves to a cold store, where deletes outlive what they delete", "[log][compact]") {
    memory_files files;
    present = 0;
    key_compaction const how{.keep_tombstones = duration{0}};
    tiered_log<log_type> log{"log", cold_folder{"cold", files}, {}, options_in(files)};
    append_segment(log, {0, 1, 0, 1});
    append_segment(log, {2});
    log.sync();
    compact_by_key(log, key_of, is_deleted, how);
    log.move_before(0, 4);
    CHECK(offsets_of(log) == offsets{2, 3, 4});
    append_segment(log, {0, 1, 2}, 0);
    append_segment(log, {3});
    append_segment(log, {4});
    compact_by_key(log, key_of, is_deleted, how);
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{2, 3, 5, 6, 7, 8, 9});  // 2 and 3 are cold
    log.trim(0, 4);
    compact_by_key(log, key_of, is_deleted, how);
    CHECK(offsets_of(log) == offsets{8, 9});
}

TEST_CASE("a cold store that ends with records that went leads on to what is hot", "[log][compact]") {
    memory_files files;
    tiered_log<log_type> log{"log", cold_folder{"cold", files}, {}, options_in(files)};
    append_segment(log, {0, 1, 2});
    append_segment(log, {2, 1});
    append_segment(log, {3});
    log.sync();
    compact_by_key(log, key_of);
    log.move_before(0, 3);
    CHECK(log.hot_offset() == 3);
    CHECK(offsets_of(log) == offsets{0, 3, 4, 5});  // 1 and 2, at the end of the cold store, went
    auto reading = options_in(files);
    reading.access = log_access::read;
    tiered_log<log_type> const reader{"log", cold_folder{"cold", files}, {}, reading};
    CHECK(offsets_of(reader) == offsets{0, 3, 4, 5});
    // The cold folder alone is a log that ends with a gap.
    CHECK(problems_in(files, "cold").empty());
    CHECK(copy_log("cold", "copy", {0, 3, {3, 4}, &files}) == 1);
    untyped_log untyped{"cold", files};
    std::uint64_t records = 0;
    for (auto at = untyped.begin_offset(0); at < untyped.end_offset(0);) {
        auto const block = untyped.read(0, at);
        records += block.record_at(block.next_offset()) - block.record_at(at);
        at = block.next_offset();
    }
    CHECK(records == 1);
    log_type const alone{"cold", reading};
    CHECK(alone.read(0, 0).next_offset() == 3);
    CHECK(alone.try_read(0, 1).error().code() == error_code::not_there);
}

TEST_CASE(
    "a tombstone stays while the cold store holds what it deletes, also where that is hot too", "[log][compact]") {
    memory_files files;
    present = 1'000;
    key_compaction const how{.keep_tombstones = duration{0}};
    tiered_log<log_type> log{"log", cold_folder{"cold", files}, {}, options_in(files)};
    append_segment(log, {0, 1});
    append_segment(log, {2});
    log.sync();
    log.move_before(0, 2);
    append_segment(log, {0}, 0);
    append_segment(log, {3});
    append_segment(log, {4});
    {
        auto const held = log.bring_back(0, 0);
        CHECK(log.hot_offset() == 0);
    }
    compact_by_key(log, key_of, is_deleted, how);
    present += 10;
    compact_by_key(log, key_of, is_deleted, how);
    present += 10;
    compact_by_key(log, key_of, is_deleted, how);
    log.move_before(0, 2);
    CHECK(log.hot_offset() == 2);
    CHECK(offsets_of(log) == offsets{0, 1, 2, 3, 4, 5});
}
