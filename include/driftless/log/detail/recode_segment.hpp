// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_RECODE_SEGMENT_HPP
#define DRIFTLESS_LOG_DETAIL_RECODE_SEGMENT_HPP

#include <driftless/core/error.hpp>
#include <driftless/log/compressor.hpp>
#include <driftless/log/detail/aligned_bytes.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <driftless/log/detail/segment_seal.hpp>
#include <driftless/log/detail/stored_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0::detail {

/// The compressor of that name; null for none.
///
/// Errors      unsupported if its header is not included.
inline compressor const* compressor_of(compression wanted, std::string const& path) {
    auto const by = static_cast<std::size_t>(wanted);
    if (wanted == compression::none || compressors[by] != nullptr) return compressors[by];
    throw error{error_code::unsupported,
        wanted == compression::lz4 ? "segments are to be compressed with lz4: include <driftless/adapt/lz4.hpp>"
                                   : "segments are to be compressed with zstd: include <driftless/adapt/zstd.hpp>",
        path};
}

/// Appends a block of records, its parts compressed in another way and the rest as it was.
inline void recode_block(stored_block const& from, compression to, std::uint64_t seed, std::string& out) {
    auto const& raw = from.raw;
    auto header = raw.header();
    auto const* const by = compressor_of(to, *from.path);
    auto const fields = raw.time_fields();
    std::vector<block_part> table(header.parts);
    std::vector<time_range> ranges(fields);
    for (std::size_t i = 0; i < fields; ++i) ranges[i] = raw.range(i);
    auto const begin = out.size();
    out.resize(begin + block_header_size(fields, header.parts));
    for (std::size_t i = 0; i < table.size(); ++i) {
        auto const was = raw.part(i);
        auto const at = out.size();
        table[i] = {0, static_cast<std::uint32_t>(at - begin), was.size, was.unpacked, was.how, was.compressed, 0};
        if (was.compressed == to) {
            raw.require_intact(i, *from.path, from.position);
            out += raw.part_bytes(was);
        } else {
            aligned_bytes room;
            auto const plain = from.load(i, room);
            std::size_t packed = 0;
            if (by != nullptr) {
                auto const most = by->bound(plain.size());
                out.resize(at + most);
                packed = by->pack(out.data() + at, most, plain.data(), plain.size());
            }
            bool const smaller = packed != 0 && packed < plain.size();
            out.resize(smaller ? at + packed : at);
            if (!smaller) out += plain;
            table[i].size = static_cast<std::uint32_t>(smaller ? packed : plain.size());
            table[i].compressed = smaller ? to : compression::none;
        }
        out.resize(begin + aligned_on_disk(out.size() - begin));
    }
    header.size = static_cast<std::uint32_t>(out.size() - begin);
    seal_block(out.data() + begin, header, ranges.data(), fields, table.data(), seed);
}

/// A segment and its index file, as they go to the disk.
struct recoded_segment {
    std::string bytes;
    std::string index;
    std::uint64_t end_offset = 0;
};

/// Puts a seal behind the blocks of a segment, which the index speaks of, and makes its index file.
inline void end_recoded(recoded_segment& out, segment const& from, segment_index const& index) {
    seal_facts const facts{0, from.last_time().ns(), from.epoch(), from.has_producers() ? 1U : 0U};
    out.bytes += make_seal(from.header(), index, facts);
    out.index = index.encode(from.header());
    out.end_offset = index.end_offset();
}

/// The same segment with its records compressed in another way. Everything is checked on the way.
///
/// Errors      corrupt or malformed if the segment is damaged; unsupported for a compressor that is not there.
/// Complexity  O(bytes of the segment), which are in memory.
inline recoded_segment recode_segment(segment const& from, compression to) {
    auto const& header = from.header();
    auto const seed = header.seed();
    auto const path = std::make_shared<std::string const>(from.path());
    recoded_segment out;
    out.bytes = encode(header);
    segment_index index{header.time_fields.size(), header.base, out.bytes.size()};
    from.walk([&](block_view const& block, std::uint64_t position) {
        auto const at = out.bytes.size();
        if (block.header().kind != block_kind::records) {
            for (std::size_t i = 0; i < block.header().parts; ++i) block.require_intact(i, *path, position);
            out.bytes.append(block.bytes(), block.header().size);
            return index.skip(block.header());
        }
        recode_block({block, nullptr, path, position}, to, seed, out.bytes);
        auto made = block.header();
        made.size = static_cast<std::uint32_t>(out.bytes.size() - at);
        std::vector<time_range> ranges(header.time_fields.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = block.range(i);
        index.add(made, ranges.data());
    });
    end_recoded(out, from, index);
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
