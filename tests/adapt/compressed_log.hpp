// SPDX-License-Identifier: BSL-1.0
// What every compressor of logs promises.
#ifndef DRIFTLESS_TESTS_ADAPT_COMPRESSED_LOG_HPP
#define DRIFTLESS_TESTS_ADAPT_COMPRESSED_LOG_HPP

#include <driftless/log/copy_log.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace compressed_log {
using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;

inline void gives_back_or_refuses(detail::compressor const& by) {
    for (std::size_t const size : {std::size_t{1}, std::size_t{100}, std::size_t{70'000}}) {
        std::string plain;
        for (std::size_t i = 0; i < size; ++i) plain += static_cast<char>('a' + i * i % 7);
        std::string packed(by.bound(size), '\0');
        packed.resize(by.pack(packed.data(), packed.size(), plain.data(), size));
        REQUIRE(!packed.empty());
        std::string back(size, '\0');
        CHECK(by.unpack(back.data(), size, packed.data(), packed.size()));
        CHECK(back == plain);
        std::string other(size + 1, '\0');
        CHECK(!by.unpack(other.data(), size + 1, packed.data(), packed.size()));
        CHECK(!by.unpack(other.data(), size - 1, packed.data(), packed.size()));
        CHECK(!by.unpack(back.data(), size, packed.data(), packed.size() - 1));
        CHECK(!by.unpack(back.data(), size, "garbage", 7));
    }
    char small[4];
    std::string const noise = "no room for this";
    CHECK(by.pack(small, sizeof small, noise.data(), noise.size()) == 0);
}

inline file_log_options options_in(testing::memory_files& files, compression by) {
    file_log_options out;
    out.files = &files;
    out.background = false;
    out.durable = on_close;
    out.compressed = by;
    out.deltas = true;
    out.id = {1, 2};
    out.clock = [] { return event_time{1'000}; };
    return out;
}
template <class Layout>
std::uint64_t write_some(testing::memory_files& files, compression by, std::uint64_t count) {
    {
        file_log<visit, Layout> log{"log", options_in(files, by)};
        log_conformance::append_some(log, 0, count);
    }
    return files.open("log/p00000/00000000000000000000.segment", open_mode::read)->size();
}

template <class Layout>
void same_records_in_fewer_bytes(compression by) {
    constexpr std::uint64_t count = 5'000;
    testing::memory_files plain;
    testing::memory_files files;
    auto const before = write_some<Layout>(plain, compression::none, count);
    auto const after = write_some<Layout>(files, by, count);
    CHECK(after * 10 < before * 9);
    auto options = options_in(files, by);
    options.access = log_access::read;
    file_log<visit, Layout> const log{"log", options};
    REQUIRE(log.end_offset() == count);
    log_conformance::check_some(log, 0, count, 0);

    verify_log_options verify;
    verify.files = &files;
    CHECK(verify_log("log", verify).problems == 0);
    copy_log("log", "copy", {7, count - 7, {3, 4}, &files});
    CHECK(verify_log("copy", verify).problems == 0);
    file_log<visit, Layout> const copy{"copy", options};
    log_conformance::check_some(copy, 7, count - 7, 0);
}

template <class Layout>
void flipped_bits_are_found(compression by) {
    constexpr std::uint64_t count = 60;
    testing::memory_files files;
    auto const size = write_some<Layout>(files, by, count);
    auto const file = files.open("log/p00000/00000000000000000000.segment", open_mode::write);
    std::uint64_t refused = 0;
    for (std::uint64_t at = 0; at < size; ++at) {
        char byte = 0;
        file->read_at(at, &byte, 1);
        char const flipped = static_cast<char>(byte ^ (1 << at % 8));
        file->write_at(at, {&flipped, 1});
        try {
            auto options = options_in(files, by);
            options.access = log_access::read;
            file_log<visit, Layout> const log{"log", options};
            auto const end = log.end_offset();
            CHECK(end == count);
            log_conformance::check_some(log, 0, end, 0);
        } catch (error const&) {
            ++refused;
        }
        file->write_at(at, {&byte, 1});
    }
    CHECK(refused * 4 > size * 3);  // the seal may be missed, no record depends on it
}

/// Also back again, and from an uncompressed log as from one that is compressed with the same.
template <class Layout, class Record>
void moves_to_a_smaller_store(compression by) {
    constexpr std::uint64_t count = 5'000;
    for (auto const hot : {compression::none, by}) {
        testing::memory_files files;
        auto options = options_in(files, hot);
        options.segment_bytes = 30'000;
        options.block_bytes = 8'000;
        {
            tiered_log<file_log<Record, Layout>> log{"log", cold_folder{"cold", files}, {.compressed = by}, options};
            log_conformance::append_some(log, 0, count);
            log.sync();
            auto const moved = log.move_before(0, count);
            CHECK(moved.segments > 0);
            if (hot == compression::none) CHECK(moved.bytes_written * 10 < moved.bytes_read * 9);
            else CHECK(moved.bytes_written == moved.bytes_read);
            log_conformance::check_some(log, 0, count, 0);
            auto const pin = log.bring_back(0, 0);
            CHECK(log.hot_offset() == 0);
            log_conformance::check_some(log.hot(), 0, count, 0);
            log.close();
        }
        verify_log_options verify;
        verify.files = &files;
        for (auto const* const folder : {"log", "cold"}) CHECK(verify_log(folder, verify).problems == 0);
        options.access = log_access::read;
        file_log<Record, Layout> const cold{"cold", options};
        log_conformance::check_some(cold, 0, cold.end_offset(), 0);
    }
}
}  // namespace compressed_log
#endif
