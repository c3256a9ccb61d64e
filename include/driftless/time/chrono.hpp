// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_CHRONO_HPP
#define DRIFTLESS_TIME_CHRONO_HPP

// Apart from the umbrella headers, because <chrono> costs more than the rest of time/ together.

#include <driftless/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

namespace driftless::inline v0 {

/// From std::chrono, saturating where the span does not fit 64-bit nanoseconds.
///
/// Time        Coarser units are exact, finer ones are rounded towards zero.
template <class Rep, class Period>
[[nodiscard]] constexpr duration to_duration(std::chrono::duration<Rep, Period> span) {
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        auto const ns = std::chrono::duration<long double, std::nano>{span}.count();
        if (ns >= 0x1p63L) return duration::max();
        if (ns > -0x1p63L) return duration{static_cast<std::int64_t>(ns)};
        return duration::min();  // NaN too
    } else {
        using scale = std::ratio_divide<Period, std::nano>;
        __extension__ using wide = __int128;
        auto const ns = static_cast<wide>(span.count()) * scale::num / scale::den;
        if (ns > std::numeric_limits<std::int64_t>::max()) return duration::max();
        if (ns < std::numeric_limits<std::int64_t>::min()) return duration::min();
        return duration{static_cast<std::int64_t>(ns)};
    }
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
