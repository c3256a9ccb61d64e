// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/memory_log.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace driftless;

namespace memory_log_test {
struct trip {
    text from;
    std::int64_t km;
    event_time left;
    event_time arrived;
};
struct note {
    std::string words;
    std::int32_t n;
};
struct plain {  // not reflected
    int n;
};
}  // namespace memory_log_test
BOOST_HANA_ADAPT_STRUCT(memory_log_test::trip, from, km, left, arrived);
BOOST_HANA_ADAPT_STRUCT(memory_log_test::note, words, n);
using memory_log_test::note;
using memory_log_test::plain;
using memory_log_test::trip;

static_assert(readable_log<memory_log<trip>>);
static_assert(readable_log<memory_log<trip, columns>>);
static_assert(readable_log<memory_log<event<int>>>);

namespace {
trip nth(std::int64_t i) { return {text{"x"}, i, event_time{i}, event_time{-i}}; }

/// Reads [from, to) of a partition block by block, as a job does.
template <class T, class Layout, class F>
void read(memory_log<T, Layout> const& log, std::uint32_t partition, std::uint64_t from, std::uint64_t to, F f) {
    while (from < to) {
        auto const block = log.read(partition, from);
        auto const n = std::min<std::uint64_t>(block.size(), to - from);
        block.each(0, static_cast<std::size_t>(n), [&](std::size_t i, T const& record) { f(from + i, record); });
        from += n;
    }
}
}  // namespace

TEMPLATE_TEST_CASE(
    "text is copied: what it pointed to may be overwritten after append", "[log][memory_log]", rows, columns) {
    memory_log<trip, TestType> log;
    std::string buffer;
    for (std::int64_t i = 0; i < 10'000; ++i) {
        buffer.assign(static_cast<std::size_t>(i % 50), static_cast<char>('a' + i % 26));
        trip record = nth(i);
        record.from = text{buffer};
        CHECK(log.append(record) == static_cast<std::uint64_t>(i));
        buffer.assign(buffer.size(), '!');
    }
    std::uint64_t next = 0;
    bool same = true;
    read(log, 0, 0, log.end_offset(), [&](std::uint64_t at, trip const& record) {
        auto const i = static_cast<std::int64_t>(next);
        same = same && at == next++ && record.km == i && record.left.ns() == i && record.arrived.ns() == -i
            && record.from == text{std::string(static_cast<std::size_t>(i % 50), static_cast<char>('a' + i % 26))};
    });
    CHECK(same);
    CHECK(next == 10'000);
}

TEMPLATE_TEST_CASE("std::string members come back as they went in", "[log][memory_log]", rows, columns) {
    memory_log<note, TestType> log;
    std::vector<note> notes;
    for (int i = 0; i < 600; ++i)
        notes.push_back({std::string(static_cast<std::size_t>(i * 7 % 60), static_cast<char>(i)), i});
    log.append(notes);
    notes[1].words = "changed afterwards";
    int seen = 0;
    bool same = true;
    read(log, 0, 0, log.end_offset(), [&](std::uint64_t, note const& each) {
        same = same && each.n == seen
            && each.words == std::string(static_cast<std::size_t>(seen * 7 % 60), static_cast<char>(seen));
        ++seen;
    });
    CHECK(same);
    CHECK(seen == 600);
    auto const block = log.read(0, 5);
    CHECK(block[3].words == std::string(56, char{8}));
    CHECK(block[0].n == 5);
}

TEMPLATE_TEST_CASE("a block ends at block_records, and every offset is found", "[log][memory_log]", rows, columns) {
    constexpr auto full = memory_log<trip, TestType>::block_records;
    memory_log<trip, TestType> log;
    for (std::size_t i = 0; i + 1 < full; ++i) log.append(nth(static_cast<std::int64_t>(i)));
    CHECK(log.read(0, 0).size() == full - 1);
    log.append(nth(full - 1));
    CHECK(log.read(0, 0).size() == full);
    CHECK(log.read(0, full - 1).size() == 1);
    log.append(nth(full));
    CHECK(log.read(0, 0).size() == full);
    CHECK(log.read(0, full).size() == 1);
    CHECK(log.read(0, full)[0].km == full);
    CHECK(log.read(0, full - 1)[0].km == full - 1);
    CHECK(log.end_offset() == full + 1);

    memory_log<trip, TestType> at_once;
    std::vector<trip> many;
    for (std::size_t i = 0; i < 2 * full + 1; ++i) many.push_back(nth(static_cast<std::int64_t>(i)));
    CHECK(at_once.append(many) == 0);
    CHECK(at_once.append(many) == 2 * full + 1);
    CHECK(at_once.end_offset() == 4 * full + 2);
    CHECK(at_once.read(0, 2 * full + 1)[0].km == 0);
}

TEST_CASE("a block knows the bounds of each event_time member, and of no other", "[log][memory_log]") {
    memory_log<trip> log;
    for (std::int64_t i : {5, 3, 9}) log.append(nth(i));
    auto const block = log.read(0, 1);
    CHECK(block.bounds(2).known);
    CHECK(block.bounds(2).least == event_time{3});
    CHECK(block.bounds(2).greatest == event_time{9});
    CHECK(block.bounds(3).least == event_time{-9});
    CHECK(block.bounds(3).greatest == event_time{-3});
    CHECK(!block.bounds(4).known);
    // A second block has its own.
    for (std::size_t i = 3; i < memory_log<trip>::block_records; ++i) log.append(nth(4));
    log.append(nth(1));
    CHECK(log.read(0, 0).bounds(2).least == event_time{3});
    CHECK(log.read(0, memory_log<trip>::block_records).bounds(2).greatest == event_time{1});
    CHECK(log.read(0, 0).append_time() <= log.read(0, memory_log<trip>::block_records).append_time());

    memory_log<event<int>> events;
    events.append({1, event_time{7}});
    events.append({2, event_time{-7}});
    CHECK(events.read(0, 0).bounds(0).least == event_time{-7});
    CHECK(events.read(0, 0).bounds(0).greatest == event_time{7});
    memory_log<plain> plains;
    plains.append({1});
    CHECK(!plains.read(0, 0).bounds(0).known);
}

TEST_CASE("partitions are numbered each for itself", "[log][memory_log]") {
    memory_log<trip> log{3};
    CHECK(log.partitions() == 3);
    CHECK(log.append(nth(1), 2) == 0);
    CHECK(log.append(nth(2), 2) == 1);
    CHECK(log.append(nth(3), 0) == 0);
    CHECK(log.append(std::vector<trip>{}, 1) == 0);
    CHECK(log.end_offset(0) == 1);
    CHECK(log.end_offset(1) == 0);
    CHECK(log.end_offset(2) == 2);
    CHECK(log.read(2, 1)[0].km == 2);
}

TEMPLATE_TEST_CASE(
    "readers see whole records in order while several threads append", "[log][memory_log][threads]", rows, columns) {
    constexpr std::int64_t per_writer = 3000;
    constexpr int writers = 3;
    memory_log<trip, TestType> log{2};
    std::atomic<bool> failed{false};
    auto const read_all = [&] {
        std::vector<std::int64_t> last(writers * 2, -1);
        std::uint64_t next[2] = {};
        while (!failed && (next[0] < writers * per_writer || next[1] < writers * per_writer)) {
            for (std::uint32_t p = 0; p < 2; ++p) {
                auto const end = log.end_offset(p);
                if (next[p] == end) std::this_thread::yield();
                read(log, p, next[p], end, [&](std::uint64_t, trip const& record) {
                    auto const writer = record.km / 1'000'000;
                    auto const i = record.km % 1'000'000;
                    auto& before = last[static_cast<std::size_t>(writer * 2 + p)];
                    if (i != before + 1 || record.left.ns() != record.km || record.arrived.ns() != -record.km
                        || record.from != text{std::to_string(record.km)}) {
                        failed = true;
                    }
                    before = i;
                });
                if (end != 0) {
                    auto const bounds = log.read(p, end - 1).bounds(2);
                    if (bounds.greatest < bounds.least) failed = true;
                }
                next[p] = end;
            }
        }
    };
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w) {
        threads.emplace_back([&, w] {
            for (std::int64_t i = 0; i < per_writer; ++i) {
                auto const km = w * 1'000'000 + i;
                auto const name = std::to_string(km);
                trip record = nth(km);
                record.from = text{name};
                if (i % 2 == 0) {
                    log.append(record, 0);
                    log.append(record, 1);
                } else {
                    log.append(std::vector<trip>{record}, 0);
                    log.append(&record, &record + 1, 1);
                }
            }
        });
    }
    threads.emplace_back(read_all);
    threads.emplace_back(read_all);
    for (auto& each : threads) each.join();
    CHECK(!failed);
    CHECK(log.end_offset(0) == writers * per_writer);
}

