// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SYSTEM_TIME_HPP
#define DRIFTLESS_LOG_DETAIL_SYSTEM_TIME_HPP

#include <driftless/core/time.hpp>

#include <chrono>

namespace driftless::inline v0::detail {

/// The clock of logs that are given no other.
inline event_time system_time() {
    return event_time{std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch())
            .count()};
}
}  // namespace driftless::inline v0::detail
#endif
