// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_WIDE_SUM_HPP
#define DRIFTLESS_AGG_DETAIL_WIDE_SUM_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace driftless::inline v0::detail {
/// An exact sum of 64-bit integers in 128 bits: high * 2^64 + low, low signed. Adding is one addition and a branch
/// that is never taken while the sum fits 64 bits; an __int128 would extend the sign and carry every time, and its
/// alignment would pad the entries of tables.
class wide_sum {
    std::int64_t low_ = 0;
    std::int64_t high_ = 0;

public:
    constexpr wide_sum() = default;
    constexpr explicit wide_sum(int128 value) noexcept
        : low_(static_cast<std::int64_t>(value)),
          high_(static_cast<std::int64_t>((static_cast<uint128>(value) - extended(low_)) >> 64)) {}

    [[nodiscard]] constexpr int128 value() const noexcept {
        return static_cast<int128>((static_cast<uint128>(high_) << 64) + extended(low_));
    }

    template <std::integral V>
    DRIFTLESS_INLINE constexpr wide_sum& operator+=(V value) noexcept {
        if constexpr (std::unsigned_integral<V> && sizeof(V) == 8) return *this += wide_sum{int128{value}};
        auto const narrow = static_cast<std::int64_t>(value);
        // 1 | sign is -1 or 1. Chosen by ?:, g++ 12 makes a number of the overflow flag instead of branching on it.
        if (__builtin_add_overflow(low_, narrow, &low_)) [[unlikely]]
            high_ += 1 | (narrow >> 63);
        return *this;
    }
    template <std::integral V>
    DRIFTLESS_INLINE constexpr wide_sum& operator-=(V value) noexcept {
        if constexpr (std::unsigned_integral<V> && sizeof(V) == 8) return *this -= wide_sum{int128{value}};
        auto const narrow = static_cast<std::int64_t>(value);
        if (__builtin_sub_overflow(low_, narrow, &low_)) [[unlikely]]
            high_ -= 1 | (narrow >> 63);
        return *this;
    }
    DRIFTLESS_INLINE constexpr wide_sum& operator+=(wide_sum other) noexcept {
        high_ += other.high_;
        if (__builtin_add_overflow(low_, other.low_, &low_)) [[unlikely]]
            high_ += 1 | (other.low_ >> 63);
        return *this;
    }
    DRIFTLESS_INLINE constexpr wide_sum& operator-=(wide_sum other) noexcept {
        high_ -= other.high_;
        if (__builtin_sub_overflow(low_, other.low_, &low_)) [[unlikely]]
            high_ -= 1 | (other.low_ >> 63);
        return *this;
    }

    static constexpr std::size_t flat_size = 16;
    void save(auto& out) const { out.write(value()); }
    void load(auto& in) {
        int128 value{};
        in.read(value);
        *this = wide_sum{value};
    }
    friend constexpr bool operator==(wide_sum const&, wide_sum const&) = default;

private:
    static constexpr uint128 extended(std::int64_t value) noexcept { return static_cast<uint128>(int128{value}); }
};

/// The exact sum of a burst of up to 2^32 integers, without a carry or a branch, so that loops become SIMD: 64-bit
/// values (Wide) in two halves, the lower one unsigned; narrower values as they are.
template <bool Wide>
class burst_sum {
    std::uint64_t low_ = 0;
    std::int64_t high_ = 0;

public:
    template <std::integral V>
    DRIFTLESS_INLINE constexpr void operator+=(V value) noexcept {
        low_ += static_cast<std::uint32_t>(value);
        high_ += static_cast<std::int64_t>(value >> 32);  // rounded down, so that what is left is positive
    }
    [[nodiscard]] constexpr wide_sum sum() const noexcept {
        return wide_sum{int128{high_} * (std::int64_t{1} << 32) + low_};
    }
};
template <>
class burst_sum<false> {
    std::int64_t sum_ = 0;

public:
    template <std::integral V>
    DRIFTLESS_INLINE constexpr void operator+=(V value) noexcept {
        sum_ += static_cast<std::int64_t>(value);
    }
    [[nodiscard]] constexpr wide_sum sum() const noexcept { return wide_sum{sum_}; }
};
}  // namespace driftless::inline v0::detail
#endif
