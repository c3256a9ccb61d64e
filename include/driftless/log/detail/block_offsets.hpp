// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_BLOCK_OFFSETS_HPP
#define DRIFTLESS_LOG_DETAIL_BLOCK_OFFSETS_HPP

#include <driftless/core/config.hpp>

#include <cstddef>
#include <cstdint>

// The offsets of the records in a block that was read at `at`, of any log: of one that may be compacted by key, and of
// one whose offsets always count up by one.

namespace driftless::inline v0::detail {

template <class B>
concept may_be_sparse = requires(B const& block, std::size_t i) {
    block.is_sparse();
    block.offset(i);
    block.next_offset();
};

template <class B>
DRIFTLESS_INLINE std::uint64_t offset_in(B const& block, std::uint64_t at, std::size_t i) {
    if constexpr (may_be_sparse<B>) return block.offset(i);
    else return at + i;
}
/// Where to read on.
template <class B>
std::uint64_t next_behind(B const& block, std::uint64_t at) {
    if constexpr (may_be_sparse<B>) return block.next_offset();
    else return at + block.size();
}
/// How many of its records lie below an offset.
template <class B>
std::size_t records_below(B const& block, std::uint64_t at, std::uint64_t to) {
    std::size_t n = block.size();
    if (n != 0 && offset_in(block, at, n - 1) < to) return n;
    std::size_t low = 0;
    while (low < n) {
        auto const middle = low + (n - low) / 2;
        if (offset_in(block, at, middle) < to) low = middle + 1;
        else n = middle;
    }
    return low;
}
}  // namespace driftless::inline v0::detail
#endif
