// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEGMENT_SEAL_HPP
#define DRIFTLESS_LOG_DETAIL_SEGMENT_SEAL_HPP

#include <driftless/log/detail/block.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/segment_index.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace driftless::inline v0::detail {

/// What a seal says beyond what its segment holds.
struct seal_facts {
    std::uint16_t flags = 0;
    std::int64_t append_time = 0;
    std::uint64_t epoch = 0;
    std::uint64_t producers = 0;  // how many have numbered records of the segment, or are in its table
};

/// The bytes of a seal behind what the index speaks of, all of which is durable.
inline std::string make_seal(segment_header const& of, segment_index const& index, seal_facts const& facts) {
    auto const fields = of.time_fields.size();
    block_header header{};
    header.kind = block_kind::seal;
    header.layout = of.layout;
    header.flags = facts.flags;
    header.size = static_cast<std::uint32_t>(block_header_size(fields, 0));
    header.first_offset = index.end_offset();
    header.append_time = facts.append_time;
    header.durable_offset = index.end_offset();
    header.epoch = facts.epoch;
    header.producer = facts.producers;
    std::vector<time_range> ranges(fields);
    for (std::size_t i = 0; i < index.entries().size(); ++i) {
        for (std::size_t field = 0; field < fields; ++field) ranges[field].widen(index.range(i, field));
    }
    std::string bytes(header.size, '\0');
    seal_block(bytes.data(), header, ranges.data(), fields, nullptr, of.seed());
    return bytes;
}
}  // namespace driftless::inline v0::detail
#endif
