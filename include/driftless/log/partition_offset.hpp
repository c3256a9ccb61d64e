// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_PARTITION_OFFSET_HPP
#define DRIFTLESS_LOG_PARTITION_OFFSET_HPP

#include <compare>
#include <cstdint>

namespace driftless::inline v0 {

/// A place in a log.
struct partition_offset {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    friend auto operator<=>(partition_offset const&, partition_offset const&) = default;
};
}  // namespace driftless::inline v0
#endif