TEST_CASE("subscribers are woken by appends until they unsubscribe", "[log][memory_log]") {
    memory_log<trip> log;
    wakeup who;
    log.subscribe(who);
    auto const before = who.seen();
    log.append(nth(1));
    CHECK(who.seen() == before + 1);
    log.append(std::vector<trip>{nth(1), nth(2), nth(3)});
    CHECK(who.seen() == before + 2);
    log.unsubscribe(who);
    log.append(nth(1));
    CHECK(who.seen() == before + 2);
}

TEMPLATE_TEST_CASE(
    "blocks grow to 16 times the first, and every offset is found in its block", "[log][memory_log]", rows, columns) {
    constexpr std::uint64_t full = memory_log<trip, TestType>::block_records;
    constexpr std::uint64_t n = 50 * full + 7;
    memory_log<trip, TestType> log;
    for (std::uint64_t i = 0; i < n; ++i) log.append(nth(static_cast<std::int64_t>(i)));
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t at = 0; at < n;) {
        auto const block = log.read(0, at);
        sizes.push_back(block.size());
        for (std::uint64_t const i : {std::uint64_t{0}, block.size() / 2, block.size() - 1}) {
            CHECK(block[i].km == static_cast<std::int64_t>(at + i));
            CHECK(log.read(0, at + i)[0].km == static_cast<std::int64_t>(at + i));
            CHECK(log.read(0, at + i).size() == block.size() - i);
        }
        CHECK(block.bounds(2).least == event_time{static_cast<std::int64_t>(at)});
        CHECK(block.bounds(2).greatest == event_time{static_cast<std::int64_t>(at + block.size() - 1)});
        at += block.size();
    }
    CHECK(sizes
        == std::vector<std::uint64_t>{full, full, 2 * full, 4 * full, 8 * full, 16 * full, 16 * full, 2 * full + 7});
}
