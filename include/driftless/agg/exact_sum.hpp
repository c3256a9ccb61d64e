// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_EXACT_SUM_HPP
#define DRIFTLESS_AGG_EXACT_SUM_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/projection.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The exact sum of doubles: an integer of 2144 bits in units of 2^-1075, in 67 digits of 32 bits each, kept in 64 so
/// that carries can wait.
///
/// Source      R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015): the small one.
class double_sum {
    static constexpr int digits = 67;
    /// A number adds less than 2^52 to a digit: so many may be added until carries are due.
    static constexpr std::int64_t carry_after = 2046;

    std::int64_t digit_[digits] = {};
    std::int64_t since_carry_ = 0;
    std::int64_t infinities_[2] = {};  // positive, negative
    std::int64_t nans_ = 0;

public:
    DRIFTLESS_INLINE constexpr void add(double value) noexcept { add(value, 1); }
    constexpr void subtract(double value) noexcept { add(value, -1); }
    constexpr void add(double_sum const& other) noexcept { merge(other, 1); }
    constexpr void subtract(double_sum const& other) noexcept { merge(other, -1); }

    /// The double nearest to the sum, ties to even. Without any number, or if they come to nothing, 0.
    [[nodiscard]] constexpr double rounded() const noexcept {
        using limits = std::numeric_limits<double>;
        if (nans_ > 0 || (infinities_[0] > 0 && infinities_[1] > 0)) return limits::quiet_NaN();
        if (infinities_[0] > 0) return limits::infinity();
        if (infinities_[1] > 0) return -limits::infinity();
        double_sum of = *this;
        of.carry();
        bool const negative = of.digit_[digits - 1] < 0;
        if (negative) {
            for (auto& each : of.digit_) each = -each;
            of.carry();
        }
        int top = digits - 1;
        while (top >= 0 && of.digit_[top] == 0) --top;
        if (top < 0) return 0;
        int const highest = 32 * top + 63 - std::countl_zero(static_cast<std::uint64_t>(of.digit_[top]));
        int const lowest = highest > 53 ? highest - 52 : 1;  // bit 0 is never set: no double is that small
        std::uint64_t mantissa = 0;
        for (int bit = highest; bit >= lowest; --bit) mantissa = mantissa << 1 | of.bit(bit);
        bool const half = of.bit(lowest - 1) != 0;
        if (half && (mantissa % 2 != 0 || of.any_below(lowest - 1))) ++mantissa;
        double const size = scaled(static_cast<double>(mantissa), lowest - 1075);
        return negative ? -size : size;
    }

    /// In the one form that a sum has: digits from 0 to 2^32 - 1, the highest one with the sign.
    void save(auto& out) const {
        double_sum of = *this;
        of.carry();
        std::uint64_t used = 0;
        for (auto const each : of.digit_) used += each != 0 ? 1 : 0;
        out.write(used);
        for (int i = 0; i < digits; ++i) {
            if (of.digit_[i] != 0) out.write(static_cast<std::uint8_t>(i)).write(of.digit_[i]);
        }
        out.write(infinities_[0]).write(infinities_[1]).write(nans_);
    }
    void load(auto& in) {
        *this = double_sum{};
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const i = in.template read<std::uint8_t>();
            if (i >= digits) in.fail("a digit of an exact sum is beyond the last");
            in.read(digit_[i]);
        }
        in.read(infinities_[0]).read(infinities_[1]).read(nans_);
    }

