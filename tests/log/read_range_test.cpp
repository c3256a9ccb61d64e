// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/read_range.hpp>
#include <support/catch.hpp>

#include <driftless/core/pane.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <support/rapidcheck.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using testing::memory_files;

namespace {
event_time at_ms(std::int64_t ms) { return event_time::from_ms(ms); }

/// Two times, so that the wrong one would show; larger than it needs to be, so that blocks are many.
struct trip {
    std::uint64_t number = 0;
    event_time begin;
    event_time end;
    std::array<std::uint64_t, 12> rest{};
};
struct unknown_trip {  // not adapted: no bounds
    event_time begin;
};

file_log_options small_in(memory_files& files, std::uint32_t partitions = 1) {
    file_log_options out;
    out.partitions = partitions;
    out.durable = on_close;
    out.background = false;
    out.segment_bytes = 20'000;
    out.block_bytes = 1'024;
    out.files = &files;
    return out;
}

template <class Log>
std::vector<partition_offset> places_in(Log const& log, event_time Log::value_type::* time, time_window const& times) {
    std::vector<partition_offset> out;
    auto const report = read_times(log, time, times,
        [&](partition_offset const& at, typename Log::value_type const&) { out.push_back(at); });
    CHECK(report.records == out.size());
    return out;
}
/// The same by looking at every record.
template <class Log>
std::vector<partition_offset> expected_in(
    Log const& log, event_time Log::value_type::* time, time_window const& times) {
    std::vector<partition_offset> out;
    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        for (auto at = log.begin_offset(p); at < log.end_offset(p); ++at) {
            auto const record = log.read(p, at)[0];
            if (times.start <= record.*time && record.*time < times.end) out.push_back({p, at});
        }
    }
    return out;
}
}  // namespace

BOOST_HANA_ADAPT_STRUCT(trip, number, begin, end, rest);

TEST_CASE("a range of a partition that is not there is refused", "[log][read_range]") {
    memory_log<reading> const log{2};
    auto const none = [](reading const&) {};
    CHECK_THROWS_AS(read_offsets(log, 2, {}, none), error);
    CHECK_THROWS_AS(read_times(log, 2, &reading::at, {}, none), error);
    CHECK(read_offsets(log, 1, {}, none).records == 0);
    CHECK(read_times(log, 1, &reading::at, {}, none).blocks_read == 0);
}

namespace {
/// A log that has lost its beginning.
struct trimmed_log {
    using value_type = reading;
    memory_log<reading> all;
    [[nodiscard]] std::uint32_t partitions() const { return all.partitions(); }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t) const { return 10; }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const { return all.end_offset(p); }
    [[nodiscard]] auto read(std::uint32_t p, std::uint64_t from) const { return all.read(p, from); }
};
}  // namespace

TEST_CASE("offsets that have been removed are an error, an empty range is none", "[log][read_range]") {
    trimmed_log log;
    log_conformance::append_some(log.all, 0, 30);
    auto const none = [](reading const&) {};
    try {
        read_offsets(log, 0, {9, 20}, none);
        FAIL("read what is not there");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::not_there);
        CHECK(problem.offset() == 9);
        CHECK(std::string{problem.what()}.find("begins at 10") != std::string::npos);
    }
    CHECK(read_offsets(log, 0, {9, 9}, none).records == 0);
    CHECK(read_offsets(log, 0, {10, 20}, none).records == 10);
    CHECK(read_times(log, &reading::at, {}, none).records == 20);
}

