// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/log/republish.hpp>

#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace driftless;
using log_conformance::append_some;
using log_conformance::check_some;
using log_conformance::reading;
using log_conformance::visit;
using testing::fault;
using testing::memory_files;

namespace {
constexpr std::uint64_t count = 400;

file_log_options hot_options(memory_files& files) {
    auto out = small_log::options_in(files);
    out.id = {9, 9};
    return out;
}
}  // namespace

TEMPLATE_TEST_CASE("a range is sent on once, however often it is asked for", "[log][republish]", reading, visit) {
    memory_files files;
    tiered_log<file_log<TestType>> cold{"log", cold_folder{"cold", files}, {}, small_log::options_in(files)};
    append_some(cold, 0, count);
    cold.sync();
    cold.move_before(0, count / 2);
    file_log<TestType> hot{"hot", hot_options(files)};
    CHECK(republish(cold, hot, {100, 200}).added == 100);
    auto const again = republish(cold, hot, {100, 200});
    CHECK(again.added == 0);
    CHECK(again.skipped == 100);
    for (int i = 0; i < 20; ++i) {  // others append between, so that no run of offsets is long
        auto const from = 150U + static_cast<unsigned>(i) * 10U;
        auto const part = republish(cold, hot, {from, from + 60});
        CHECK(part.added == 10);
        CHECK(part.skipped == 50);
    }
    CHECK(republish(cold, hot, {100, 400}).added == 0);
    CHECK_THROWS_WITH(republish(cold, hot, {401, 500}), Catch::Contains("sent on up to offset 400"));
    CHECK(republish(cold, hot, {400, 500}).added == 0);
    CHECK(hot.end_offset() == 300);
    check_some(hot, 0, 300, 100);
    append_some(cold, count, count + 50);
    CHECK(republish(cold, hot, {0, 1'000}).added == 50);
    check_some(hot, 0, 350, 100);
}

TEST_CASE("a range that has gaps, or begins too early, is refused", "[log][republish]") {
    memory_files files;
    file_log<reading> cold{"log", small_log::options_in(files)};
    append_some(cold, 0, count);
    auto const begin = cold.trim(0, 150);
    REQUIRE(begin > 0);
    file_log<reading> hot{"hot", hot_options(files)};
    CHECK_THROWS_WITH(republish(cold, hot, {0, 200}), Catch::Contains("before the log"));
    compact_by_key(cold, [](reading const& each) { return each.sensor; });
    CHECK_THROWS_WITH(republish(cold, hot, {begin, 400}), Catch::Contains("have no records"));
    CHECK(hot.end_offset() == 0);
}

TEST_CASE("killed anywhere while a range is sent on, each record comes once", "[log][republish][crash]") {
    std::uint64_t failed = 0;
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t nth = 1;; ++nth) {
            INFO("operation " << nth << ", fault " << static_cast<int>(what));
            memory_files cold_files;
            file_log<reading> cold{"log", small_log::options_in(cold_files)};
            append_some(cold, 0, count);
            memory_files files;
            files.inject(nth, what);
            bool whole = false;
            try {
                file_log<reading> hot{"hot", hot_options(files)};
                republish(cold, hot, {0, 250});
                hot.sync();
                republish(cold, hot, {100, 300});
                hot.close();
                whole = true;
            } catch (error const&) {  // NOLINT(bugprone-empty-catch): sent again
            }
            if (whole) break;
            ++failed;
            if (what == fault::cut && nth % 2 == 0) files.lose_power(nth);
            else files.restart();
            file_log<reading> hot{"hot", hot_options(files)};
            republish(cold, hot, {0, 300});
            CHECK(hot.end_offset() == 300);
            check_some(hot, 0, 300, 0);
        }
    }
    CHECK(failed > 60);
}
