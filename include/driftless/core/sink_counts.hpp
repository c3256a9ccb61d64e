// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_SINK_COUNTS_HPP
#define DRIFTLESS_CORE_SINK_COUNTS_HPP

#include <cstdint>

namespace driftless::inline v0 {

/// What a sink has been through since it was made. A sink that has `sink_counts counts() const` shows it in the metrics
/// of its job, which asks on its own thread.
struct sink_counts {
    std::uint64_t rows = 0;      ///< written
    std::uint64_t removed = 0;   ///< taken back, or retracted
    std::uint64_t commits = 0;   ///< transactions that were committed
    std::uint64_t errors = 0;    ///< calls that threw
    std::uint64_t retries = 0;   ///< attempts made again
    std::uint64_t timeouts = 0;  ///< answers that did not come in time
    std::uint64_t dead = 0;      ///< rows that were given up: dead letters

    friend constexpr bool operator==(sink_counts const&, sink_counts const&) = default;
};

namespace detail {
template <class S>
concept counting_sink = requires(S const& sink) { sink_counts{sink.counts()}; };
}  // namespace detail
}  // namespace driftless::inline v0
#endif
