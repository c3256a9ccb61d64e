// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_RETENTION_HPP
#define DRIFTLESS_LOG_RETENTION_HPP

#include <driftless/core/time.hpp>

#include <cstdint>
#include <limits>

namespace driftless::inline v0 {

/// What a file log removes by itself: segments, whole, the oldest first, when a new one begins. By default nothing.
/// Each member is a reason of its own; whatever it is, the newest segment stays, and so does what is pinned.
///
/// age            segments whose newest record was appended longer ago
/// bytes          segments that a partition of so many bytes, per partition, can do without
/// read_by_all    what every registered reader has passed; nothing while no reader is registered. Pins are no readers,
///                nor are groups: one that must find its records registers a reader and moves it on as it commits.
struct retention {
    duration age = duration::max();
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
    bool read_by_all = false;

    [[nodiscard]] constexpr bool keeps_everything() const noexcept {
        return age == duration::max() && bytes == std::numeric_limits<std::uint64_t>::max() && !read_by_all;
    }
};
}  // namespace driftless::inline v0
#endif
