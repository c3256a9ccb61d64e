// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_CHRONO_HPP
#define DRIFTLESS_TIME_CHRONO_HPP

// Apart from the umbrella headers, because <chrono> costs more than the rest of time/ together.

#include <driftless/core/time.hpp>

#include <chrono>
#include <cstdint>

namespace driftless::inline v0 {

/// From std::chrono, saturating where the span does not fit 64-bit nanoseconds.
///
/// Time        Coarser units are exact, finer ones are rounded towards zero.
template <class Rep, class Period>
[[nodiscard]] constexpr duration to_duration(std::chrono::duration<Rep, Period> span) {
    using seconds = std::chrono::duration<long double>;
    constexpr long double limit = 9.223372036e9L;  // seconds in 2^63 ns
    auto const s = std::chrono::duration_cast<seconds>(span).count();
    if (s > limit) return duration::max();
    if (s < -limit) return duration::min();
    return duration{std::chrono::duration_cast<std::chrono::nanoseconds>(span).count()};
}
/// To std::chrono: exact.
[[nodiscard]] constexpr std::chrono::nanoseconds to_chrono(duration span) noexcept {
    return std::chrono::nanoseconds{span.ns()};
}

/// From a time point of the system clock (UTC), saturating.
template <class Duration>
[[nodiscard]] constexpr event_time to_event_time(std::chrono::time_point<std::chrono::system_clock, Duration> at) {
    return event_time{to_duration(at.time_since_epoch()).ns()};
}
/// To a time point of the system clock with nanoseconds: exact.
[[nodiscard]] constexpr std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds> to_chrono(
    event_time at) noexcept {
    return std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>{
        std::chrono::nanoseconds{at.ns()}};
}
}  // namespace driftless::inline v0
#endif
