// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/tiered_log.hpp>

#include <driftless/log/group.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace driftless;
using log_conformance::append_some;
using log_conformance::check_some;
using log_conformance::reading;
using log_conformance::visit;
using testing::memory_files;

namespace {
using tiered = tiered_log<file_log<reading>>;
static_assert(readable_log<tiered>);
static_assert(cold_store<cold_folder>);

std::int64_t present = 0;
event_time clock_now() { return event_time{present}; }

file_log_options hot_in(memory_files& files) {
    auto out = small_log::options_in(files);
    out.clock = &clock_now;
    return out;
}

std::size_t segments_in(memory_files& files, std::string const& folder) {
    auto const all = files.list(folder);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](auto const& each) { return each.name.ends_with(".segment"); }));
}
/// What verify_log says, problems and notes.
std::string problems_in(memory_files& files, std::string const& folder) {
    std::string out;
    verify_log_options options;
    options.files = &files;
    options.found = [&](log_finding const& each) { out += each.path + ": " + each.what + "\n"; };
    verify_log(folder, options);
    return out;
}
}  // namespace

TEST_CASE("what has moved is read as before, and is gone from the hot folder", "[log][tiered]") {
    memory_files files;
    present = 1'000;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 1'000);
    CHECK(log.move().segments == 0);  // by default nothing moves
    CHECK(log.move_before(0, 1'000).segments == 0);  // nothing is durable yet
    log.sync();
    auto const before = segments_in(files, "log/p00000");
    REQUIRE(before > 10);
    auto const moved = log.move_before(0, 500);
    CHECK(moved.segments > 3);
    CHECK(moved.segments == segments_in(files, "cold/p00000"));
    CHECK(moved.records == log.hot_offset());
    CHECK(moved.bytes_written == moved.bytes_read);
    CHECK(segments_in(files, "log/p00000") + moved.segments == before);
    CHECK(log.hot_offset() > 400);
    CHECK(log.hot_offset() <= 500);
    CHECK(log.begin_offset() == 0);
    check_some(log, 0, 1'000, 0);
    for (std::uint64_t at = 0; at < 1'000; at += 13) check_some(log, at, std::min<std::uint64_t>(at + 20, 1'000), 0);
    log.move_before(0, ~std::uint64_t{0});
    CHECK(segments_in(files, "log/p00000") == 1);  // the newest stays
    check_some(log, 0, 1'000, 0);
    append_some(log, 1'000, 1'100);
    check_some(log, 0, 1'100, 0);
}

TEST_CASE("both tiers are sound, and the cold folder is a log that others can read", "[log][tiered]") {
    memory_files files;
    {
        tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
        append_some(log, 0, 1'000);
        log.sync();
        log.move_before(0, 700);
        log.close();
    }
    for (auto const* const folder : {"log", "cold"}) {
        CHECK(problems_in(files, folder).empty());
    }
    file_log<reading> const cold{"cold", small_log::reading_from(files)};
    CHECK(cold.begin_offset() == 0);
    CHECK(cold.end_offset() > 500);
    check_some(cold, 0, cold.end_offset(), 0);
}

TEST_CASE("segments move by age and by bytes, the oldest first", "[log][tiered]") {
    memory_files files;
    present = 0;
    auto const fill = [](tiered& log) {
        for (std::uint64_t i = 0; i < 1'000; i += 100) {
            present = static_cast<std::int64_t>(i);
            append_some(log, i, i + 100);
            log.sync();
        }
    };
    SECTION("age") {
        tiered log{"log", cold_folder{"cold", files}, {.hot_age = duration{300}}, hot_in(files)};
        fill(log);
        present = 1'000;
        CHECK(log.move().segments > 0);
        // What was appended at 700 or later stays; what was before does not, but for the segment that has both.
        CHECK(log.hot_offset() <= 700);
        CHECK(log.hot_offset() > 600);
        present = 10'000;
        log.move();
        CHECK(segments_in(files, "log/p00000") == 1);
        check_some(log, 0, 1'000, 0);
    }
    SECTION("bytes") {
        tiered log{"log", cold_folder{"cold", files}, {.hot_bytes = 4'000}, hot_in(files)};
        fill(log);
        log.move();
        std::uint64_t bytes = 0;
        for (auto const& path : small_log::paths_in(files, "log/p00000")) {
            if (path.ends_with(".segment")) bytes += small_log::bytes_of(files, path).size();
        }
        CHECK(bytes >= 4'000);
        CHECK(bytes < 8'000);
        check_some(log, 0, 1'000, 0);
    }
}

TEST_CASE("a pin keeps segments hot, and the whole from being trimmed", "[log][tiered]") {
    memory_files files;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 1'000);
    log.sync();
    log.move_before(0, 300);
    auto const seam = log.hot_offset();
    {
        auto const pin = log.pin(0, 500);
        log.move_before(0, 1'000);
        CHECK(log.hot_offset() > seam);
        CHECK(log.hot_offset() <= 500);
        log.trim(0, 800);
        CHECK(log.begin_offset() <= 500);
        CHECK(log.begin_offset() == log.hot_offset());
        check_some(log, log.begin_offset(), 1'000, 0);
    }
    log.move_before(0, 1'000);
    CHECK(log.hot_offset() > 800);
    CHECK(log.begin_offset() <= 500);
}

TEST_CASE("retention is about the whole: the cold segments go first", "[log][tiered]") {
    memory_files files;
    auto options = hot_in(files);
    options.retain.bytes = 6'000;
    tiered log{"log", cold_folder{"cold", files}, {.hot_bytes = 3'000}, options};
    for (std::uint64_t i = 0; i < 2'000; i += 100) {
        append_some(log, i, i + 100);
        log.sync();
        log.move();
        log.retain();
        check_some(log, log.begin_offset(), i + 100, 0);
    }
    CHECK(log.begin_offset() > 1'000);
    CHECK(log.hot_offset() > log.begin_offset());
    auto const bytes_in = [&](std::string const& folder) {
        std::uint64_t bytes = 0;
        for (auto const& path : small_log::paths_in(files, folder)) {
            if (path.ends_with(".segment")) bytes += small_log::bytes_of(files, path).size();
        }
        return bytes;
    };
    auto const all = bytes_in("log/p00000") + bytes_in("cold/p00000");
    CHECK(all >= 6'000);
    CHECK(all < 9'000);

    auto slow = log.register_reader("slow");
    CHECK(slow.offset() == log.begin_offset());
}

TEST_CASE("a cold range comes back, and comes back again without a copy", "[log][tiered]") {
    memory_files files;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 1'000);
    log.sync();
    log.move_before(0, 900);
    auto const cold = segments_in(files, "cold/p00000");
    {
        auto const pin = log.bring_back(0, 300);
        auto const hot = segments_in(files, "log/p00000");
        CHECK(log.hot_offset() <= 300);
        CHECK(log.hot_offset() > 200);
        CHECK(segments_in(files, "cold/p00000") == cold);
        check_some(log.hot(), log.hot_offset(), 1'000, 0);
        check_some(log, 0, 1'000, 0);
        std::vector<char const*> done;
        files.note_operations(&done);
        auto const again = log.bring_back(0, 300);
        files.note_operations(nullptr);
        CHECK(segments_in(files, "log/p00000") == hot);
        // The registration of the pin alone was written.
        CHECK(std::count(done.begin(), done.end(), std::string_view{"cannot write a file"}) == 1);
        log.move_before(0, 1'000);
        CHECK(log.hot_offset() <= 300);  // pinned
        auto reader_options = hot_in(files);
        reader_options.access = log_access::read;
        file_log<reading> const other{"log", reader_options};
        check_some(other, other.begin_offset(), 1'000, 0);
        CHECK(other.begin_offset() <= 300);
    }
    log.move_before(0, 900);
    CHECK(log.hot_offset() > 800);
    CHECK(segments_in(files, "cold/p00000") == cold);  // what was there is not copied again
    check_some(log, 0, 1'000, 0);
    log.trim(0, 200);
    CHECK_THROWS_WITH(log.bring_back(0, 10), Catch::Contains("neither hot nor cold"));
}

TEST_CASE("a reader in another process follows what moves", "[log][tiered]") {
    memory_files files;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 500);
    log.sync();
    auto options = hot_in(files);
    options.access = log_access::read;
    tiered const reader{"log", cold_folder{"cold", files}, tiering{}, options};
    check_some(reader, 0, 500, 0);
    auto const held = reader.read(0, 0);
    log.move_before(0, 400);
    check_some(reader, 0, 500, 0);
    CHECK(reader.begin_offset() == 0);
    CHECK(reader.hot_offset() == log.hot_offset());
    append_some(log, 500, 1'000);
    log.sync();
    log.move_before(0, 900);
    CHECK(reader.end_offset() == 1'000);
    check_some(reader, 0, 1'000, 0);
    auto const begin = log.trim(0, 450);
    CHECK(begin > 400);
    CHECK(reader.begin_offset() == begin);
    check_some(reader, begin, 1'000, 0);
    CHECK_THROWS_AS(reader.read(0, begin - 1), error);
    CHECK((held[0] == log_conformance::make_record(static_cast<reading const*>(nullptr), 0)));  // it keeps what it has
}

TEST_CASE("the times of blocks and offset_at are the same in both tiers", "[log][tiered]") {
    memory_files files;
    memory_files plain_files;
    present = 0;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    file_log<reading> plain{"log", hot_in(plain_files)};
    for (std::uint64_t i = 0; i < 1'000; i += 10) {
        present = static_cast<std::int64_t>(i);
        append_some(log, i, i + 10);
        append_some(plain, i, i + 10);
        log.sync();
        plain.sync();
    }
    for (std::uint64_t const seam : {0U, 300U, 700U, 1'000U}) {
        log.move_before(0, seam);
        for (std::uint64_t at = 0; at < 1'000;) {
            auto const ours = log.read(0, at);
            auto const theirs = plain.read(0, at);
            REQUIRE(ours.size() == theirs.size());
            CHECK(ours.append_time() == theirs.append_time());
            CHECK(ours.bounds(2).least == theirs.bounds(2).least);
            CHECK(ours.bounds(2).greatest == theirs.bounds(2).greatest);
            at += ours.size();
        }
        for (std::int64_t t = -5; t < 1'010; t += 5) {
            CHECK(log.offset_at(event_time{t}) == plain.offset_at(event_time{t}));
        }
    }
}

TEST_CASE("a store that does not fit the log is refused", "[log][tiered]") {
    memory_files files;
    auto const fill = [&](std::string const& path, log_id id, std::uint64_t until) {
        auto options = hot_in(files);
        options.id = id;
        tiered log{path, cold_folder{path + "-cold", files}, tiering{}, options};
        append_some(log, 0, 1'000);
        log.sync();
        log.move_before(0, until);
        log.close();
    };
    fill("one", {1, 1}, 500);
    fill("two", {2, 2}, 0);
    CHECK_THROWS_WITH((tiered{"one", cold_folder{"two-cold", files}, tiering{}, hot_in(files)}),
        Catch::Contains("belongs to another log"));
    {
        file_log<reading> alone{"one", hot_in(files)};
        alone.trim(0, 900);
    }
    CHECK_THROWS_WITH((tiered{"one", cold_folder{"one-cold", files}, tiering{}, hot_in(files)}),
        Catch::Contains("records are missing"));
    CHECK(tiered::try_open("one", cold_folder{"one-cold", files}, tiering{}, hot_in(files)).error().code()
        == error_code::corrupt);
}

TEST_CASE("a compressor that is not there is missed before anything moves", "[log][tiered]") {
    memory_files files;
    CHECK_THROWS_WITH((tiered{"log", cold_folder{"cold", files}, {.compressed = compression::zstd}, hot_in(files)}),
        Catch::Contains("include <driftless/adapt/zstd.hpp>"));
}

TEST_CASE("a damaged segment does not move", "[log][tiered]") {
    memory_files files;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 1'000);
    log.sync();
    small_log::flip(files, "log/p00000/" + detail::segment_name(0) + ".segment", 700);
    CHECK_THROWS_AS(log.move_before(0, 900), error);
    CHECK(segments_in(files, "cold/p00000") == 0);
    CHECK(log.hot_offset() == 0);
}

TEST_CASE("producers and transactions go on after their segments have moved", "[log][tiered]") {
    memory_files files;
    auto const record = [](std::uint64_t i) { return log_conformance::make_record(static_cast<reading*>(nullptr), i); };
    std::vector<reading> batch;
    for (std::uint64_t i = 0; i < 40; ++i) batch.push_back(record(i));
    {
        tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
        CHECK(log.append_once(7, 100, batch).added == 40);
        auto several = log.begin();
        for (std::uint64_t i = 40; i < 400; ++i) several.append(record(i));
        several.commit();
        append_some(log, 400, 500);
        log.sync();
        CHECK(log.move_before(0, 500).segments > 0);
        CHECK(log.hot_offset() >= 400);
        CHECK(log.append_once(7, 100, batch).added == 0);
        check_some(log, 0, 500, 0);
    }
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    auto const sent = log.append_once(7, 100, batch);
    CHECK(sent.added == 0);
    CHECK(sent.offset == 0);
    check_some(log, 0, 500, 0);
    CHECK(problems_in(files, "cold").empty());
}

TEST_CASE("readers on other threads see every record while segments move and come back", "[log][tiered]") {
    test::temporary_folder const folder;
    file_log_options options;
    options.segment_bytes = 20'000;
    options.block_bytes = 4'096;
    options.durable = every(duration{1'000'000});
    using log_type = tiered_log<file_log<visit>>;
    log_type log{folder.path() + "/log", cold_folder{folder.path() + "/cold"},
        {.hot_bytes = 30'000, .interval = duration{500'000}}, options};
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    std::atomic<std::uint64_t> read{0};
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&, i] {
            for (std::uint64_t from = 0; !stop; from += 997) {
                auto const end = log.end_offset();
                for (auto at = end == 0 ? 0 : from % end; at < end;) {
                    auto const block = log.read(0, at);
                    auto const n = std::min<std::uint64_t>(block.size(), end - at);
                    for (std::size_t k = 0; k < n; k += 7) {
                        if (!(block[k] == log_conformance::make_record(static_cast<visit*>(nullptr), at + k))) {
                            stop = true;
                            read = ~std::uint64_t{0};
                            return;
                        }
                    }
                    at += n;
                    ++read;
                }
                if (i == 0 && log.begin_offset() != 0) {
                    read = ~std::uint64_t{0};
                    return;
                }
            }
        });
    }
    for (std::uint64_t i = 0; i < 20'000; i += 500) {
        append_some(log, i, i + 500);
        if (i % 4'000 == 2'000) auto const pin = log.bring_back(0, i / 2);
    }
    stop = true;
    for (auto& each : readers) each.join();
    CHECK(read > 0);
    CHECK(read != ~std::uint64_t{0});
    check_some(log, 0, 20'000, 0);
}

TEST_CASE("a group and a range read cross over", "[log][tiered]") {
    memory_files files;
    tiered log{"log", cold_folder{"cold", files}, tiering{}, hot_in(files)};
    append_some(log, 0, 1'000);
    log.sync();
    log.move_before(0, 500);
    std::uint64_t sum = 0;
    read_offsets(log, 0, {100, 900}, [&](partition_offset const& at, reading const&) { sum += at.offset; });
    CHECK(sum == (100 + 899) * 800 / 2);
    static_assert(log_in_folder<tiered>);
}
