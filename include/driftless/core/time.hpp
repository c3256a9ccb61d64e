// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_TIME_HPP
#define DRIFTLESS_CORE_TIME_HPP

#include <compare>
#include <cstdint>
#include <limits>

namespace driftless::inline v0 {
namespace detail {
using int64_limits = std::numeric_limits<std::int64_t>;

constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? int64_limits::min() : int64_limits::max();
}
constexpr std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t difference = 0;
    if (!__builtin_sub_overflow(a, b, &difference)) return difference;
    return b < 0 ? int64_limits::max() : int64_limits::min();
}
constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(a, b, &product)) return product;
    return (a < 0) == (b < 0) ? int64_limits::max() : int64_limits::min();
}
}  // namespace detail

/// A span of time in whole nanoseconds.
///
/// Time        Signed 64 bits: about +-292 years. Arithmetic saturates at min() and max(), it never wraps.
/// Complexity  A plain integer; every operation is O(1) and constexpr.
class duration {
    std::int64_t ns_ = 0;

public:
    constexpr duration() = default;
    explicit constexpr duration(std::int64_t nanoseconds) noexcept : ns_(nanoseconds) {}

    /// The number of nanoseconds.
    [[nodiscard]] constexpr std::int64_t ns() const noexcept { return ns_; }
    static constexpr duration min() noexcept { return duration{detail::int64_limits::min()}; }
    static constexpr duration max() noexcept { return duration{detail::int64_limits::max()}; }

    friend constexpr auto operator<=>(duration, duration) = default;
    friend constexpr duration operator+(duration a, duration b) noexcept {
        return duration{detail::saturating_add(a.ns_, b.ns_)};
    }
    friend constexpr duration operator-(duration a, duration b) noexcept {
        return duration{detail::saturating_subtract(a.ns_, b.ns_)};
    }
    friend constexpr duration operator-(duration a) noexcept { return duration{} - a; }
    friend constexpr duration operator*(duration a, std::int64_t n) noexcept {
        return duration{detail::saturating_multiply(a.ns_, n)};
    }
    friend constexpr duration operator*(std::int64_t n, duration a) noexcept { return a * n; }
};

/// A point in event time: whole nanoseconds since 1970-01-01T00:00:00 UTC.
///
/// Time        Signed 64 bits: the years 1677 to 2262. min() stands for -inf, max() for +inf;
///             arithmetic saturates at both. Conversions from and to std::chrono: time/chrono.hpp.
/// Complexity  A plain integer; every operation is O(1) and constexpr.
class event_time {
    std::int64_t ns_ = 0;

public:
    constexpr event_time() = default;
    explicit constexpr event_time(std::int64_t nanoseconds_since_epoch) noexcept
        : ns_(nanoseconds_since_epoch) {}

    /// Nanoseconds since the epoch.
    [[nodiscard]] constexpr std::int64_t ns() const noexcept { return ns_; }
    /// -inf: before every record.
    static constexpr event_time min() noexcept { return event_time{detail::int64_limits::min()}; }
    /// +inf: after every record; as a watermark, the end of the input.
    static constexpr event_time max() noexcept { return event_time{detail::int64_limits::max()}; }
    /// A point given in milliseconds since the epoch (saturating).
    static constexpr event_time from_ms(std::int64_t ms) noexcept {
        return event_time{detail::saturating_multiply(ms, 1'000'000)};
    }
    /// Milliseconds since the epoch, rounded towards -inf.
    [[nodiscard]] constexpr std::int64_t ms() const noexcept {
        return ns_ / 1'000'000 - (ns_ % 1'000'000 < 0 ? 1 : 0);
    }

    friend constexpr auto operator<=>(event_time, event_time) = default;
    friend constexpr event_time operator+(event_time t, duration d) noexcept {
        return t.is_infinite() ? t : event_time{detail::saturating_add(t.ns_, d.ns())};
    }
    friend constexpr event_time operator-(event_time t, duration d) noexcept {
        return t.is_infinite() ? t : event_time{detail::saturating_subtract(t.ns_, d.ns())};
    }
    friend constexpr duration operator-(event_time a, event_time b) noexcept {
        return duration{detail::saturating_subtract(a.ns_, b.ns_)};
    }

    /// True for min() and max(), which no arithmetic moves.
    [[nodiscard]] constexpr bool is_infinite() const noexcept {
        return ns_ == detail::int64_limits::min() || ns_ == detail::int64_limits::max();
    }
};

/// The half-open span [start, end) of event time that a result speaks of.
///
/// Time        `start` belongs to the window, `end` does not; its last instant is `end - 1 ns`.
struct time_window {
    event_time start = event_time::min();
    event_time end = event_time::max();

    /// True if `at` lies in [start, end).
    [[nodiscard]] constexpr bool contains(event_time at) const noexcept { return start <= at && at < end; }
    /// The last instant of the window: end - 1 ns; +inf for the global window.
    [[nodiscard]] constexpr event_time max_timestamp() const noexcept { return end - duration{1}; }

    friend constexpr bool operator==(time_window const&, time_window const&) = default;
    /// Windows are ordered by (end, start): the order in which they fire.
    friend constexpr std::strong_ordering operator<=>(time_window const& a, time_window const& b) noexcept {
        if (auto const by_end = a.end <=> b.end; by_end != 0) return by_end;
        return a.start <=> b.start;
    }
};

/// Literals for durations: 250_ms, 5_s, 30_min, 1_h, 1_d (24 hours). They saturate.
namespace literals {
namespace detail {
constexpr duration scaled(unsigned long long count, std::int64_t unit) noexcept {
    using limits = std::numeric_limits<std::int64_t>;
    if (count > static_cast<unsigned long long>(limits::max())) return duration::max();
    return duration{driftless::detail::saturating_multiply(static_cast<std::int64_t>(count), unit)};
}
}  // namespace detail
constexpr duration operator""_ns(unsigned long long n) noexcept { return detail::scaled(n, 1); }
constexpr duration operator""_us(unsigned long long n) noexcept { return detail::scaled(n, 1'000); }
constexpr duration operator""_ms(unsigned long long n) noexcept { return detail::scaled(n, 1'000'000); }
constexpr duration operator""_s(unsigned long long n) noexcept { return detail::scaled(n, 1'000'000'000); }
constexpr duration operator""_min(unsigned long long n) noexcept { return detail::scaled(n, 60'000'000'000); }
constexpr duration operator""_h(unsigned long long n) noexcept { return detail::scaled(n, 3'600'000'000'000); }
constexpr duration operator""_d(unsigned long long n) noexcept { return detail::scaled(n, 86'400'000'000'000); }
}  // namespace literals
}  // namespace driftless::inline v0
#endif
