// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_MIN_MAX_HPP
#define DRIFTLESS_AGG_MIN_MAX_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept.hpp>
#include <driftless/agg/detail/value_bag.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/codec/flat.hpp>
#include <driftless/core/projection.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Bits are tested rather than values, so that -ffast-math changes nothing.
template <std::floating_point V>
constexpr bool is_nan(V value) noexcept {
    if constexpr (sizeof(V) == 8) return (std::bit_cast<std::uint64_t>(value) << 1) > (std::uint64_t{0x7ff} << 53);
    else if constexpr (sizeof(V) == 4) return (std::bit_cast<std::uint32_t>(value) << 1) > (std::uint32_t{0xff} << 24);
    else return value != value;
}

/// The order of min and max. For floats: -0.0 before 0.0, and NaN last: for min as for max.
enum class extreme : bool {
    least,
    greatest
};
template <extreme Which, class V>
DRIFTLESS_INLINE constexpr bool beats(V const& challenger, V const& holder) {
    if constexpr (std::floating_point<V>) {
        if (is_nan(challenger)) return false;
        if (is_nan(holder)) return true;
        if (challenger == holder) {  // IEEE 754-2019 minimumNumber, maximumNumber
            bool const first = __builtin_signbit(challenger), second = __builtin_signbit(holder);
            return Which == extreme::least ? first && !second : !first && second;
        }
    }
    if constexpr (Which == extreme::least) return challenger < holder;
    else return holder < challenger;
}
template <class V>
DRIFTLESS_INLINE constexpr decltype(auto) one_nan(V const& value) noexcept {
    if constexpr (std::floating_point<V>) return is_nan(value) ? std::numeric_limits<V>::quiet_NaN() : value;
    else return (value);
}

/// Values of which no two are equal and yet differ: then it shows nowhere which one was kept.
template <class V, bool Top = true>
consteval bool find_equal_means_same() {
    constexpr auto shape = shape_of<V>;
    if constexpr (shape == value_shape::unsupported || shape == value_shape::opaque || shape == value_shape::reflected
        || shape == value_shape::variant || shape == value_shape::map || shape == value_shape::sealed)
        return false;
    else if constexpr (shape == value_shape::floating) return Top;  // `beats` sees to those that stand alone
    else if constexpr (shape == value_shape::sequence || shape == value_shape::array || shape == value_shape::optional)
        return find_equal_means_same<typename V::value_type, false>();
    else if constexpr (has_parts<V>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_equal_means_same<part_t<I, V>, false>() && ...);
        }(std::make_index_sequence<part_count<V>>{});
    else return true;
}

/// The state of min and max of numbers: before the first one a number that beats none, so that nothing branches, and
/// nothing has to tell whether there was one.
template <extreme Which, class V>
struct extreme_number {
    static constexpr V beats_none = std::numeric_limits<V>::has_quiet_NaN ? std::numeric_limits<V>::quiet_NaN()
        : Which == extreme::least                                         ? std::numeric_limits<V>::max()
                                                                          : std::numeric_limits<V>::lowest();
    V value = beats_none;

    DRIFTLESS_INLINE constexpr void take(V other) noexcept { value = beats<Which>(other, value) ? other : value; }
    static constexpr std::size_t flat_size = flat_sum<std::optional<V>>;
    void save(auto& out) const { out.write(std::optional<V>{value}); }
    void load(auto& in) { value = in.template read<std::optional<V>>().value_or(beats_none); }
};
}  // namespace detail

template <detail::extreme Which, class Projection>
struct retractable_extreme_fn;

/// What min() and max() make.
template <detail::extreme Which, class Projection>
struct extreme_fn {
    using needs_records = void;
    static constexpr std::string_view kind = Which == detail::extreme::least ? "min" : "max";
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines =
        detail::find_equal_means_same<value_t<T>>() ? combine_class::exact : combine_class::ordered;

    /// What an aggregate over changes takes instead: where equal values are the same, any of them may be taken back.
    template <class T>
        requires(combines<T> == combine_class::exact)
    using over_changes = retractable_extreme_fn<Which, Projection>;

