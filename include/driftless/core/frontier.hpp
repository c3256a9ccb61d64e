// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_FRONTIER_HPP
#define DRIFTLESS_CORE_FRONTIER_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// How far a job has read when all that it has read has come through: a prefix of its inputs.
///
/// State       Borrowed while it is told: the offsets are valid for the call.
struct frontier {
    std::uint64_t epoch = 0;                   ///< records read from all inputs, since the beginning of the job
    event_time watermark = event_time::min();  ///< the last one told to operators; those between deadlines are not
    event_time progress = event_time::min();   ///< the newest event time, of the partition where it is least
    std::uint64_t const* offsets = nullptr;    ///< of the next record: by input, then by partition
    std::size_t partitions = 0;                ///< how many offsets
};

namespace detail {
/// A sink that serves readers: it is told where the job stands at the end of every poll, and when the job has been
/// restored or has ended. What it was given up to then is the answer over that prefix.
template <class S>
concept follows_frontier = requires(S& sink, frontier const& at) { sink.on_frontier(at); };
}  // namespace detail
}  // namespace driftless::inline v0
#endif
