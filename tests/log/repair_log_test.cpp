// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/repair_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using small_log::flip;
using testing::memory_files;

namespace {
std::string const first_segment = "log/p00000/00000000000000000000.segment";
std::string const first_index = "log/p00000/00000000000000000000.index";

std::uint64_t problems_of(memory_files& files) {
    verify_log_options options;
    options.files = &files;
    options.found = [](log_finding const& each) {
        if (each.is_problem) UNSCOPED_INFO(each.path << ": " << each.what);
    };
    return verify_log("log", options).problems;
}
std::map<std::string, std::string> all_bytes(memory_files& files) {
    std::map<std::string, std::string> out;
    for (auto const& path : small_log::paths_in(files)) out[path] = small_log::bytes_of(files, path);
    return out;
}
/// Opens the log to append, looks whether its records are the first ones of what was written, and goes on.
template <class Log>
std::uint64_t open_and_go_on(memory_files& files) {
    Log log{"log", small_log::options_in(files)};
    auto const end = log.end_offset();
    log_conformance::check_some(log, 0, end, 0);
    log_conformance::append_some(log, end, end + 10);
    log.sync();
    log_conformance::check_some(log, 0, end + 10, 0);
    return end;
}

/// Damages a log at every 61st bit of every file, repairs it, and looks whether it opens and is intact.
template <class Log>
void repairs_every_damage(std::uint64_t records) {
    memory_files whole;
    small_log::make<Log>(whole, records);
    auto const bytes = all_bytes(whole);
    std::uint64_t bit = 0;
    for (auto const& [path, before] : bytes) {
        if (path == "log/lock") continue;
        for (; bit < before.size() * 8; bit += 61) {
            memory_files files;
            small_log::make<Log>(files, records);
            flip(files, path, bit / 8, static_cast<int>(bit % 8));
            INFO(path << ", bit " << bit);
            std::uint64_t lost_from = records;
            {
                log_repair repair{"log", files};
                for (auto const& each : repair.steps()) {
                    if (each.loses) lost_from = std::min(lost_from, each.first_offset);
                }
                auto const untouched = all_bytes(files);
                if (repair.loses()) CHECK_THROWS_AS(repair.run(false), error);
                CHECK((all_bytes(files) == untouched));  // planning and refusing write nothing
                repair.run(true);
            }
            CHECK(problems_of(files) == 0);
            CHECK((log_repair{"log", files}.steps().empty()));
            CHECK(open_and_go_on<Log>(files) == lost_from);
        }
        bit -= before.size() * 8;
    }
}
}  // namespace

TEMPLATE_TEST_CASE("repair makes a log open again wherever it is damaged, and says what that loses", "[log][repair]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    repairs_every_damage<TestType>(60);
}

TEST_CASE("repair finds nothing to do in a good log", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 100, 2);
    auto const before = all_bytes(files);
    log_repair repair{"log", files};
    CHECK(repair.steps().empty());
    repair.run(false);
    CHECK((all_bytes(files) == before));
}

TEST_CASE("repair cuts a torn tail back without being told to drop, and keeps what it cuts", "[log][repair]") {
    memory_files files;
    std::uint64_t end = 0;
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log_conformance::append_some(log, 0, 20);
        log.flush();
        end = log.end_offset();
        files.restart();
    }
    auto const torn = small_log::bytes_of(files, first_segment).substr(128, 100);
    auto const size = small_log::bytes_of(files, first_segment).size();
    files.open(first_segment, open_mode::write)->write_at(size, torn);
    {
        log_repair repair{"log", files};
        CHECK(!repair.loses());
        REQUIRE(!repair.steps().empty());
        CHECK(repair.steps()[0].what == repair_step::kind::cut);
        CHECK(repair.steps()[0].position == size);
        CHECK(repair.steps()[0].bytes == 100);
        CHECK(to_string(repair.steps()[0]).find("100 bytes, no readable record") != std::string::npos);
        repair.run(false);
    }
    CHECK(problems_of(files) == 0);
    CHECK(small_log::bytes_of(files, first_segment + "." + std::to_string(size) + ".dropped") == torn);
    CHECK(open_and_go_on<file_log<reading>>(files) == end);
}

TEST_CASE("repair says which records a damaged block takes with it", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 200, 2);
    auto const paths = small_log::paths_in(files, "log/p00001");
    REQUIRE(paths.size() >= 6);
    auto const second = paths[3];
    auto const base = std::stoull(second.substr(11, 20));
    flip(files, second, 400);
    log_repair repair{"log", files};
    REQUIRE(repair.loses());
    std::uint64_t last = 0;
    std::uint64_t first = ~std::uint64_t{0};
    for (auto const& each : repair.steps()) {
        if (!each.loses) continue;
        CHECK(each.partition == 1);
        first = std::min(first, each.first_offset);
        last = std::max(last, each.end_offset);
    }
    CHECK(first == base);
    CHECK(last == 200);
    CHECK_THROWS_WITH(repair.run(false), Catch::Contains("allow it to drop them"));
    repair.run(true);
    CHECK(problems_of(files) == 0);
    file_log<reading> const log{"log", small_log::reading_from(files)};
    CHECK(log.end_offset(0) == 200);
    CHECK(log.end_offset(1) == base);
}