private:
    DRIFTLESS_INLINE constexpr void add(double value, std::int64_t sign) noexcept {
        auto const bits = std::bit_cast<std::uint64_t>(value);
        auto const exponent = static_cast<unsigned>(bits >> 52) & 0x7ff;
        if (exponent == 0x7ff) [[unlikely]]
            return add_special(bits, sign);
        std::uint64_t const fraction = bits & ((std::uint64_t{1} << 52) - 1);
        // Subnormal numbers have no leading 1, and the exponent of the least normal ones.
        std::uint64_t const mantissa = exponent == 0 ? fraction : fraction | std::uint64_t{1} << 52;
        unsigned const place = exponent == 0 ? 1 : exponent;
        unsigned const shift = place % 32;
        auto const low = static_cast<std::int64_t>((mantissa << shift) & 0xffffffffu);
        auto const high = static_cast<std::int64_t>(mantissa >> (32 - shift));
        std::int64_t const mask = -static_cast<std::int64_t>((bits >> 63) ^ static_cast<std::uint64_t>(sign < 0));
        digit_[place / 32] += (low ^ mask) - mask;
        digit_[place / 32 + 1] += (high ^ mask) - mask;
        if (++since_carry_ > carry_after) [[unlikely]]
            carry();
    }
    constexpr void add_special(std::uint64_t bits, std::int64_t sign) noexcept {
        if ((bits << 12) != 0) nans_ += sign;
        else infinities_[bits >> 63] += sign;
    }
    constexpr void merge(double_sum const& other, std::int64_t sign) noexcept {
        double_sum part = other;
        part.carry();
        carry();
        for (int i = 0; i < digits; ++i) digit_[i] += sign * part.digit_[i];
        infinities_[0] += sign * part.infinities_[0];
        infinities_[1] += sign * part.infinities_[1];
        nans_ += sign * part.nans_;
        carry();
    }
    DRIFTLESS_NOINLINE constexpr void carry() noexcept {
        std::int64_t over = 0;
        for (int i = 0; i < digits - 1; ++i) {
            std::int64_t const all = digit_[i] + over;
            digit_[i] = all & 0xffffffff;
            over = all >> 32;  // rounded down: what is left is positive
        }
        digit_[digits - 1] += over;
        since_carry_ = 0;
    }
    [[nodiscard]] constexpr std::uint64_t bit(int at) const noexcept {
        return at < 0 ? 0 : static_cast<std::uint64_t>(digit_[at / 32]) >> (at % 32) & 1;
    }
    [[nodiscard]] constexpr bool any_below(int at) const noexcept {
        for (int i = 0; i < at / 32; ++i) {
            if (digit_[i] != 0) return true;
        }
        for (int i = at / 32 * 32; i < at; ++i) {
            if (bit(i) != 0) return true;
        }
        return false;
    }
    /// value * 2^by, exactly, or infinity: value has 53 bits and the result no more below 2^-1074.
    static constexpr double scaled(double value, int by) noexcept {
        for (; by > 1000; by -= 1000) value *= std::bit_cast<double>(std::uint64_t{1023 + 1000} << 52);
        for (; by < -1000; by += 1000) value *= std::bit_cast<double>(std::uint64_t{1023 - 1000} << 52);
        return value * std::bit_cast<double>(static_cast<std::uint64_t>(1023 + by) << 52);
    }
};
}  // namespace detail

/// What exact_sum() makes.
template <class Projection>
struct exact_sum_fn {
    static constexpr std::string_view kind = "exact_sum";
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<Projection, T>) {
            using value = detail::projected_t<Projection, T>;
            return std::same_as<value, double> || std::same_as<value, float>;
        } else {
            return false;
        }
    }();
    template <class T>
        requires fits<T>
    constexpr detail::double_sum init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires fits<T>
    constexpr detail::double_sum lift(T const& record) const {
        detail::double_sum one;
        one.add(static_cast<double>(of(record)));
        return one;
    }
    template <class T>
        requires fits<T>
    DRIFTLESS_INLINE constexpr void add(detail::double_sum& into, T const& record) const
        noexcept(noexcept(of(record))) {
        into.add(static_cast<double>(of(record)));
    }
    template <class T>
        requires fits<T>
    constexpr void remove(detail::double_sum& from, T const& record) const {
        from.subtract(static_cast<double>(of(record)));
    }
    constexpr void combine(detail::double_sum& into, detail::double_sum const& later) const noexcept {
        into.add(later);
    }
    constexpr void inverse(detail::double_sum& from, detail::double_sum const& part) const noexcept {
        from.subtract(part);
    }
    constexpr double lower(detail::double_sum const& of_all) const noexcept { return of_all.rounded(); }
};

/// The sum of a floating member, as if it had been added up without any rounding and rounded once.
///
/// Shape       float, double -> double: the one nearest to the true sum, ties to even; 0 of no records. Combine: exact:
///             the order of the records does not show, so plans may cut and shuffle them. Invertible, without a
///             remainder. NaN, and infinities of either sign, give NaN; those of one sign give that infinity.
/// State       576 bytes.
/// Errors      None. A sum beyond the greatest double is infinite; one that comes back in range is not.
/// Complexity  O(1) per record, about 3 times a plain sum of doubles; some hundred operations per result.
/// Source      R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015).
template <auto Member>
constexpr auto exact_sum() {
    return exact_sum_fn<detail::member_projection<Member>>{};
}
/// The exact sum of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto exact_sum(F function) {
    return exact_sum_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function))};
}
/// The exact sum of the records themselves, where they are floats.
constexpr auto exact_sum() { return exact_sum_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
