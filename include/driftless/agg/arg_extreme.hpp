// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_ARG_EXTREME_HPP
#define DRIFTLESS_AGG_ARG_EXTREME_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/core/projection.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Which record is asked for, and which of several that are alike.
enum class arg : std::uint8_t {
    first_least,
    first_greatest,
    last_greatest
};
/// A value, and what it was chosen by.
template <class By, class V>
struct chosen {
    held<By> by{};
    kept_value<V> value{};

    void save(auto& out) const
        requires encodable<kept_t<By>> && encodable<V>
    {
        by.save(out);
        value.save(out);
    }
    void load(auto& in)
        requires encodable<kept_t<By>> && encodable<V>
    {
        by.load(in);
        value.load(in);
    }
};
}  // namespace detail

/// What arg_min() and arg_max() make.
template <detail::arg Which, class By, class Projection>
struct arg_fn {
    using needs_records = void;
    static constexpr bool least = Which == detail::arg::first_least;
    static constexpr std::string_view kind = least ? "arg_min"
        : Which == detail::arg::first_greatest     ? "arg_max"
                                                   : "last_by";
    static constexpr combine_class combines = combine_class::ordered;
    [[no_unique_address]] By by;
    [[no_unique_address]] Projection of;

    template <class T>
    using by_t = detail::projected_t<By, T>;
    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<By, T> && detail::projects<Projection, T>) {
            return std::totally_ordered<by_t<T>> && detail::can_be_kept<by_t<T>> && detail::keepable<value_t<T>>;
        } else {
            return false;
        }
    }();

    template <class T>
        requires fits<T>
    constexpr auto init(type_of<T>) const noexcept {
        return detail::chosen<by_t<T>, value_t<T>>{};
    }
    template <class T>
        requires fits<T>
    auto lift(T const& record) const {
        auto one = init(type_of<T>{});
        add(one, record);
        return one;
    }
    template <class B, class V, class T>
    DRIFTLESS_INLINE void add(detail::chosen<B, V>& into, T const& record) const {
        auto&& mine = by(record);
        if (into.by.value.has_value() && !wins<B>(mine, detail::seen<B>(*into.by.value))) return;
        into.value.set(of(record));
        into.by.set(mine);
    }
    template <class B, class V>
    void combine(detail::chosen<B, V>& into, detail::chosen<B, V> const& later) const {
        if (!later.by.value.has_value()) return;
        if (!into.by.value.has_value() || wins<detail::kept_t<B>>(*later.by.value, *into.by.value)) into = later;
    }
    template <class B, class V>
    V lower(detail::chosen<B, V> const& of_all) const {
        return of_all.value.get();
    }

private:
    /// What comes later wins over what is there.
    template <class B>
    static constexpr bool wins(B const& later, B const& there) {
        using detail::extreme;
        if constexpr (Which == detail::arg::first_least) return detail::beats<extreme::least>(later, there);
        else if constexpr (Which == detail::arg::first_greatest)
            return detail::beats<extreme::greatest>(later, there);
        else return !detail::beats<extreme::greatest>(there, later);
    }
};

namespace detail {
template <arg Which, class By, class F>
constexpr auto make_arg(By by, F function) {
    using by_t = decltype(make_projection(by));
    using of_t = decltype(make_projection(function));
    return arg_fn<Which, by_t, of_t>{make_projection(std::move(by)), make_projection(std::move(function))};
}
}  // namespace detail

/// The record whose member is least: `arg_min<&T::price>()`, or another member of it: `arg_min<&T::price, &T::shop>()`.
///
/// Shape       any T -> T, or the type of the second member. Of several the first in the log. The order is that of min:
///             NaN loses against every number. Combine: ordered. Not invertible. Text comes out as text that points
///             into the state: it is for the push that follows.
/// State       What it is chosen by, and the value; text is owned. A reflected struct with text is kept encoded, and
///             needs a codec.
/// Errors      Compile time: a first member without an order, a value that can be neither kept nor encoded.
/// Complexity  One comparison per record; a copy where it wins.
template <auto By>
constexpr auto arg_min() {
    return arg_fn<detail::arg::first_least, detail::member_projection<By>, detail::itself>{};
}
template <auto By, auto Member>
constexpr auto arg_min() {
    using detail::member_projection;
    return arg_fn<detail::arg::first_least, member_projection<By>, member_projection<Member>>{};
}
/// The same by a function of the record or a run-time member pointer: arg_min(by), arg_min(by, of).
template <class By>
constexpr auto arg_min(By by) {
    return detail::make_arg<detail::arg::first_least>(std::move(by), detail::itself{});
}
template <class By, class F>
constexpr auto arg_min(By by, F of) {
    return detail::make_arg<detail::arg::first_least>(std::move(by), std::move(of));
}
/// The record whose member is greatest; as arg_min in everything else.
template <auto By>
constexpr auto arg_max() {
    return arg_fn<detail::arg::first_greatest, detail::member_projection<By>, detail::itself>{};
}
template <auto By, auto Member>
constexpr auto arg_max() {
    using detail::member_projection;
    return arg_fn<detail::arg::first_greatest, member_projection<By>, member_projection<Member>>{};
}
template <class By>
constexpr auto arg_max(By by) {
    return detail::make_arg<detail::arg::first_greatest>(std::move(by), detail::itself{});
}
template <class By, class F>
constexpr auto arg_max(By by, F of) {
    return detail::make_arg<detail::arg::first_greatest>(std::move(by), std::move(of));
}
}  // namespace driftless::inline v0
#endif
