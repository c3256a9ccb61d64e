// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/group.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/log/log_summary.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using small_log::flip;
using testing::memory_files;

namespace {
struct verdict {
    std::vector<log_finding> problems;
    std::vector<log_finding> notes;
    verified_log counts;
};
verdict verify(memory_files& files, std::string const& path = "log", bool values = true) {
    verdict out;
    verify_log_options options;
    options.values = values;
    options.files = &files;
    options.found = [&](log_finding const& each) { (each.is_problem ? out.problems : out.notes).push_back(each); };
    out.counts = verify_log(path, options);
    return out;
}
/// True if verify has something to say, be it by an error.
bool finds_something(memory_files& files) {
    try {
        return !verify(files).problems.empty();
    } catch (error const& why) {
        CHECK(!why.path().empty());
        return true;
    }
}

template <class Log>
void every_bit_is_found() {
    memory_files files;
    small_log::make<Log>(files, 40);
    for (auto const& path : small_log::paths_in(files)) {
        auto const file = files.open(path, open_mode::write);
        auto const size = file->size();
        for (std::uint64_t at = 0; at < size; ++at) {
            char byte = 0;
            file->read_at(at, &byte, 1);
            for (int bit = 0; bit < 8; ++bit) {
                char const flipped = static_cast<char>(byte ^ (1 << bit));
                file->write_at(at, {&flipped, 1});
                if (!finds_something(files)) FAIL("not found: " << path << ", byte " << at << ", bit " << bit);
            }
            file->write_at(at, {&byte, 1});
        }
    }
    CHECK(!finds_something(files));
}
template <class Log>
void every_truncation_is_found() {
    memory_files files;
    small_log::make<Log>(files, 40);
    for (auto const& path : small_log::paths_in(files)) {
        auto const bytes = small_log::bytes_of(files, path);
        auto const file = files.open(path, open_mode::write);
        for (auto size = bytes.size(); size-- > 0;) {
            file->truncate(size);
            if (!finds_something(files)) FAIL("not found: " << path << " cut to " << size << " of " << bytes.size());
        }
        file->write_at(0, bytes);
        file->write_at(bytes.size(), std::string{'\0'});
        if (!finds_something(files)) FAIL("not found: a byte behind " << path);
        file->truncate(bytes.size());
    }
    CHECK(!finds_something(files));
}

bool mentions(std::vector<log_finding> const& in, std::string const& path, std::string const& words) {
    for (auto const& each : in) {
        if (each.path.find(path) != std::string::npos && each.what.find(words) != std::string::npos) return true;
    }
    return false;
}
std::string const first_segment = "log/p00000/00000000000000000000.segment";
std::string const first_index = "log/p00000/00000000000000000000.index";
}  // namespace

TEMPLATE_TEST_CASE("verify finds every flipped bit of a closed log", "[log][verify]", (file_log<reading, rows>),
    (file_log<visit, packed>), (file_log<visit, columns>)) {
    every_bit_is_found<TestType>();
}

TEMPLATE_TEST_CASE("verify finds every file of a closed log that is cut short or goes on", "[log][verify]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    every_truncation_is_found<TestType>();
}

TEMPLATE_TEST_CASE("verify has nothing to say of a good log, and counts it", "[log][verify]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    memory_files files;
    small_log::make<TestType>(files, 100, 3);
    std::uint64_t last = 0;
    verify_log_options options;
    options.files = &files;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        CHECK(done >= last);
        CHECK(done <= total);
        last = done;
    };
    auto const counts = verify_log("log", options);
    CHECK(counts.problems == 0);
    CHECK(counts.notes == 0);
    CHECK(counts.records == 300);
    CHECK(counts.segments >= 6);
    CHECK(last > counts.blocks * 96);
    CHECK(last < counts.bytes);  // without the headers of segments
}

TEST_CASE("verify says where a damaged part is, with both checksums", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 40);
    flip(files, first_segment, 500);
    auto const found = verify(files);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].path == first_segment);
    CHECK(found.problems[0].position.value() % 64 == 0);
    CHECK(found.problems[0].position.value() <= 500);
    CHECK(found.problems[0].what.find("the checksum on disk is ") != std::string::npos);
    CHECK(found.problems[0].what.find(", that of the bytes is ") != std::string::npos);
}

