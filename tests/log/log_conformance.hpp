// SPDX-License-Identifier: BSL-1.0
// What every log promises, whatever it keeps its records in. A subject makes a log of its own:
//   using log = ...;  log& make(std::uint32_t partitions);  log& reopen();  (the same log, or a new object over it)
#ifndef DRIFTLESS_TESTS_LOG_LOG_CONFORMANCE_HPP
#define DRIFTLESS_TESTS_LOG_LOG_CONFORMANCE_HPP

#include <driftless/core/error.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace log_conformance {
using namespace driftless;

/// Records of one size.
struct reading {
    std::int32_t sensor = 0;
    std::int64_t value = 0;
    event_time at;
    bool good = false;
    friend bool operator==(reading const&, reading const&) = default;
};
inline reading make_record(reading const*, std::uint64_t i) {
    auto const at = event_time::from_ms(static_cast<std::int64_t>(i ^ 5));
    return {static_cast<std::int32_t>(i % 7), static_cast<std::int64_t>(i * 3) - 100, at,
        i % 3 == 0};
}
/// Records with text: its bytes are gone as soon as the record has been appended.
struct visit {
    text page;
    event_time at;
    std::string agent;
    std::uint16_t status = 0;
    friend bool operator==(visit const&, visit const&) = default;
};
inline visit make_record(visit const*, std::uint64_t i) {
    thread_local std::string page;
    page = std::string(i % 11, static_cast<char>('a' + i % 26)) + std::to_string(i);
    return {page, event_time::from_ms(static_cast<std::int64_t>(i ^ 5)), "agent " + std::to_string(i % 5),
        static_cast<std::uint16_t>(200 + i % 300)};
}

template <class Log>
void append_some(Log& log, std::uint64_t from, std::uint64_t to, std::uint32_t partition = 0) {
    using record = typename Log::value_type;
    for (auto i = from; i < to; ++i) {
        log.append(make_record(static_cast<record const*>(nullptr), i), partition);
    }
}
/// Reads [from, end) block by block and compares with what make_record says, number by number.
template <class Log>
void check_some(
    Log const& log, std::uint64_t from, std::uint64_t end, std::uint64_t first, std::uint32_t partition = 0) {
    using record = typename Log::value_type;
    std::uint64_t wrong = 0;
    for (auto at = from; at < end;) {
        auto const block = log.read(partition, at);
        REQUIRE(block.size() > 0);
        auto least = event_time::max();
        auto greatest = event_time::min();
        block.each(0, block.size(), [&](std::size_t i, record const& each) {
            auto const expected = make_record(static_cast<record const*>(nullptr), first + at + i);
            wrong += !(each == expected);
            if (expected.at < least) least = expected.at;
            if (greatest < expected.at) greatest = expected.at;
        });
        wrong += !(block[0] == make_record(static_cast<record const*>(nullptr), first + at));
        auto const last = block.size() - 1;
        wrong += !(block[last] == make_record(static_cast<record const*>(nullptr), first + at + last));
        auto const bounds = block.bounds(std::is_same_v<record, reading> ? 2 : 1);
        CHECK(bounds.known);
        CHECK(bounds.least <= least);
        CHECK(bounds.greatest >= greatest);
        CHECK(!block.bounds(0).known);
        at += block.size();
    }
    CHECK(wrong == 0);
}

