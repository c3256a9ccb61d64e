// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_TIME_HISTOGRAM_HPP
#define DRIFTLESS_CORE_TIME_HISTOGRAM_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// How many spans of time were how long.
///
/// State       Bounds that are fixed, from nothing to a day, and the sum in whole microseconds: what several threads
///             count adds up to the same in any order.
struct time_histogram {
    static constexpr std::size_t buckets = 11;

    std::uint64_t counts[buckets] = {};  ///< by bucket, not cumulative
    std::uint64_t sum_us = 0;            ///< of all spans; what is below a microsecond is cut off, span by span

    /// The upper bound of a bucket, inclusive; the last one has none.
    static constexpr duration bound(std::size_t bucket) noexcept {
        constexpr std::int64_t ms = 1'000'000;
        constexpr std::int64_t bounds[buckets - 1] = {0, ms, 10 * ms, 100 * ms, 1'000 * ms, 10'000 * ms, 60'000 * ms,
            600'000 * ms, 3'600'000 * ms, 86'400'000 * ms};
        return bucket < buckets - 1 ? duration{bounds[bucket]} : duration::max();
    }
    /// A span below zero counts as none.
    constexpr void add(duration span) noexcept {
        std::size_t i = 0;
        while (i < buckets - 1 && bound(i) < span) ++i;
        ++counts[i];
        if (span > duration{}) sum_us += static_cast<std::uint64_t>(span.ns() / 1'000);
    }
    constexpr void add(time_histogram const& other) noexcept {
        for (std::size_t i = 0; i < buckets; ++i) counts[i] += other.counts[i];
        sum_us += other.sum_us;
    }
    [[nodiscard]] constexpr std::uint64_t count() const noexcept {
        std::uint64_t sum = 0;
        for (auto const n : counts) sum += n;
        return sum;
    }
    friend constexpr bool operator==(time_histogram const&, time_histogram const&) = default;
};
}  // namespace driftless::inline v0
#endif