TEST_CASE("verify checks parts without decoding records", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<visit, columns>>(files, 40);
    CHECK(verify(files, "log", false).problems.empty());
    flip(files, first_segment, 500);
    CHECK(mentions(verify(files, "log", false).problems, first_segment, "is damaged: the checksum on disk is"));
}

TEST_CASE("verify finds an index file that is intact and of an earlier time", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 10);
    auto const before = small_log::bytes_of(files, first_index);
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log_conformance::append_some(log, 10, 20);
    }
    CHECK(verify(files).problems.empty());
    small_log::set_bytes(files, first_index, before);
    CHECK(mentions(verify(files).problems, first_index, "does not say what the segment does"));
}

TEST_CASE("verify goes on behind a damaged header of a block, and calls it once", "[log][verify]") {
    memory_files files;
    auto options = small_log::options_in(files);
    options.segment_bytes = 100'000;
    {
        file_log<reading> log{"log", options};
        log_conformance::append_some(log, 0, 200);
    }
    auto const blocks = verify(files).counts.blocks;
    flip(files, first_segment, 200);
    auto const found = verify(files);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].what.find("the header of a block is damaged, 1") == 0);
    CHECK(found.counts.blocks == blocks - 1);
}

TEST_CASE("verify tells what may be missing from what is missing", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 200);
    SECTION("an index file of a sealed segment can be made anew: a note") {
        files.remove(first_index);
        auto const found = verify(files);
        CHECK(found.problems.empty());
        CHECK(mentions(found.notes, first_index, "missing"));
    }
    SECTION("a segment, though not its index file") {
        files.remove(first_segment);
        CHECK(mentions(verify(files).problems, first_index, "the segment of this index file is missing"));
    }
    SECTION("a segment in the middle, with its index file") {
        auto const paths = small_log::paths_in(files, "log/p00000");
        REQUIRE(paths.size() >= 6);
        files.remove(paths[2]);
        files.remove(paths[3]);
        CHECK(mentions(verify(files).problems, paths[5], "the segment begins with offset"));
    }
    SECTION("the whole folder of a partition") {
        for (auto const& path : small_log::paths_in(files, "log/p00000")) files.remove(path);
        files.remove("log/p00000");
        CHECK(mentions(verify(files).problems, "log/p00000", "missing"));
    }
    SECTION("the identity") {
        files.remove("log/identity");
        CHECK_THROWS_AS(verify(files), error);
    }
}

TEST_CASE("verify reports files that no log makes, and those left over", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 40);
    for (auto const* const path : {"log/letter.txt", "log/p00000/notes", "log/p00000/1.segment"}) {
        small_log::set_bytes(files, path, "x");
        CHECK(mentions(verify(files).problems, path, "no log makes such a file"));
        files.remove(path);
    }
    files.make_folder("log/p00001");
    CHECK(mentions(verify(files).problems, "log/p00001", "no partition of this number"));
    files.remove("log/p00001");
    small_log::set_bytes(files, "log/p00000/00000000000000000040.segment.new", "x");
    files.make_folder("log/readers");
    auto const found = verify(files);
    CHECK(found.problems.empty());
    REQUIRE(found.notes.size() == 1);
    CHECK(found.notes[0].what.find("died before it was finished") != std::string::npos);
}

