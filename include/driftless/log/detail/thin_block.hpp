// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_THIN_BLOCK_HPP
#define DRIFTLESS_LOG_DETAIL_THIN_BLOCK_HPP

#include <driftless/log/compressor.hpp>
#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/recode_segment.hpp>
#include <driftless/log/untyped_block.hpp>
#include <driftless/log/verify_log.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// A block of some records of another one, as it goes to the disk. Times and layout stay; integers are not packed as
/// differences any more.
///
/// kept        which records, in order
/// header      with the offsets that the block spans, from the first to the last record or more
inline std::string thin_block(untyped_block const& of, std::vector<std::size_t> const& kept, block_header header,
    std::vector<time_range> ranges, std::uint64_t seed, compression compressed) {
    auto const& schema = of.schema();
    if (kept.empty()) ranges.assign(ranges.size(), time_range{});
    else if (schema.is_readable() || schema.layout() == layout_kind::columns) {
        time_collector times{schema};
        for (auto const i : kept) of.visit(i, times);
        ranges = times.ranges();
    }
    struct made_part {
        std::string bytes;
        packing how = packing::plain;
    };
    std::vector<made_part> parts;
    for (std::size_t index = 0; !kept.empty() && index < of.pieces(); ++index) {
        std::string values;
        std::string ends;
        for (auto const i : kept) {
            values += of.piece(i, index);
            put(ends, static_cast<std::uint32_t>(values.size()));
        }
        if (of.is_fixed(index)) {
            parts.push_back({std::move(values)});
        } else if (schema.layout() == layout_kind::packed) {
            parts.push_back({std::move(values)});
            parts.push_back({std::move(ends)});
        } else {
            parts.push_back({ends + values, packing::ends});
        }
    }
    if (!kept.empty() && kept.size() != header.offset_span) {
        std::string places;
        for (auto const i : kept) put(places, static_cast<std::uint32_t>(of.offset(i) - header.first_offset));
        parts.push_back({std::move(places), packing::places});
    }
    auto const* const by = compressor_of(compressed, *of.stored().path);
    std::vector<block_part> table(parts.size());
    std::string bytes(block_header_size(ranges.size(), parts.size()), '\0');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto const& plain = parts[i].bytes;
        auto const unpacked = static_cast<std::uint32_t>(plain.size());
        auto const at = static_cast<std::uint32_t>(bytes.size());
        table[i] = {0, at, unpacked, unpacked, parts[i].how, compression::none, 0};
        std::string packed(by == nullptr ? 0 : by->bound(plain.size()), '\0');
        auto const size = by == nullptr ? 0 : by->pack(packed.data(), packed.size(), plain.data(), plain.size());
        if (size != 0 && size < plain.size()) {
            table[i].size = static_cast<std::uint32_t>(size);
            table[i].compressed = compressed;
            bytes.append(packed, 0, size);
        } else {
            bytes += plain;
        }
        bytes.resize(aligned_on_disk(bytes.size()));
    }
    header.records = static_cast<std::uint32_t>(kept.size());
    header.parts = static_cast<std::uint16_t>(parts.size());
    header.size = static_cast<std::uint32_t>(bytes.size());
    seal_block(bytes.data(), header, ranges.data(), ranges.size(), table.data(), seed);
    return bytes;
}
}  // namespace driftless::inline v0::detail
#endif