    template <class T>
        requires detail::projects<Projection, T>
    constexpr auto init(type_of<T>) const noexcept {
        static_assert(detail::can_be_kept<value_t<T>>,
            "driftless: min and max keep a value after the push, and text in a struct is borrowed: "
            "compare a member, or a std::tuple of members");
        if constexpr (std::is_arithmetic_v<value_t<T>>) return detail::extreme_number<Which, value_t<T>>{};
        else return detail::held<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && std::totally_ordered<value_t<T>>
    constexpr auto lift(T const& record) const {
        auto one = init(type_of<T>{});
        add(one, record);
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE constexpr void add(detail::extreme_number<Which, V>& into, T const& record) const
        noexcept(noexcept(of(record))) {
        into.take(detail::one_nan<V>(of(record)));
    }
    template <class V, class T>
    DRIFTLESS_INLINE constexpr void add(detail::held<V>& into, T const& record) const
        noexcept(noexcept(of(record)) && std::same_as<V, event_time>) {
        auto&& value = of(record);
        if (!into.value.has_value() || detail::beats<Which, V>(value, detail::seen<V>(*into.value)))
            into.set(detail::one_nan(value));
    }
    template <class V>
    DRIFTLESS_INLINE constexpr void combine(
        detail::extreme_number<Which, V>& into, detail::extreme_number<Which, V> const& later) const {
        into.take(later.value);
    }
    template <class V>
    constexpr V lower(detail::extreme_number<Which, V> const& of_all) const {
        return of_all.value;
    }
    /// Of two that are equal the earlier stays.
    template <class V>
    DRIFTLESS_INLINE constexpr void combine(detail::held<V>& into, detail::held<V> const& later) const {
        if (!later.value.has_value()) return;
        if (!into.value.has_value() || detail::beats<Which>(*later.value, *into.value)) into.value = later.value;
    }
    template <class V>
    constexpr V lower(detail::held<V> const& of_all) const {
        return of_all.get();
    }
};

/// min and max over rows that may be taken back: they keep all values.
template <detail::extreme Which, class Projection>
struct retractable_extreme_fn {
    using needs_records = void;
    static constexpr std::string_view kind = extreme_fn<Which, Projection>::kind;
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;

    constexpr retractable_extreme_fn(extreme_fn<Which, Projection> from) : of(std::move(from.of)) {}  // NOLINT

    template <class V>
    struct order {
        bool operator()(detail::kept_t<V> const& a, detail::kept_t<V> const& b) const {
            return detail::beats<Which>(a, b);
        }
    };
    template <class V>
    using bag = detail::value_bag<V, order<V>>;

    template <class T>
        requires detail::projects<Projection, T>
    auto init(type_of<T>) const noexcept {
        return bag<detail::projected_t<Projection, T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T>
    auto lift(T const& record) const {
        auto one = init(type_of<T>{});
        add(one, record);
        return one;
    }
    template <class V, class T>
    void add(detail::value_bag<V, order<V>>& into, T const& record) const {
        into.add(detail::one_nan<V>(of(record)));
    }
    template <class V, class T>
    void remove(detail::value_bag<V, order<V>>& from, T const& record) const {
        from.take(detail::one_nan<V>(of(record)));
    }
    template <class V>
    void combine(detail::value_bag<V, order<V>>& into, detail::value_bag<V, order<V>> const& later) const {
        into.add_all(later);
    }
    template <class V>
    void inverse(detail::value_bag<V, order<V>>& from, detail::value_bag<V, order<V>> const& part) const {
        from.take_all(part);
    }
    template <class V>
    V lower(detail::value_bag<V, order<V>> const& of_all) const {
        return of_all.front();
    }
};

/// The least value of a member.
///
/// Shape       any totally ordered V -> V. Combine: exact; ordered where two equal values may differ (classes with an
///             order of their own, floats inside a std::tuple): of those the earlier one is kept. Where it is exact,
///             over changes as well.
///             Text comes out as text that points into the state: it is for the push that follows.
///             Floats: -0.0 is less than 0.0; NaN loses against every number, for min as for max, and NaN alone
///             comes out as one NaN, whatever its bits were.
/// State       The value, and a flag unless it is a number; text is owned, as std::string. Over changes every distinct
///             value of the group, with how often it is there.
/// Errors      Compile time: text inside a reflected struct. Run time: those of copying the value.
/// Complexity  One comparison per record; an assignment where it wins. Over changes O(log values). Text allocates only
///             where it outgrows its string.
/// Source      IEEE 754-2019, minimumNumber and maximumNumber.
template <auto Member>
constexpr auto min() {
    return extreme_fn<detail::extreme::least, detail::member_projection<Member>>{};
}
/// The least value of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto min(F function) {
    return extreme_fn<detail::extreme::least, decltype(detail::make_projection(function))>{
        detail::make_projection(std::move(function))};
}
/// The least of the records themselves.
constexpr auto min() { return extreme_fn<detail::extreme::least, detail::itself>{}; }

/// The greatest value of a member; as min in everything else.
template <auto Member>
constexpr auto max() {
    return extreme_fn<detail::extreme::greatest, detail::member_projection<Member>>{};
}
/// The greatest value of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto max(F function) {
    return extreme_fn<detail::extreme::greatest, decltype(detail::make_projection(function))>{
        detail::make_projection(std::move(function))};
}
/// The greatest of the records themselves.
constexpr auto max() { return extreme_fn<detail::extreme::greatest, detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
