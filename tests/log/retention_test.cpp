// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {
using namespace driftless;
using testing::memory_files;

struct row {
    std::uint64_t number = 0;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(row, number);

namespace {
std::int64_t present = 0;
event_time clock_now() { return event_time{present}; }

/// Rows that fill a block of 1 KiB; a segment ends with the first block that reaches its size.
constexpr std::uint64_t per_segment = 112;

file_log_options in(file_system& files) {
    present = 0;
    file_log_options out;
    out.background = false;
    out.durable = on_close;
    out.segment_bytes = 1000;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = &clock_now;
    out.id = {7, 8};
    return out;
}
/// Appends [from, to), a segment per tick of the clock.
void append(file_log<row>& log, std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i < to; ++i) {
        if (i % per_segment == 0) {
            log.flush();
            present = static_cast<std::int64_t>(i / per_segment * 10);
        }
        log.append(row{i});
    }
    log.flush();
}
void check_numbers(file_log<row> const& log) {
    std::uint64_t wrong = 0;
    for (auto at = log.begin_offset(); at < log.end_offset();) {
        auto const block = log.read(0, at);
        for (auto const& each : block.records()) wrong += !(each.number == at++);
    }
    CHECK(wrong == 0);
}
std::size_t segments_in(file_system& files) {
    auto const all = files.list("log/p00000");
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](auto const& each) { return each.name.ends_with(".segment"); }));
}
}  // namespace

TEST_CASE("trim removes whole segments below an offset, for good", "[log][retention]") {
    memory_files files;
    {
        file_log<row> log{"log", in(files)};
        append(log, 0, per_segment * 5);
        REQUIRE(segments_in(files) == 5);
        CHECK(log.trim(0, per_segment - 1) == 0);
        CHECK(log.trim(0, per_segment * 2 + 5) == per_segment * 2);
        CHECK(segments_in(files) == 3);
        CHECK_THROWS_WITH(log.read(0, 3), Catch::Contains("retention or trim has removed it"));
        check_numbers(log);
    }
    file_log<row> log{"log", in(files)};
    CHECK(log.begin_offset() == per_segment * 2);
    check_numbers(log);
    CHECK(log.trim(0, ~std::uint64_t{0}) == per_segment * 5);
    CHECK(log.begin_offset() == log.end_offset());
    CHECK(segments_in(files) == 1);
    log.close();
    file_log<row> again{"log", in(files)};
    CHECK(again.end_offset() == per_segment * 5);  // how far it came is not forgotten
    CHECK(again.append(row{1}) == per_segment * 5);
}

TEST_CASE("by default a log keeps everything", "[log][retention]") {
    memory_files files;
    file_log<row> log{"log", in(files)};
    append(log, 0, per_segment * 20);
    present = 1'000'000'000;
    log.retain();
    CHECK(log.begin_offset() == 0);
}

TEST_CASE("retention by age goes by when the newest record of a segment was appended", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.retain.age = duration{25};
    file_log<row> log{"log", options};
    append(log, 0, per_segment * 6);  // begun at 0, 10 .. 50
    log.retain();
    // The segment begun at 10 ended by 20, which is 30 ago; that of 20 ended by 30.
    CHECK(log.begin_offset() == per_segment * 2);
    present = 1'000;
    log.retain();
    CHECK(log.begin_offset() == per_segment * 5);  // the newest stays
}

