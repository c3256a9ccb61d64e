// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_MEAN_HPP
#define DRIFTLESS_AGG_MEAN_HPP

#include <driftless/agg/function.hpp>
#include <driftless/agg/sum.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The running total of values V, and how many they are.
template <class V>
struct total_and_count {
    sum_state<V> value{};
    std::int64_t count = 0;

    static constexpr std::size_t flat_size = flat_sum<sum_state<V>, std::int64_t>;
    void save(auto& out) const { out.write(value).write(count); }
    void load(auto& in) { in.read(value).read(count); }
    friend constexpr bool operator==(total_and_count const&, total_and_count const&) = default;
};

/// |value|, also of the least one.
constexpr uint128 magnitude(int128 value) noexcept {
    return value < 0 ? ~static_cast<uint128>(value) + 1 : static_cast<uint128>(value);
}

/// sum / count as the double nearest to it, ties to even; count > 0.
///
/// Long division: the dividend is shifted up until the quotient has 64 bits or more, the remainder is remembered in the
/// lowest of them, and the one rounding is that of the conversion. No quotient is small enough to be subnormal.
constexpr double divide(int128 sum, std::int64_t count) noexcept {
    if (sum == 0) return 0;
    auto dividend = magnitude(sum);
    auto const divisor = static_cast<uint128>(count);
    int shift = std::countl_zero(static_cast<std::uint64_t>(dividend >> 64));
    if (shift == 64) shift += std::countl_zero(static_cast<std::uint64_t>(dividend));
    dividend <<= shift;
    auto const quotient = dividend / divisor | static_cast<uint128>(dividend % divisor != 0);
    auto const scale = std::bit_cast<double>(static_cast<std::uint64_t>(1023 - shift) << 52);  // 2^-shift, exact
    double const mean = static_cast<double>(quotient) * scale;
    return sum < 0 ? -mean : mean;
}

/// sum / count as the nearest integer, ties to even; count > 0.
constexpr std::int64_t divide_to_integer(int128 sum, std::int64_t count) noexcept {
    auto const divisor = static_cast<uint128>(count);
    auto quotient = magnitude(sum) / divisor;
    auto const remainder = magnitude(sum) % divisor;
    if (remainder > divisor - remainder || (remainder == divisor - remainder && quotient % 2 != 0)) ++quotient;
    return static_cast<std::int64_t>(sum < 0 ? -static_cast<int128>(quotient) : static_cast<int128>(quotient));
}
}  // namespace detail

/// What mean() makes.
template <class Projection>
struct mean_fn {
    static constexpr std::string_view kind = "mean";
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines =
        std::floating_point<value_t<T>> ? combine_class::sequential : combine_class::exact;

    template <class T>
    constexpr auto init(type_of<T>) const noexcept {
        return detail::total_and_count<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && detail::summable<value_t<T>>
    DRIFTLESS_INLINE constexpr auto lift(T const& record) const {
        detail::total_and_count<value_t<T>> one{};
        add(one, record);
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE constexpr void add(detail::total_and_count<V>& into, T const& record) const
        noexcept(noexcept(of(record))) {
        into.value += detail::widened(of(record));
        ++into.count;
    }
    /// Floating sums are not taken back: rounding would leave a remainder.
    template <class V, class T>
        requires(!std::floating_point<V>)
    DRIFTLESS_INLINE constexpr void remove(detail::total_and_count<V>& from, T const& record) const {
        from.value -= detail::widened(of(record));
        --from.count;
    }
    template <class V>
    constexpr void combine(detail::total_and_count<V>& into, detail::total_and_count<V> const& later) const noexcept {
        into.value += later.value;
        into.count += later.count;
    }
    template <class V>
        requires(!std::floating_point<V>)
    constexpr void inverse(detail::total_and_count<V>& from, detail::total_and_count<V> const& part) const noexcept {
        from.value -= part.value;
        from.count -= part.count;
    }
    template <class V>
    constexpr auto lower(detail::total_and_count<V> const& of_all) const noexcept {
        bool const none = of_all.count <= 0;
        if constexpr (std::floating_point<V>) {
            return none ? std::numeric_limits<double>::quiet_NaN() : of_all.value / static_cast<double>(of_all.count);
        } else if constexpr (std::same_as<V, duration>) {
            return none ? duration{} : duration{detail::divide_to_integer(of_all.value.value(), of_all.count)};
        } else {
            return none ? std::numeric_limits<double>::quiet_NaN() : detail::divide(of_all.value.value(), of_all.count);
        }
    }
};

/// The arithmetic mean of a member.
///
/// Shape       integers -> double: the one nearest to the true mean, ties to even. duration -> duration, to the nearest
///             nanosecond, ties to even. Floats -> double: sum in log order by count, so two roundings and those of
///             the sum. Combine: exact for integers and duration (invertible), sequential for floats. Of no records:
///             NaN, 0 ns.
/// State       32 bytes for integers (128-bit sum, count), 16 for floats.
/// Errors      None: a mean of integers always fits. A floating sum may become infinite, and so the mean.
/// Complexity  O(1) per record; two 128-bit divisions per result.
/// Source      Round to odd, then to nearest: S. Boldo, G. Melquiond, "Emulation of a FMA and correctly rounded sums"
///             (2008).
template <auto Member>
constexpr auto mean() {
    return mean_fn<detail::member_projection<Member>>{};
}
/// The mean of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto mean(F function) {
    return mean_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function))};
}
/// The mean of the records themselves, where they are numbers.
constexpr auto mean() { return mean_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
