// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_EVOLUTION_HPP
#define DRIFTLESS_LOG_EVOLUTION_HPP

#include <driftless/codec/detail/evolving_state.hpp>
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/old_segments.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A value of schema_evolution<T>: file logs of T read segments with another schema, and jobs the T in the state of a
/// snapshot, by the rules of record_reader.
struct evolving_t {
    template <class T, class Layout>
    using old_segments = detail::old_segments<T, Layout>;

    template <class T>
    static void write(byte_writer& writer, T const& value) {
        detail::write_evolving(writer, value);
    }
    template <class T>
    static void read(byte_reader& reader, T& value) {
        detail::read_evolving(reader, value);
    }
};
/// Segments may have been written with an older or newer version of the record, and in any layout. A writer goes on in
/// a new segment with its own schema.
///
/// Errors      mismatch, with every difference by its path, for a segment that cannot be read: when the log is opened
///             if it is the newest, else when it is read. can_read_all() tells before.
/// Complexity  Segments with the schema and layout of T are read as ever. Others are decoded record by record, all
///             members, and once more for the time bounds of a batch.
inline constexpr evolving_t evolving{};

/// A segment that can_read_all() found no way to read.
struct unreadable_segment {
    std::string path;
    std::string schema;                    ///< as it was written; empty if even that is unknown
    std::vector<std::string> differences;  ///< a sentence for each, with its path in the record
};

/// What can_read_all() found.
struct log_readability {
    std::uint64_t segments = 0;  ///< that were looked at
    std::vector<unreadable_segment> unreadable;

    explicit operator bool() const noexcept { return unreadable.empty(); }
};

/// Whether an evolving T can be read from every segment of the log in folder `path`. Reads their headers alone, so that
/// a deployment can ask it of a log that is being written.
///
/// Errors      not_there if there is no log; corrupt or unsupported if its identity cannot be read; io. A segment whose
///             header is damaged is listed as unreadable.
/// Complexity  A read of 4 KiB per segment.
template <class T>
[[nodiscard]] log_readability can_read_all(std::string const& path, file_system& files = real_files()) {
    auto const identity = detail::read_identity(path, files);
    if (!identity) {
        throw error{error_code::not_there, "there is no log to read in this folder: look at the path", path};
    }
    log_readability out;
    for (std::uint32_t p = 0; p < identity->partitions; ++p) {
        detail::segment_list segments{files, detail::partition_folder(path, p), identity->id, p};
        segments.refresh();
        for (auto const base : segments.bases()) {
            auto const at = segments.path_of(base);
            auto const file = files.open(at, open_mode::read);
            if (!file) continue;  // removed meanwhile
            ++out.segments;
            unreadable_segment found{at, {}, {}};
            try {
                auto const header = detail::read_segment_header(*file);
                found.schema = header.schema;
                found.differences = detail::differences_to<T>(header, at);
            } catch (error const& problem) {
                if (problem.code() == error_code::io) throw;
                found.differences.emplace_back(problem.what());
            }
            if (!found.differences.empty()) out.unreadable.push_back(std::move(found));
        }
    }
    return out;
}
}  // namespace driftless::inline v0
#endif