TEST_CASE("a range of offsets is read from its first record up to the one before its end", "[log][read_range]") {
    memory_log<reading> log;
    log_conformance::append_some(log, 0, 10'000);
    for (auto const& [from, to] : {std::pair{0U, 0U}, {5U, 3U}, {0U, 1U}, {7U, 8U}, {4'095U, 4'098U}, {9'990U, 20'000U},
             {20'000U, 30'000U}, {0U, 10'000U}}) {
        std::vector<std::uint64_t> offsets;
        auto const report = read_offsets(log, 0, {from, to}, [&](partition_offset const& at, reading const& each) {
            CHECK(at.partition == 0);
            CHECK((each == log_conformance::make_record(static_cast<reading const*>(nullptr), at.offset)));
            offsets.push_back(at.offset);
        });
        std::vector<std::uint64_t> expected;
        for (std::uint64_t i = from; i < std::min(to, 10'000U); ++i) expected.push_back(i);
        CHECK((offsets == expected));
        CHECK(report.records == expected.size());
    }
    CHECK(read_offsets(log, 0, {}, [](reading const&) {}).records == 10'000);
}

TEST_CASE("the start of a range of times belongs to it, the end does not", "[log][read_range]") {
    memory_log<trip> log{2};
    for (std::int64_t i = 0; i < 10; ++i) log.append({0, at_ms(i), at_ms(100 - i), {}}, i % 2 == 0 ? 0 : 1);
    using places = std::vector<partition_offset>;
    CHECK((places_in(log, &trip::begin, {at_ms(3), at_ms(6)}) == places{{0, 2}, {1, 1}, {1, 2}}));
    CHECK((places_in(log, &trip::end, {at_ms(91), at_ms(93)}) == places{{0, 4}, {1, 4}}));
    CHECK((places_in(log, &trip::begin, {at_ms(3), at_ms(3)}).empty()));
    CHECK((places_in(log, &trip::begin, {at_ms(6), at_ms(3)}).empty()));
    CHECK((places_in(log, &trip::begin, {}).size() == 10));
    CHECK((places_in(log, &trip::begin, {at_ms(9), event_time::max()}) == places{{1, 4}}));
    CHECK((places_in(log, &trip::begin, {event_time::min(), at_ms(1)}) == places{{0, 0}}));
    std::size_t in_one = 0;
    read_times(log, 1, &trip::begin, {at_ms(3), at_ms(6)}, [&](trip const&) { ++in_one; });
    CHECK(in_one == 2);
}

TEST_CASE("events are found by their time, and structs that are not adapted by looking at each", "[log][read_range]") {
    memory_log<event<event_time>> events;
    memory_log<unknown_trip> trips;
    for (std::int64_t i = 0; i < 30'000; ++i) {
        events.append({at_ms(-i), at_ms(i)});
        trips.append({at_ms(i)});
    }
    auto const none = [](auto const&) {};
    auto const by_time = read_times(events, &event<event_time>::at, {at_ms(29'990), at_ms(30'010)}, none);
    CHECK(by_time.records == 10);
    CHECK(by_time.blocks_read == 1);
    CHECK(by_time.blocks_skipped > 0);
    auto const by_value = read_times(events, &event<event_time>::value, {at_ms(-5), at_ms(0)}, none);
    CHECK(by_value.records == 5);
    CHECK(by_value.blocks_skipped == 0);
    auto const unknown = read_times(trips, &unknown_trip::begin, {at_ms(29'990), at_ms(30'010)}, none);
    CHECK(unknown.records == 10);
    CHECK(unknown.blocks_skipped == 0);
}

TEST_CASE("a block outside a range of times is not looked at, not even when it is damaged", "[log][read_range]") {
    memory_files files;
    {
        file_log<trip, rows> log{"log", small_in(files)};
        for (std::uint64_t i = 0; i < 100; ++i) {
            auto const ms = static_cast<std::int64_t>(i);
            log.append({0x1122334455660000 + i, at_ms(ms), at_ms(1'000 - ms), {}});
        }
    }
    std::string segment;
    for (auto const& each : files.list("log/p00000")) {
        if (each.name.ends_with(".segment")) segment = "log/p00000/" + each.name;
    }
    auto const bytes = read_whole_file(segment, files).value();
    std::uint64_t const marked = 0x1122334455660000 + 50;
    std::string mark(sizeof marked, '\0');
    std::memcpy(mark.data(), &marked, sizeof marked);
    auto const where = bytes.find(mark);
    REQUIRE(where != std::string::npos);
    files.open(segment, open_mode::write)->write_at(where, "x");

    auto options = small_in(files);
    options.access = log_access::read;
    file_log<trip, rows> const log{"log", options};
    std::uint64_t sum = 0;
    auto const add = [&](trip const& each) { sum += each.number - 0x1122334455660000; };
    auto const before = read_times(log, &trip::begin, {at_ms(0), at_ms(20)}, add);
    CHECK(before.records == 20);
    CHECK(before.blocks_read + before.blocks_skipped > 10);
    CHECK(before.blocks_read < 6);
    auto const after = read_times(log, &trip::end, {at_ms(0), at_ms(1'000 - 80)}, add);
    CHECK(after.records == 19);
    CHECK(sum == 190 + 90 * 19);
    for (auto const& times : {time_window{at_ms(40), at_ms(60)}, time_window{at_ms(50), at_ms(51)}, time_window{}}) {
        try {
            read_times(log, &trip::begin, times, add);
            FAIL("the damage was not noticed");
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::corrupt);
            CHECK(problem.path() == segment);
        }
    }
}

namespace {
template <class Log>
void range_property(Log& log, std::vector<std::pair<std::uint32_t, std::int16_t>> const& records,
    std::vector<std::pair<std::int16_t, std::int16_t>> const& ranges) {
    using record = typename Log::value_type;
    std::uint64_t i = 0;
    for (auto const& [p, ms] : records) {
        auto each = log_conformance::make_record(static_cast<record const*>(nullptr), i++);
        each.at = at_ms(ms);
        log.append(each, p % log.partitions());
    }
    for (auto const& [from, to] : ranges) {
        time_window const times{at_ms(from), at_ms(to)};
        RC_ASSERT((places_in(log, &record::at, times) == expected_in(log, &record::at, times)));
    }
}
using disorder = std::vector<std::pair<std::uint32_t, std::int16_t>>;
using bounds_list = std::vector<std::pair<std::int16_t, std::int16_t>>;
/// Enough for several blocks; the second half is nearly in order.
disorder many(disorder const& some, int times) {
    disorder out;
    for (int n = 0; n < times; ++n) {
        for (auto const& [p, ms] : some) {
            auto const in_order = ms / 50 + n * 2'000 / times;
            out.emplace_back(p, static_cast<std::int16_t>(n < times / 2 ? ms : in_order));
        }
    }
    return out;
}
bounds_list few(bounds_list some) {
    some.resize(std::min<std::size_t>(some.size(), 4));
    some.emplace_back(std::int16_t{1'200}, std::int16_t{1'450});
    return some;
}
template <class Record, class Layout>
void in_memory() {
    property("in memory", [](disorder const& records, bounds_list const& ranges) {
        memory_log<Record, Layout> log{3};
        range_property(log, many(records, 400), few(ranges)); }, 40);
}
template <class Record, class Layout>
void in_files() {
    property("in files", [](disorder const& records, bounds_list const& ranges) {
        memory_files files;
        auto options = small_in(files, 2);
        {
            file_log<Record, Layout> log{"log", options};
            range_property(log, many(records, 20), few(ranges));
        }
        options.access = log_access::read;
        file_log<Record, Layout> log{"log", options};
        range_property(log, {}, few(ranges)); }, 15);
}
}  // namespace

TEST_CASE("whatever the disorder, a range has all of its records and no others", "[log][read_range]") {
    SECTION("memory, rows") { in_memory<reading, rows>(); }
    SECTION("memory, columns") { in_memory<visit, columns>(); }
    SECTION("files, rows") { in_files<reading, rows>(); }
    SECTION("files, packed") { in_files<visit, packed>(); }
    SECTION("files, columns") { in_files<visit, columns>(); }
}
