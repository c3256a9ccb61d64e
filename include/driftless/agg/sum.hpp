// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_SUM_HPP
#define DRIFTLESS_AGG_SUM_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/wide_sum.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/flat.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class T>
concept summable = (std::integral<T> && !std::same_as<T, bool>) || std::floating_point<T> || std::same_as<T, duration>;

/// Integers are summed in 128 bits, exactly; floats in double, in log order.
template <class V>
using sum_state = std::conditional_t<std::floating_point<V>, double, wide_sum>;
/// What a sum of V comes out as: 64 bits of the same signedness, double, or duration.
template <class V>
using sum_result = std::conditional_t<
    std::floating_point<V>, double,
    std::conditional_t<std::same_as<V, duration>, duration,
        std::conditional_t<std::is_signed_v<V>, std::int64_t, std::uint64_t>>>;

template <class V>
constexpr auto widened(V value) noexcept {
    if constexpr (std::same_as<V, duration>) return value.ns();
    else return value;
}

/// The running total of values V.
template <class V>
struct total {
    sum_state<V> value{};

    static constexpr std::size_t flat_size = flat_sum<sum_state<V>>;
    void save(auto& out) const { out.write(value); }
    void load(auto& in) { in.read(value); }
    friend constexpr bool operator==(total const&, total const&) = default;
};

/// A total as a result: throws `overflow` where it does not fit.
template <class V>
constexpr sum_result<V> narrowed(sum_state<V> sum, char const* who) {
    if constexpr (std::floating_point<V>) {
        return sum;
    } else {
        using wide = std::conditional_t<std::same_as<V, duration>, std::int64_t, sum_result<V>>;
        int128 const exact = sum.value();
        if (exact < int128{std::numeric_limits<wide>::min()} || exact > int128{std::numeric_limits<wide>::max()}) {
            throw error{error_code::overflow,
                sentence({who,
                    " is exact in 128 bits, and its value does not fit the 64 bits of the result: sum "
                    "smaller units, or by narrower windows"})};
        }
        return sum_result<V>{static_cast<wide>(exact)};
    }
}
}  // namespace detail

/// What sum() makes.
template <class Projection>
struct sum_fn {
    static constexpr std::string_view kind = "sum";
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines =
        std::floating_point<value_t<T>> ? combine_class::sequential : combine_class::exact;

    template <class T>
    constexpr auto init(type_of<T>) const noexcept {
        return detail::total<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && detail::summable<value_t<T>>
    DRIFTLESS_INLINE constexpr auto lift(T const& record) const {
        detail::total<value_t<T>> one{};
        add(one, record);
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE constexpr void add(detail::total<V>& into, T const& record) const noexcept(noexcept(of(record))) {
        into.value += detail::widened(of(record));
    }
    /// In a burst integers are added without carry or check.
    template <class T>
        requires(!std::floating_point<value_t<T>>)
    constexpr auto init_burst(type_of<T>) const noexcept {
        return detail::burst_sum<sizeof(value_t<T>) == 8>{};
    }
    template <bool Wide, class T>
    DRIFTLESS_INLINE constexpr void add(detail::burst_sum<Wide>& into, T const& record) const
        noexcept(noexcept(of(record))) {
        into += detail::widened(of(record));
    }
    template <class V, bool Wide>
    DRIFTLESS_INLINE constexpr void absorb(
        detail::total<V>& into, detail::burst_sum<Wide> const& burst, std::int64_t) const noexcept {
        into.value += burst.sum();
    }
    /// Floating sums are not taken back: rounding would leave a remainder.
    template <class V, class T>
        requires(!std::floating_point<V>)
    DRIFTLESS_INLINE constexpr void remove(detail::total<V>& from, T const& record) const {
        from.value -= detail::widened(of(record));
    }
    template <class V>
    constexpr void combine(detail::total<V>& into, detail::total<V> const& later) const noexcept {
        into.value += later.value;
    }
    template <class V>
        requires(!std::floating_point<V>)
    constexpr void inverse(detail::total<V>& from, detail::total<V> const& part) const noexcept {
        from.value -= part.value;
    }
    template <class V>
    constexpr auto lower(detail::total<V> const& of_all) const {
        return detail::narrowed<V>(of_all.value, "sum");
    }
};

/// The sum of a member.
///
/// Shape       integers -> 64 bits of the same signedness, floats -> double, duration -> duration.
///             Combine: exact for integers and duration (invertible), sequential for floats.
/// State       16 bytes for integers (128 bits: exact whatever the order), 8 for floats.
/// Errors      A total that does not fit 64 bits goes to on_error (code overflow) when it is emitted; it is
///             never wrapped.
/// Complexity  O(1) per record.
template <auto Member>
constexpr auto sum() {
    return sum_fn<detail::member_projection<Member>>{};
}
/// The sum of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto sum(F function) {
    return sum_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function))};
}
/// The sum of the records themselves, where they are numbers.
constexpr auto sum() { return sum_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
