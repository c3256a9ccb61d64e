// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/tiered_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/every_fault.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Whatever a move, a return or a removal is in the middle of when its process or the power ends: every record is there
// once, and the next start finishes or undoes it.

using namespace driftless;
using log_conformance::append_some;
using log_conformance::check_some;
using log_conformance::reading;
using testing::fault;
using testing::memory_files;

namespace {
using tiered = tiered_log<file_log<reading>>;

tiered open_in(memory_files& files) {
    return tiered{"log", cold_folder{"cold", files}, tiering{}, small_log::options_in(files)};
}

struct promises {
    std::uint64_t attempted = 0;
    std::uint64_t durable = 0;
    std::uint64_t may_begin = 0;   // trim() was told so much
    std::uint64_t must_begin = 0;  // and has answered with so much
};

/// Moves, brings back, trims, opens again and moves on.
void live(memory_files& files, promises& out) {
    for (std::uint64_t round = 0; round < 2; ++round) {
        auto log = open_in(files);
        for (std::uint64_t step = 0; step < 2; ++step) {
            auto const from = log.end_offset();
            out.attempted = from + 150;
            append_some(log, from, from + 150);
            log.sync();
            out.durable = from + 150;
            log.move_before(0, from + 100);
        }
        {
            auto const pin = log.bring_back(0, log.hot_offset() / 2);
            log.move_before(0, ~std::uint64_t{0});
        }
        out.may_begin = round * 300 + 80;
        out.must_begin = log.trim(0, out.may_begin);
        log.move_before(0, ~std::uint64_t{0});
        log.close();
    }
}

void check_after(memory_files& files, promises const& told) {
    for (auto const& each : files.list("log/readers")) files.remove("log/readers/" + each.name);  // their lease is over
    auto log = open_in(files);
    auto const end = log.end_offset();
    auto const begin = log.begin_offset();
    CHECK(end >= told.durable);
    CHECK(end <= told.attempted);
    CHECK(begin >= told.must_begin);
    CHECK(begin <= told.may_begin);
    check_some(log, begin, end, 0);
    log.sync();
    log.move_before(0, ~std::uint64_t{0});
    CHECK(log.begin_offset() == begin);
    CHECK(log.end_offset() == end);
    check_some(log, begin, end, 0);
    append_some(log, end, end + 50);
    log.sync();
    log.move_before(0, ~std::uint64_t{0});
    check_some(log, begin, end + 50, 0);
    // What has moved lies in one place alone.
    std::uint64_t in_both = 0;
    for (auto const& each : files.list("cold/p00000")) in_both += files.exists("log/p00000/" + each.name);
    CHECK(in_both == 0);
    log.close();
    for (auto const* const folder : {"log", "cold"}) {
        verify_log_options options;
        options.files = &files;
        options.found = [&](log_finding const& each) {
            FAIL_CHECK(each.path << ": " << each.what);
        };
        if (files.exists(std::string{folder} + "/identity")) verify_log(folder, options);
    }
    for (auto const& path : small_log::paths_in(files, "cold")) CHECK(!path.ends_with(".new"));
}
}  // namespace

TEST_CASE("killed anywhere in a move, nothing is lost and nothing is there twice", "[log][tiered][crash]") {
    every_fault::killed_anywhere<promises>(live, check_after);
}

TEST_CASE("a loss of power anywhere in a move loses nothing that was durable", "[log][tiered][crash]") {
    every_fault::without_power_anywhere<promises>(live, check_after);
}

TEST_CASE("what fails while segments come back leaves no gap in the hot log", "[log][tiered][crash]") {
    std::uint64_t some = 0;
    for (std::uint64_t nth = 1; nth < 90; ++nth) {
        INFO("operation " << nth);
        memory_files files;
        auto log = open_in(files);
        append_some(log, 0, 400);
        log.sync();
        log.move_before(0, 350);
        auto const before = log.hot_offset();
        files.inject(nth, fault::fail);
        try {
            auto const pin = log.bring_back(0, 0);
        } catch (error const&) {  // NOLINT(bugprone-empty-catch): tried again
        }
        files.inject(0, fault::fail);
        some += log.hot_offset() < before && log.hot_offset() > 0;
        check_some(log.hot(), log.hot_offset(), 400, 0);
        check_some(log, 0, 400, 0);
        auto const pin = log.bring_back(0, 0);
        CHECK(log.hot_offset() == 0);
        check_some(log.hot(), 0, 400, 0);
    }
    CHECK(some > 10);
}

TEST_CASE("what fails in a move is done by the next one", "[log][tiered][crash]") {
    std::uint64_t moved = 0;
    for (std::uint64_t nth = 1; nth < 60; ++nth) {
        INFO("operation " << nth);
        memory_files files;
        auto log = open_in(files);
        append_some(log, 0, 300);
        log.sync();
        files.inject(nth, fault::fail);
        try {
            log.move_before(0, 200);
        } catch (error const&) {  // NOLINT(bugprone-empty-catch): tried again
        }
        check_some(log, 0, 300, 0);
        files.inject(0, fault::fail);
        try {
            moved += log.move_before(0, 200).segments;
        } catch (error const& why) {
            CHECK(why.code() == error_code::stopped);  // a sync of the hot log itself has failed
            continue;
        }
        CHECK(log.hot_offset() > 100);
        check_some(log, 0, 300, 0);
    }
    CHECK(moved > 0);
}
