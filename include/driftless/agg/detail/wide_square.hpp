// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_WIDE_SQUARE_HPP
#define DRIFTLESS_AGG_DETAIL_WIDE_SQUARE_HPP

#include <driftless/agg/detail/wide_sum.hpp>
#include <driftless/core/config.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace driftless::inline v0::detail {

/// |value|, also of the least one, in the unsigned type of its width or of 64 bits.
template <std::integral V>
constexpr std::uint64_t magnitude_of(V value) noexcept {
    if constexpr (std::is_signed_v<V>) {
        auto const wide = static_cast<std::int64_t>(value);
        return wide < 0 ? ~static_cast<std::uint64_t>(wide) + 1 : static_cast<std::uint64_t>(wide);
    } else {
        return value;
    }
}
constexpr uint128 magnitude_of(int128 value) noexcept {
    return value < 0 ? ~static_cast<uint128>(value) + 1 : static_cast<uint128>(value);
}

/// The exact sum of up to 2^63 squares of 64-bit integers: 192 bits, modulo which it may be below 0 for a while, as
/// long as parts are taken away before they come.
struct wide_square {
    uint128 low = 0;
    std::uint64_t high = 0;

    DRIFTLESS_INLINE constexpr void add(std::uint64_t magnitude) noexcept {
        uint128 const square = uint128{magnitude} * magnitude;
        low += square;
        high += static_cast<std::uint64_t>(low < square);
    }
    constexpr void subtract(std::uint64_t magnitude) noexcept {
        uint128 const square = uint128{magnitude} * magnitude;
        high -= static_cast<std::uint64_t>(low < square);
        low -= square;
    }
    constexpr void add(wide_square const& other) noexcept {
        low += other.low;
        high += other.high + static_cast<std::uint64_t>(low < other.low);
    }
    constexpr void subtract(wide_square const& other) noexcept {
        high -= other.high + static_cast<std::uint64_t>(low < other.low);
        low -= other.low;
    }
    /// n * this - sum^2 as a double: exact in 256 bits, then rounded. Not below 0 where this is a sum of n squares.
    [[nodiscard]] constexpr double times_less_square(std::uint64_t n, uint128 sum) const noexcept {
        std::uint64_t const squares[3] = {
            static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(low >> 64), high};
        std::uint64_t of[4] = {};
        uint128 carry = 0;
        for (int i = 0; i < 3; ++i) {
            carry += uint128{squares[i]} * n;
            of[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
        of[3] = static_cast<std::uint64_t>(carry);
        std::uint64_t const s[2] = {static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(sum >> 64)};
        std::uint64_t square[4] = {};
        for (int i = 0; i < 2; ++i) {
            uint128 over = 0;
            for (int k = 0; k < 2; ++k) {
                over += uint128{s[i]} * s[k] + square[i + k];
                square[i + k] = static_cast<std::uint64_t>(over);
                over >>= 64;
            }
            square[i + 2] = static_cast<std::uint64_t>(over);
        }
        std::uint64_t borrow = 0;
        for (int i = 0; i < 4; ++i) {
            uint128 const less = uint128{of[i]} - square[i] - borrow;
            of[i] = static_cast<std::uint64_t>(less);
            borrow = static_cast<std::uint64_t>(less >> 127);
        }
        double out = 0;
        for (int i = 3; i >= 0; --i) out = out * 18446744073709551616.0 + static_cast<double>(of[i]);
        return out;
    }

    void save(auto& out) const {
        out.write(static_cast<std::uint64_t>(low)).write(static_cast<std::uint64_t>(low >> 64)).write(high);
    }
    void load(auto& in) {
        auto const lowest = in.template read<std::uint64_t>();
        low = uint128{in.template read<std::uint64_t>()} << 64 | lowest;
        in.read(high);
    }
    friend constexpr bool operator==(wide_square const&, wide_square const&) = default;
};
}  // namespace driftless::inline v0::detail
#endif