TEST_CASE("retention by bytes keeps at least so many", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.retain.bytes = 3'000;
    file_log<row> log{"log", options};
    append(log, 0, per_segment * 10);
    log.retain();
    std::uint64_t bytes = 0;
    for (auto const& each : files.list("log/p00000")) {
        if (each.name.ends_with(".segment")) bytes += files.open("log/p00000/" + each.name, open_mode::read)->size();
    }
    CHECK(bytes >= 3'000);
    CHECK(bytes < 4'500);
    CHECK(log.begin_offset() > 0);
    check_numbers(log);
}

TEST_CASE("retention happens by itself when a segment begins", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.retain.bytes = 3'000;
    options.block_bytes = 1024;
    file_log<row> log{"log", options};
    for (std::uint64_t i = 0; i < per_segment * 40; ++i) log.append(row{i});
    CHECK(log.begin_offset() > 0);
    CHECK(segments_in(files) < 20);
}

TEST_CASE("retention by the slowest reader waits for all of them, and for nobody who is gone", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.retain.read_by_all = true;
    file_log<row> log{"log", options};
    append(log, 0, per_segment * 6);
    log.retain();
    CHECK(log.begin_offset() == 0);  // nobody is registered

    options.access = log_access::read;
    file_log<row> const elsewhere{"log", options};
    auto fast = elsewhere.register_reader("fast", {.lease = duration{1'000}});
    auto slow = log.register_reader("slow", {.lease = duration{100}});
    fast.move_to(0, per_segment * 5);
    slow.move_to(0, per_segment * 2 + 1);
    log.retain();
    CHECK(log.begin_offset() == per_segment * 2);

    // Whoever comes back goes on where it was.
    auto again = log.register_reader("slow", {.lease = duration{100}});
    CHECK(again.offset() == per_segment * 2 + 1);
    again.move_to(0, 1);
    CHECK(again.offset() == per_segment * 2 + 1);
    present += 101;
    log.retain();
    CHECK(log.begin_offset() == per_segment * 5);  // slow is forgotten
    CHECK(!files.exists("log/readers/slow"));
    CHECK_THROWS_WITH(log.register_reader("a/b"), Catch::Contains("cannot be a name"));
}

TEST_CASE("a pin holds its records whatever removes, until it ends or expires", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.retain.age = duration{1};
    file_log<row> log{"log", options};
    {
        auto first = log.pin(0, per_segment * 3);
        auto const second = std::move(first);
        append(log, 0, per_segment * 6);
        present = 1'000;
        log.retain();
        CHECK(log.begin_offset() == per_segment * 3);
        CHECK(log.trim(0, per_segment * 5) == per_segment * 3);
    }
    CHECK(log.trim(0, per_segment * 4) == per_segment * 4);
    auto const forgotten = log.pin(0, 0, duration{10});
    present = 2'000;
    CHECK(log.trim(0, per_segment * 5) == per_segment * 5);
}

TEST_CASE("a damaged registration keeps everything, and its reader is told", "[log][retention]") {
    memory_files files;
    file_log<row> log{"log", in(files)};
    append(log, 0, per_segment * 3);
    static_cast<void>(log.register_reader("one"));
    auto const file = files.open("log/readers/one", open_mode::write);
    for (std::uint64_t at = 0; at < file->size(); ++at) {
        char byte = 0;
        file->read_at(at, &byte, 1);
        for (int bit = 0; bit < 8; ++bit) {
            char const flipped = static_cast<char>(byte ^ (1 << bit));
            file->write_at(at, {&flipped, 1});
            INFO(at << " bit " << bit);
            REQUIRE(log.trim(0, per_segment) == 0);
            CHECK_THROWS_WITH(log.register_reader("one"), Catch::Contains("log/readers/one"));
        }
        file->write_at(at, {&byte, 1});
    }
}

TEST_CASE("blocks that a reader holds stay while their segments are removed and used again", "[log][retention]") {
    test::temporary_folder const folder;
    auto options = in(real_files());
    options.spare_segments = 2;
    auto const path = folder.path() + "/log";
    file_log<row> log{path, options};
    append(log, 0, per_segment * 4);
    std::optional<file_log<row>::block> held;
    {
        options.access = log_access::read;
        file_log<row> const elsewhere{path, options};
        held.emplace(elsewhere.read(0, 0));
    }
    CHECK(log.trim(0, per_segment * 3) == per_segment * 3);
    append(log, per_segment * 4, per_segment * 9);
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < held->size(); ++i) wrong += !((*held)[i].number == i);
    CHECK(wrong == 0);
    check_numbers(log);
}

TEST_CASE("the file of a removed segment is written again, and nothing of it is seen", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.spare_segments = 1;
    options.segment_bytes = 5'000;
    {
        file_log<row> log{"log", options};
        append(log, 0, 4'000);
        log.trim(0, 2'000);
        auto const names = files.list("log/p00000");
        auto const spare = std::find_if(names.begin(), names.end(), [](auto const& each) {
            return each.name.ends_with(".spare");
        });
        REQUIRE(spare != names.end());
        append(log, 4'000, 4'700);
        CHECK(!files.exists("log/p00000/" + spare->name));  // in use
        files.restart();                                    // its end still holds blocks of the old segment
    }
    {
        file_log<row> log{"log", options};
        CHECK(log.end_offset() == 4'700);
        check_numbers(log);
        append(log, 4'700, 4'800);
    }
    // Closing has cut what was left of it.
    options.access = log_access::read;
    file_log<row> const log{"log", options};
    CHECK(log.end_offset() == 4'800);
    check_numbers(log);
}

TEST_CASE("a segment that is missing is told from one that was removed", "[log][retention]") {
    memory_files files;
    {
        file_log<row> log{"log", in(files)};
        append(log, 0, per_segment * 4);
    }
    files.remove("log/p00000/00000000000000000000.segment");
    auto options = in(files);
    for (auto const access : {log_access::append, log_access::read}) {
        options.access = access;
        auto const opened = file_log<row>::try_open("log", options);
        REQUIRE(!opened.has_value());
        CHECK(opened.error().code() == error_code::corrupt);
        CHECK(opened.error().path() == "log/p00000/00000000000000000000.segment");
    }
    files.remove("log/p00000/00000000000000000000.index");
    CHECK(file_log<row>{"log", options}.begin_offset() == per_segment);
}

TEST_CASE("memory_log forgets blocks, and what readers hold stays", "[log][retention]") {
    memory_log<row> log;
    for (std::uint64_t i = 0; i < 50'000; ++i) log.append(row{i});
    auto const held = log.read(0, 0);
    auto const begin = log.trim(0, 20'000);
    CHECK(begin > 0);
    CHECK(begin <= 20'000);
    CHECK(log.begin_offset() == begin);
    CHECK(held[0].number == 0);
    CHECK_THROWS_WITH(log.read(0, begin - 1), Catch::Contains("trimmed"));
    CHECK(log.read(0, begin)[0].number == begin);
    CHECK(log.trim(0, 10) == begin);
    log.trim(0, 50'000);
    CHECK(log.append(row{50'000}) == 50'000);
}

TEST_CASE("a pin is no reader: where nobody is registered nothing counts as read", "[log][retention]") {
    memory_files files;
    auto options = in(files);
    options.partitions = 2;
    options.retain.read_by_all = true;
    file_log<row> log{"log", options};
    for (std::uint64_t i = 0; i < per_segment * 4; ++i) {
        if (i % per_segment == 0) log.flush();
        log.append(row{i}, 0);
        log.append(row{i}, 1);
    }
    log.flush();
    auto const held = log.pin(0, per_segment * 2);
    log.retain();
    CHECK(log.begin_offset(0) == 0);
    CHECK(log.begin_offset(1) == 0);
    auto reader = log.register_reader("one");
    reader.move_to(0, per_segment * 3);
    reader.move_to(1, per_segment * 3);
    log.retain();
    CHECK(log.begin_offset(0) == per_segment * 2);
    CHECK(log.begin_offset(1) == per_segment * 3);
}

TEST_CASE("what retention cannot remove does not fail an append, and is removed later", "[log][retention]") {
    for (std::uint64_t nth = 1; nth < 400; ++nth) {
        memory_files files;
        auto options = in(files);
        options.retain.bytes = 3'000;
        file_log<row> log{"log", options};
        std::uint64_t taken = 0;
        for (; taken < per_segment * 6; ++taken) log.append(row{taken});
        files.inject(nth, testing::fault::fail);
        std::uint64_t refused = 0;
        bool broken = false;  // a sync has failed: the log is to be opened anew
        for (std::uint64_t i = 0; i < per_segment * 20 && !broken; ++i) {
            auto appended = log.try_append(row{taken});
            if (appended) CHECK(*appended == taken++);
            else broken = appended.error().code() == error_code::stopped || ++refused > 1;
        }
        CHECK(refused <= 1);  // where a block could not be written
        CHECK(log.end_offset() == taken);
        if (!broken) {
            CHECK(segments_in(files) < 12);
            check_numbers(log);
            log.close();
        }
        CHECK(static_cast<bool>(log.try_close()) != broken);
        files.restart();
        file_log<row> const again{"log", options};
        check_numbers(again);
    }
}