template <class Subject>
void an_empty_log_has_no_records(Subject subject) {
    auto& log = subject.make(3);
    CHECK(log.partitions() == 3);
    for (std::uint32_t p = 0; p < 3; ++p) {
        CHECK(log.begin_offset(p) == 0);
        CHECK(log.end_offset(p) == 0);
    }
}
template <class Subject>
void offsets_count_up_in_each_partition(Subject subject) {
    using record = typename Subject::log::value_type;
    auto& log = subject.make(2);
    auto const record_of = [](std::uint64_t i) { return make_record(static_cast<record const*>(nullptr), i); };
    CHECK(log.append(record_of(0)) == 0);
    CHECK(log.append(record_of(1)) == 1);
    CHECK(log.append(record_of(0), 1) == 0);
    CHECK(log.end_offset(0) == 2);
    CHECK(log.end_offset(1) == 1);
    std::vector<record> const none;
    CHECK(log.append(none, 1) == 1);
    CHECK(log.end_offset(1) == 1);
    check_some(log, 0, 2, 0);
    check_some(log, 0, 1, 0, 1);
}
template <class Subject>
void records_come_back_from_any_offset(Subject subject) {
    constexpr std::uint64_t count = 20'000;
    auto& log = subject.make(1);
    append_some(log, 0, count);
    REQUIRE(log.end_offset() == count);
    for (auto const from : {0U, 1U, 2U, 255U, 256U, 4095U, 4096U, 9'999U, 19'999U}) check_some(log, from, count, 0);
    auto& again = subject.reopen();
    REQUIRE(again.end_offset() == count);
    for (auto const from : {0U, 1U, 511U, 12'345U, 19'999U}) check_some(again, from, count, 0);
    append_some(again, count, count + 100);
    check_some(again, 0, count + 100, 0);
    check_some(subject.reopen(), 0, count + 100, 0);
}
template <class Subject>
void a_block_stays_while_the_log_grows(Subject subject) {
    using record = typename Subject::log::value_type;
    auto& log = subject.make(1);
    append_some(log, 0, 10);
    auto const early = log.read(0, 3);
    auto const there = early.size();
    append_some(log, 10, 30'000);
    // A log that flushes by time may have ended the block among the ten, on a machine that was busy just then.
    if constexpr (requires { requires Subject::flushes_by_time; }) CHECK((there >= 1 && there <= 7));
    else CHECK(there == 7);
    CHECK(early.size() == there);
    for (std::size_t i = 0; i < there; ++i) {
        CHECK((early[i] == make_record(static_cast<record const*>(nullptr), 3 + i)));
    }
}
template <class Subject>
void a_reader_on_another_thread_sees_whole_records_in_order(Subject subject) {
    constexpr std::uint64_t count = 60'000;
    auto& log = subject.make(1);
    wakeup grown;
    log.subscribe(grown);
    std::thread writer{[&] { append_some(log, 0, count); }};
    std::uint64_t at = 0;
    while (at < count) {
        auto const seen = grown.seen();
        auto const end = log.end_offset();
        if (end == at) {
            grown.wait(seen);
            continue;
        }
        check_some(log, at, end, 0);
        at = end;
    }
    writer.join();
    log.unsubscribe(grown);
    CHECK(log.end_offset() == count);
}
template <class Subject>
void threads_append_whole_batches(Subject subject) {
    using record = typename Subject::log::value_type;
    auto& log = subject.make(1);
    // Batches of three equal records: a batch that is torn apart would show.
    auto const append = [&log](std::uint64_t number) {
        for (std::uint64_t i = 0; i < 3'000; ++i) {
            auto batch = std::vector<record>(3, make_record(static_cast<record const*>(nullptr), 0));
            for (auto& each : batch) each.at = event_time::from_ms(static_cast<std::int64_t>(number * 10'000 + i));
            log.append(batch);
        }
    };
    std::thread one{[&] { append(1); }};
    std::thread two{[&] { append(2); }};
    one.join();
    two.join();
    REQUIRE(log.end_offset() == 18'000);
    std::uint64_t torn = 0;
    std::vector<event_time> times;
    for (std::uint64_t at = 0; at < 18'000;) {
        auto const block = log.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) times.push_back(block[i].at);
        at += block.size();
    }
    std::vector<event_time> next{event_time::from_ms(10'000), event_time::from_ms(20'000)};
    for (std::size_t i = 0; i < times.size(); i += 3) {
        auto& expected = next[times[i] < event_time::from_ms(20'000) ? 0 : 1];
        torn += !(times[i] == expected && times[i + 1] == expected && times[i + 2] == expected);
        expected = expected + duration{1'000'000};
    }
    CHECK(torn == 0);
}
template <class Subject>
void trimmed_records_are_gone_and_the_others_stay(Subject subject) {
    constexpr std::uint64_t count = 30'000;
    auto& log = subject.make(2);
    append_some(log, 0, count);
    append_some(log, 0, 10, 1);
    CHECK(log.trim(0, 0) == 0);
    auto const begin = log.trim(0, count / 2);
    CHECK(begin <= count / 2);
    CHECK(log.begin_offset(0) == begin);
    check_some(log, begin, count, 0);
    CHECK(log.trim(0, 1) == begin);
    CHECK(log.begin_offset(1) == 0);
    if (begin > 0) CHECK_THROWS_AS(log.read(0, begin - 1), error);
    auto& again = subject.reopen();
    CHECK(again.begin_offset(0) == begin);
    append_some(again, count, count + 10);
    check_some(again, begin, count + 10, 0);
}
template <class Subject>
void offset_at_misses_nothing(Subject subject) {
    auto& log = subject.make(1);
    CHECK(log.offset_at(event_time::max()) == 0);
    append_some(log, 0, 20'000);
    CHECK(log.offset_at(event_time::min()) == 0);
    CHECK(log.offset_at(log.read(0, 0).append_time()) == 0);
    std::uint64_t wrong = 0;
    std::uint64_t before = 0;
    for (std::uint64_t at = 0; at < 20'000;) {
        auto const block = log.read(0, at);
        auto const from = log.offset_at(block.append_time());
        wrong += !(from <= at);
        wrong += !(from >= before);  // the block in front of it at most, where times differ
        before = from;
        at += block.size();
    }
    CHECK(wrong == 0);
    CHECK(log.offset_at(event_time::max()) < 20'000);
    CHECK(log.offset_at(event_time::max()) > 0);
    CHECK(log.committed_offset() == log.end_offset());
    CHECK(log.durable_offset() <= log.end_offset());
}
}  // namespace log_conformance

BOOST_HANA_ADAPT_STRUCT(log_conformance::reading, sensor, value, at, good);
BOOST_HANA_ADAPT_STRUCT(log_conformance::visit, page, at, agent, status);

/// All of it, for the subjects in the list.
#define DRIFTLESS_LOG_CONFORMANCE(...)                                                                                \
    TEMPLATE_TEST_CASE("an empty log has no records", "[log][conformance]", __VA_ARGS__) {                            \
        log_conformance::an_empty_log_has_no_records(TestType{});                                                     \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("offsets count up in each partition", "[log][conformance]", __VA_ARGS__) {                     \
        log_conformance::offsets_count_up_in_each_partition(TestType{});                                              \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("records come back from any offset", "[log][conformance]", __VA_ARGS__) {                      \
        log_conformance::records_come_back_from_any_offset(TestType{});                                               \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("a block stays while the log grows", "[log][conformance]", __VA_ARGS__) {                      \
        log_conformance::a_block_stays_while_the_log_grows(TestType{});                                               \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("a reader on another thread sees whole records in order", "[log][conformance]", __VA_ARGS__) { \
        log_conformance::a_reader_on_another_thread_sees_whole_records_in_order(TestType{});                          \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("threads append whole batches", "[log][conformance]", __VA_ARGS__) {                           \
        log_conformance::threads_append_whole_batches(TestType{});                                                    \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("trimmed records are gone and the others stay", "[log][conformance]", __VA_ARGS__) {           \
        log_conformance::trimmed_records_are_gone_and_the_others_stay(TestType{});                                    \
    }                                                                                                                 \
    TEMPLATE_TEST_CASE("offset_at misses nothing", "[log][conformance]", __VA_ARGS__) {                               \
        log_conformance::offset_at_misses_nothing(TestType{});                                                        \
    }

#endif
