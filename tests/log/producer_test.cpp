// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {
struct keyed {
    std::uint64_t key = 0;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(keyed, key);

namespace {
using namespace driftless;
using testing::memory_files;

std::int64_t present = 0;
event_time clock_now() { return event_time{present}; }

file_log_options in(memory_files& files) {
    file_log_options out;
    out.background = false;
    out.durable = on_close;
    out.segment_bytes = 1200;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = &clock_now;
    out.id = {3, 4};
    return out;
}
std::vector<keyed> keys(std::initializer_list<std::uint64_t> of) {
    std::vector<keyed> out;
    for (auto const key : of) out.push_back({key});
    return out;
}
std::vector<std::uint64_t> all_keys(file_log<keyed> const& log) {
    std::vector<std::uint64_t> out;
    for (auto at = log.begin_offset(); at < log.end_offset();) {
        auto const block = log.read(0, at);
        for (auto const& each : block.records()) out.push_back(each.key);
        at += block.size();
    }
    return out;
}
}  // namespace

// CASES-2 L-06 (kafka LogCleanerTest.testDuplicateCheckAfterCleaning): the case asks that sequences are kept apart from
// records, so that a producer's retry is known when its records are gone. Here they go by trim, whole segments.
TEST_CASE("producers that send again get the offsets they got, also when the records are gone", "[log][producer]") {
    memory_files files;
    {
        file_log<keyed> log{"log", in(files)};
        CHECK(log.append_once(1, 0, keys({1, 2, 3})).offset == 0);
        CHECK(log.append_once(2, 0, keys({3, 1, 4})).offset == 3);
        CHECK(log.append_once(3, 0, keys({1, 4})).offset == 6);
    }
    auto const resend = [](file_log<keyed>& log) {
        auto const end = log.end_offset();
        auto const one = log.append_once(1, 0, keys({1, 2, 3}));
        CHECK((one.offset == 0 && one.added == 0));
        auto const three = log.append_once(3, 0, keys({1, 4}));
        CHECK((three.offset == 6 && three.added == 0));
        auto const two = log.append_once(2, 0, keys({3, 1, 4}));
        CHECK((two.offset == 3 && two.added == 0));
        CHECK(log.end_offset() == end);
    };
    {
        file_log<keyed> log{"log", in(files)};
        resend(log);
        CHECK(log.append_once(4, 0, keys({2})).offset == 8);
        CHECK(log.trim(0, 9) == 9);
        resend(log);
    }
    file_log<keyed> log{"log", in(files)};
    CHECK(all_keys(log).empty());
    CHECK(log.begin_offset() == 9);
    resend(log);
    CHECK(log.append_once(4, 1, keys({7})).offset == 9);
    CHECK(all_keys(log) == std::vector<std::uint64_t>{7});
}

TEST_CASE("of a batch that came in part only the rest is added", "[log][producer]") {
    memory_files files;
    file_log<keyed> log{"log", in(files)};
    log.append(keyed{100});
    CHECK(log.append_once(1, 5, keys({5, 6})).offset == 1);
    auto const more = log.append_once(1, 5, keys({5, 6, 7, 8}));
    CHECK(more.offset == 1);
    CHECK(more.added == 2);
    CHECK(all_keys(log) == std::vector<std::uint64_t>{100, 5, 6, 7, 8});
    CHECK(log.append_once(1, 9, std::vector<keyed>{}).added == 0);
}

TEST_CASE("a gap in the sequence is refused, and what is there stays as it is", "[log][producer]") {
    memory_files files;
    file_log<keyed> log{"log", in(files)};
    log.append_once(1, 0, keys({1, 2}));
    try {
        log.append_once(1, 3, keys({4}));
        FAIL("a missing record was not noticed");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::invalid_argument);
        CHECK(std::string{problem.what()}.find("producer 1 sent a record with sequence 3, but 2 comes next")
            != std::string::npos);
    }
    CHECK(log.end_offset() == 2);
    CHECK(log.append_once(1, 2, keys({3})).offset == 2);
    CHECK_THROWS_AS(log.append_once(0, 0, keys({1})), error);
}

TEST_CASE("eight batches back a producer can be answered, further back it is told so", "[log][producer]") {
    memory_files files;
    file_log<keyed> log{"log", in(files)};
    for (std::uint64_t i = 0; i < 10; ++i) {
        log.append_once(1, i, keys({i}));
        log.append(keyed{1000 + i});  // so that no two batches lie side by side
    }
    CHECK(log.append_once(1, 2, keys({2})).offset == 4);
    CHECK(log.append_once(1, 9, keys({9})).offset == 18);
    CHECK_THROWS_WITH(log.append_once(1, 1, keys({1})), Catch::Contains("need not be sent again"));
    CHECK(log.end_offset() == 20);
}

TEST_CASE("a silent producer is forgotten with the next segment after its time", "[log][producer]") {
    memory_files files;
    present = 0;
    auto options = in(files);
    options.producer_age = duration{1000};
    file_log<keyed> log{"log", options};
    log.append_once(1, 0, keys({1}));
    log.append_once(2, 0, keys({2}));
    log.flush();  // the time that counts is that of a block
    present = 900;
    log.append_once(2, 1, keys({2}));
    log.flush();
    present = 1500;
    log.trim(0, 3);  // a segment begins
    log.flush();
    log.close();
    file_log<keyed> again{"log", options};
    CHECK(again.append_once(2, 1, keys({2})).added == 0);
    CHECK(again.append_once(1, 0, keys({1})).added == 1);  // anew
    present = 0;
}

TEST_CASE("what producers sent is known after a crash, for what reached the files", "[log][producer]") {
    memory_files files;
    {
        file_log<keyed> log{"log", in(files)};
        log.append_once(1, 0, keys({0, 1}));
        log.append_once(2, 0, keys({10}));
        log.flush();
        log.append_once(1, 2, keys({2}));  // not written
        files.restart();
    }
    file_log<keyed> log{"log", in(files)};
    CHECK(log.append_once(1, 0, keys({0, 1})).added == 0);
    CHECK(log.append_once(1, 2, keys({2})).added == 1);
    CHECK(log.append_once(2, 0, keys({10})).offset == 2);
    CHECK(all_keys(log) == std::vector<std::uint64_t>{0, 1, 10, 2});
}