TEST_CASE("repair makes index files anew, and removes what nothing needs", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<visit>>(files, 60);
    auto const before = all_bytes(files);
    files.remove(first_index);
    small_log::set_bytes(files, "log/p00000/00000000000000000060.segment.new", "x");
    small_log::set_bytes(files, "log/p00000/00000000000000000077.index", "x");
    log_repair repair{"log", files};
    CHECK(!repair.loses());
    repair.run(false);
    CHECK((all_bytes(files) == before));
}

TEST_CASE("repair says that records are gone of which an index file speaks", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 20);
    auto const index = small_log::bytes_of(files, first_index);
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        log_conformance::append_some(log, 20, 25);
    }
    auto const position = detail::get<std::uint64_t>(index, 40);
    files.open(first_segment, open_mode::write)->truncate(position);  // at the end of a block
    CHECK_THROWS_AS((file_log<reading>{"log", small_log::options_in(files)}), error);
    {
        log_repair repair{"log", files};
        CHECK(repair.loses());
        CHECK(to_string(repair.steps().back()).find("from offset 20 to 24 had been durable") != std::string::npos);
        repair.run(true);
    }
    CHECK(problems_of(files) == 0);
    CHECK(open_and_go_on<file_log<reading>>(files) == 20);
}

TEST_CASE("repair cuts a transaction that is not complete, which nobody has seen", "[log][repair]") {
    memory_files files;
    {
        file_log<reading> log{"log", small_log::options_in(files)};
        for (std::uint64_t end : {std::uint64_t{10}, std::uint64_t{20}, std::uint64_t{30}}) {
            log_conformance::append_some(log, log.end_offset(), end);
            log.flush();
        }
        files.restart();
    }
    // The last two blocks are a transaction that goes on.
    auto bytes = small_log::bytes_of(files, first_segment);
    auto const header = detail::decode_segment_header(bytes, first_segment);
    std::uint64_t first = 0;
    for (auto at = detail::encode(header).size(); at < bytes.size();) {
        detail::block_header block;
        std::memcpy(&block, bytes.data() + at, sizeof block);
        if (block.first_offset >= 10) {
            if (first == 0) first = at;
            block.flags = detail::block_flag::transaction;
            std::memcpy(bytes.data() + at, &block, sizeof block);
            block.checksum = detail::block_view::header_checksum(bytes.data() + at, block, header.seed());
            std::memcpy(bytes.data() + at, &block.checksum, sizeof block.checksum);
        }
        at += block.size;
    }
    small_log::set_bytes(files, first_segment, bytes);
    CHECK(problems_of(files) == 0);
    {
        log_repair repair{"log", files};
        REQUIRE(!repair.steps().empty());
        CHECK(!repair.loses());
        CHECK(repair.steps()[0].position == first);
        CHECK(repair.steps()[0].why == "a transaction is not complete");
        repair.run(false);
    }
    CHECK(problems_of(files) == 0);
    CHECK(open_and_go_on<file_log<reading>>(files) == 10);
}

TEST_CASE("repair makes a lost identity from the segments", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<visit>>(files, 60, 3);
    auto const before = small_log::bytes_of(files, "log/identity");
    files.remove("log/identity");
    log_repair{"log", files}.run(false);
    CHECK(small_log::bytes_of(files, "log/identity") == before);
    CHECK(problems_of(files) == 0);
}

TEST_CASE("repair refuses what it cannot judge", "[log][repair]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 60, 2);
    SECTION("a log that is being written") {
        file_log<reading> const log{"log", small_log::options_in(files)};
        CHECK_THROWS_WITH((log_repair{"log", files}), Catch::Contains("has a writer"));
    }
    SECTION("a segment that belongs elsewhere") {
        small_log::set_bytes(files, first_segment,
            small_log::bytes_of(files, "log/p00001/00000000000000000000.segment"));
        CHECK_THROWS_WITH((log_repair{"log", files}), Catch::Contains("move it away"));
    }
    SECTION("a folder without a log") {
        files.make_folder("empty");
        CHECK_THROWS_WITH((log_repair{"empty", files}), Catch::Contains("there is no log to repair"));
    }
}

TEST_CASE("a repair that was interrupted anywhere can be done again", "[log][repair]") {
    std::uint64_t nth = 1;
    for (bool more = true; more; ++nth) {
        memory_files files;
        small_log::make<file_log<reading>>(files, 200);
        auto const paths = small_log::paths_in(files, "log/p00000");
        flip(files, paths[3], 400);
        {
            log_repair repair{"log", files};
            files.inject(nth, testing::fault::cut);
            try {
                repair.run(true);
                more = false;
            } catch (error const& why) {
                CHECK(why.code() == error_code::io);
            }
            files.lose_power(nth);
        }
        INFO("operation " << nth);
        log_repair{"log", files}.run(true);
        CHECK(problems_of(files) == 0);
        CHECK(open_and_go_on<file_log<reading>>(files) == std::stoull(paths[3].substr(11, 20)));
    }
    CHECK(nth > 15);
}
