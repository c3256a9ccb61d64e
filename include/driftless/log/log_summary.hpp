// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_LOG_SUMMARY_HPP
#define DRIFTLESS_LOG_LOG_SUMMARY_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/segment_walk.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace driftless::inline v0 {

/// What the headers of a segment say.
struct segment_summary {
    std::string path;
    detail::segment_header header;
    std::uint64_t end_offset = 0;
    std::uint64_t records = 0;
    std::uint64_t blocks = 0;         ///< without the seal
    std::uint64_t bytes = 0;          ///< of the file
    std::uint64_t unreadable = 0;     ///< bytes of it that are no block
    std::uint64_t durable_claim = 0;  ///< the greatest offset that a block says had been synced
    bool sealed = false;
    bool closed = false;  ///< sealed because the log was closed
    std::vector<detail::time_range> times;  ///< of each of header.time_fields
};
/// What the files of a partition hold, in the order of offsets.
struct partition_summary {
    std::vector<segment_summary> segments;

    [[nodiscard]] std::uint64_t begin_offset() const noexcept {
        return segments.empty() ? 0 : segments.front().header.base;
    }
    [[nodiscard]] std::uint64_t end_offset() const noexcept {
        return segments.empty() ? 0 : segments.back().end_offset;
    }
};
/// What summarize_log() has found.
struct log_summary {
    detail::log_identity identity;
    std::vector<partition_summary> partitions;
};

/// Reads the header of every block of a log, and says what there is. Whether it is intact, verify_log tells.
///
/// Errors      not_there, corrupt or unsupported if the identity or the header of a segment cannot be read; io.
/// Complexity  O(blocks), and a read for each 256 KiB.
inline log_summary summarize_log(std::string const& path, file_system& files = real_files()) {
    log_summary out;
    auto const identity = detail::read_identity(path, files);
    if (!identity) throw error{error_code::not_there, "there is no log in this folder: look at the path", path};
    out.identity = *identity;
    for (std::uint32_t p = 0; p < identity->partitions; ++p) {
        auto const folder = detail::partition_folder(path, p);
        auto& partition = out.partitions.emplace_back();
        for (auto const& each : files.list(folder)) {
            if (each.folder || !detail::base_of(each.name, detail::segment_ending)) continue;
            auto const file = files.open(folder + "/" + each.name, open_mode::read);
            if (!file) continue;
            segment_summary segment;
            segment.path = file->path();
            segment.header = detail::read_segment_header(*file);
            segment.end_offset = segment.header.base;
            segment.bytes = file->size();
            segment.times.resize(segment.header.time_fields.size());
            walk_segment(*file, segment.header, detail::encode(segment.header).size(), [&](segment_step const& step) {
                if (step.what != segment_step::kind::block) {
                    segment.unreadable += step.size;
                    return true;
                }
                auto const& block = step.block.header();
                segment.durable_claim = std::max(segment.durable_claim, block.durable_offset);
                segment.end_offset = std::max(segment.end_offset, step.block.end_offset());
                if (block.kind == detail::block_kind::seal) {
                    segment.sealed = true;
                    segment.closed = (block.flags & detail::block_flag::closed) != 0;
                    return true;
                }
                ++segment.blocks;
                segment.records += block.records;
                if (block.kind != detail::block_kind::records) return true;
                for (std::size_t i = 0; i < segment.times.size(); ++i) segment.times[i].widen(step.block.range(i));
                return true;
            });
            partition.segments.push_back(std::move(segment));
        }
    }
    return out;
}
}  // namespace driftless::inline v0
#endif
