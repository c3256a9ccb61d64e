// SPDX-License-Identifier: BSL-1.0
// Small logs in memory, the same bytes each time.
#ifndef DRIFTLESS_TESTS_LOG_SMALL_LOG_HPP
#define DRIFTLESS_TESTS_LOG_SMALL_LOG_HPP

#include <driftless/file/whole_file.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace small_log {
using namespace driftless;

inline event_time still() { return event_time{1'000}; }

inline file_log_options options_in(testing::memory_files& files) {
    file_log_options out;
    out.durable = on_close;
    out.background = false;
    out.segment_bytes = 1'200;  // a few blocks each
    out.block_bytes = 1'024;
    out.deltas = true;
    out.files = &files;
    out.clock = &still;
    out.id = {1, 2};
    return out;
}
inline file_log_options reading_from(testing::memory_files& files) {
    auto out = options_in(files);
    out.access = log_access::read;
    return out;
}

/// A closed log "log" with so many records in each partition.
template <class Log>
void make(testing::memory_files& files, std::uint64_t records, std::uint32_t partitions = 1,
    std::string const& path = "log") {
    auto options = options_in(files);
    options.partitions = partitions;
    Log log{path, options};
    for (std::uint32_t p = 0; p < partitions; ++p) log_conformance::append_some(log, 0, records, p);
    log.close();
}

/// The paths of all files below a folder.
inline std::vector<std::string> paths_in(testing::memory_files& files, std::string const& folder = "log") {
    std::vector<std::string> out;
    for (auto const& each : files.list(folder)) {
        auto const path = folder + "/" + each.name;
        if (!each.folder) out.push_back(path);
        else
            for (auto& inner : paths_in(files, path)) out.push_back(std::move(inner));
    }
    return out;
}
inline std::string bytes_of(testing::memory_files& files, std::string const& path) {
    return read_whole_file(path, files).value();
}
inline void set_bytes(testing::memory_files& files, std::string const& path, std::string const& bytes) {
    auto const file = files.open(path, open_mode::create);
    file->truncate(0);
    file->write_at(0, bytes);
    file->sync();
}
/// Turns one bit of a byte.
inline void flip(testing::memory_files& files, std::string const& path, std::uint64_t at, int bit = 0) {
    auto const file = files.open(path, open_mode::write);
    char byte = 0;
    if (file->read_at(at, &byte, 1) != 1) FAIL("no byte " << at << " in " << path);
    byte = static_cast<char>(byte ^ (1 << bit));
    file->write_at(at, {&byte, 1});
    file->sync();
}
}  // namespace small_log
#endif