TEST_CASE("verify finds every flipped bit of readers, groups and transactions", "[log][verify]") {
    memory_files files;
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log.append_once(7, 0, std::vector<reading>(50));  // the next segment begins with a table of producers
        log_conformance::append_some(log, 0, 40);
        auto later = log.begin();
        later.append(reading{});
        later.prepare("epoch-1");
        auto more = log.begin();
        for (int i = 0; i < 60; ++i) more.append(reading{});
        more.commit();
        static_cast<void>(log.register_reader("slow"));
        log_group const group{log, "billing", {.files = &files, .clock = &small_log::still}};
        auto member = group.join({.member = "a"});
        member.commit(0, 5);
        member.leave();
        log.close();
    }
    auto const good = verify(files);
    for (auto const& each : good.problems) FAIL_CHECK(each.path << ": " << each.what);
    CHECK(good.notes.size() == 1);  // the transaction waits
    CHECK(good.counts.records == 150);
    std::size_t looked = 0;
    for (auto const& path : small_log::paths_in(files)) {
        bool const beside = path.find("/p0") == std::string::npos;
        looked += beside;
        auto const file = files.open(path, open_mode::write);
        auto const size = file->size();
        for (std::uint64_t at = 0; at < size; at += beside ? 1 : 7) {
            char byte = 0;
            file->read_at(at, &byte, 1);
            for (int bit = 0; bit < 8; ++bit) {
                char const flipped = static_cast<char>(byte ^ (1 << bit));
                file->write_at(at, {&flipped, 1});
                if (!finds_something(files)) FAIL("not found: " << path << ", byte " << at << ", bit " << bit);
            }
            file->write_at(at, {&byte, 1});
        }
    }
    CHECK(looked >= 6);  // identity, lock, progress, reader, transaction, group
}

TEST_CASE("verify finds a segment of another log, partition or offset", "[log][verify]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 100, 2);
    auto options = small_log::options_in(files);
    options.id = {7, 8};
    {
        file_log<reading> other{"other", options};
        log_conformance::append_some(other, 0, 10);
    }
    auto const from = GENERATE(as<std::string>{}, "other/p00000/00000000000000000000.segment",
        "log/p00001/00000000000000000000.segment");
    small_log::set_bytes(files, first_segment, small_log::bytes_of(files, from));
    CHECK(mentions(verify(files).problems, first_segment, "belongs elsewhere"));
}

TEST_CASE("verify takes a log that is being written, and one whose writer died, for good", "[log][verify]") {
    memory_files files;
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log_conformance::append_some(log, 0, 200);
        log.flush();
        auto const found = verify(files);
        CHECK(found.problems.empty());
        CHECK(mentions(found.notes, "log/p00000", "is being written"));
        files.restart();
    }
    auto const found = verify(files);
    CHECK(found.problems.empty());
    CHECK(mentions(found.notes, "log/p00000", "was not closed"));
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log_conformance::append_some(log, log.end_offset(), 240);
    }
    CHECK(verify(files).problems.empty());
    {
        file_log<reading> log{"log", small_log::options_in(files)};  // takes the seal off again
        log_conformance::append_some(log, 240, 250);
    }
    auto const after = verify(files);
    CHECK(after.problems.empty());
    for (auto const& each : after.notes) CHECK(each.what.find("the index file of a sealed segment") == 0);
    CHECK(after.counts.records == 250);
}

TEST_CASE("verify names a folder without a log", "[log][verify]") {
    memory_files files;
    CHECK_THROWS_WITH(verify(files, "nowhere"),
        Catch::Contains("there is no log in this folder") && Catch::Contains("nowhere"));
}

TEST_CASE("a summary has every segment with its bounds", "[log][summary]") {
    memory_files files;
    small_log::make<file_log<visit, columns>>(files, 100, 2);
    auto const found = summarize_log("log", files);
    CHECK(found.identity.id == log_id{1, 2});
    REQUIRE(found.partitions.size() == 2);
    std::uint64_t records = 0;
    for (auto const& each : found.partitions[1].segments) {
        CHECK(each.header.base == records);
        records += each.records;
        CHECK(each.end_offset == records);
        CHECK(each.sealed);
        CHECK(each.unreadable == 0);
        REQUIRE(each.times.size() == 1);
        CHECK(each.times[0].least <= each.times[0].greatest);
        CHECK(each.header.layout == detail::layout_kind::columns);
    }
    CHECK(records == 100);
    CHECK(found.partitions[1].segments.back().closed);
    CHECK(found.partitions[1].segments.back().durable_claim == 100);
    CHECK(found.partitions[1].segments.size() > 3);
}
