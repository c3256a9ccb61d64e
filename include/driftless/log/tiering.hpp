// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_TIERING_HPP
#define DRIFTLESS_LOG_TIERING_HPP

#include <driftless/core/time.hpp>
#include <driftless/log/compressor.hpp>

#include <cstdint>
#include <limits>

namespace driftless::inline v0 {

/// What a tiered_log moves to the cold store: sealed segments, whole, the oldest first. Age and bytes are each a reason
/// of their own; by default move() moves nothing. Whatever they say, the newest segment stays hot, and so does what is
/// pinned and what is not durable yet.
///
/// hot_age        segments whose newest record was appended longer ago
/// hot_bytes      segments that a hot partition of so many bytes, per partition, can do without
/// compressed     of what is moved; lz4 and zstd need their headers in adapt/
/// interval       a thread of its own moves, and then removes what options.retain says, every so often;
///                duration::max(): whoever calls move() and retain() does
struct tiering {
    duration hot_age = duration::max();
    std::uint64_t hot_bytes = std::numeric_limits<std::uint64_t>::max();
    compression compressed = compression::none;
    duration interval = duration::max();
};

/// What a move took.
struct move_report {
    std::uint64_t segments = 0;    ///< copied to the cold store
    std::uint64_t records = 0;     ///< offsets that these span
    std::uint64_t bytes_read = 0;  ///< as they were
    std::uint64_t bytes_written = 0;
};
}  // namespace driftless::inline v0
#endif
