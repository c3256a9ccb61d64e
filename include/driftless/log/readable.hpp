// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_READABLE_HPP
#define DRIFTLESS_LOG_READABLE_HPP

#include <driftless/core/time.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// The least and greatest event time in a block; `known` is false where the log keeps no statistics.
struct time_bounds {
    event_time least = event_time::min();
    event_time greatest = event_time::max();
    bool known = false;
};

/// A run of records of one partition, borrowed until the reader goes on.
///
/// size(), operator[](i)      record i, by reference or (columns) by value
/// each(from, to, f)          f(index, record) for each of [from, to), inlined
/// bounds(field)              the bounds of the event_time member with that index
/// append_time()              when the block was begun, by the log's clock
template <class B>
concept record_block = requires(B const& block, std::size_t i) {
    { block.size() } -> std::convertible_to<std::size_t>;
    block[i];
    { block.bounds(i) } -> std::same_as<time_bounds>;
    { block.append_time() } -> std::same_as<event_time>;
};

/// What a job reads: partitions of records with offsets. Offsets count from begin_offset to
/// end_offset, which only grow; read(p, from) yields the block that holds `from`, up to what is there. Where a run has
/// several threads, they may read a partition at the same time.
template <class L>
concept readable_log = requires(L const& log, std::uint32_t p, std::uint64_t offset) {
    typename L::value_type;
    { log.partitions() } -> std::convertible_to<std::uint32_t>;
    { log.begin_offset(p) } -> std::convertible_to<std::uint64_t>;
    { log.end_offset(p) } -> std::convertible_to<std::uint64_t>;
    { log.read(p, offset) } -> record_block;
};

}  // namespace driftless::inline v0
#endif
