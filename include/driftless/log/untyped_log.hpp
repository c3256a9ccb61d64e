// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_UNTYPED_LOG_HPP
#define DRIFTLESS_LOG_UNTYPED_LOG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/log_reader.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/untyped_block.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A log in files, read without knowing the type of its records: each segment says by its schema what they are.
///
/// Shape       Partitions and offsets as in file_log; blocks of records that are visited or written as JSON. The schema
///             may differ from segment to segment.
/// Errors      driftless::error as a file_log opened to read: what a writer would cut back is not seen, what is damaged
///             throws when the log is opened or read.
/// Threads     One; a writer, in this process or another, may be at work.
/// Complexity  read O(log blocks + bytes of the block).
class untyped_log {
    std::string path_;
    file_system& files_;
    detail::log_identity identity_;
    detail::progress progress_;
    std::vector<std::unique_ptr<detail::log_reader>> readers_;
    std::map<std::string, std::unique_ptr<untyped_schema>> schemas_;  // by path of the segment

public:
    explicit untyped_log(std::string path, file_system& files = real_files()) : path_(std::move(path)), files_(files) {
        auto const found = detail::read_identity(path_, files_);
        if (!found) {
            throw error{error_code::not_there, "there is no log to read in this folder: look at the path", path_};
        }
        identity_ = *found;
        for (std::uint32_t p = 0; p < identity_.partitions; ++p) {
            auto const folder = detail::partition_folder(path_, p);
            readers_.push_back(std::make_unique<detail::log_reader>(files_, folder, progress_, identity_.id, p));
        }
    }

    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    [[nodiscard]] detail::log_identity const& identity() const noexcept { return identity_; }
    [[nodiscard]] std::uint32_t partitions() const noexcept { return identity_.partitions; }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p) { return reader(p).begin_offset(); }
    /// Looks whether there is more.
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) { return reader(p).end_offset(); }

    /// The block that holds offset `from`, at or above begin_offset and below end_offset; where records were removed by
    /// compact_by_key it may have none from there on: read on at its next_offset(). It lives no longer than the log.
    [[nodiscard]] untyped_block read(std::uint32_t p, std::uint64_t from) {
        auto stored = reader(p).read(from);
        auto const& schema = schema_of_segment(*stored.path);
        return {std::move(stored), schema};
    }
    /// The header of the segment that holds an offset.
    [[nodiscard]] detail::segment_header header_at(std::uint32_t p, std::uint64_t offset) {
        return header_of(*reader(p).read(offset).path);
    }

private:
    detail::log_reader& reader(std::uint32_t p) {
        DRIFTLESS_ASSERT(p < partitions(), "the log has no such partition");
        return *readers_[p];
    }
    detail::segment_header header_of(std::string const& path) {
        auto const file = files_.open(path, open_mode::read);
        if (!file) throw error{error_code::not_there, "the segment is not in the log any more", path};
        return detail::read_segment_header(*file);
    }
    untyped_schema const& schema_of_segment(std::string const& path) {
        auto& found = schemas_[path];
        if (!found) found = std::make_unique<untyped_schema>(header_of(path), path);
        return *found;
    }
};
}  // namespace driftless::inline v0
#endif
