// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_FIRST_LAST_HPP
#define DRIFTLESS_AGG_FIRST_LAST_HPP

#include <driftless/agg/arg_extreme.hpp>
#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/core/projection.hpp>

#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
enum class side : bool {
    first,
    last
};
}  // namespace detail

/// What first() and last() make.
template <detail::side Which, class Projection>
struct side_fn {
    using needs_records = void;
    static constexpr std::string_view kind = Which == detail::side::first ? "first" : "last";
    static constexpr combine_class combines = combine_class::ordered;
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;

    template <class T>
        requires detail::projects<Projection, T> && detail::keepable<value_t<T>>
    constexpr auto init(type_of<T>) const noexcept {
        return detail::kept_value<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && detail::keepable<value_t<T>>
    auto lift(T const& record) const {
        auto one = init(type_of<T>{});
        one.set(of(record));
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE void add(detail::kept_value<V>& into, T const& record) const {
        if (Which == detail::side::last || !into.has_value()) into.set(of(record));
    }
    template <class V>
    void combine(detail::kept_value<V>& into, detail::kept_value<V> const& later) const {
        if (later.has_value() && (Which == detail::side::last || !into.has_value())) into = later;
    }
    template <class V>
    V lower(detail::kept_value<V> const& of_all) const {
        return of_all.get();
    }
};

/// The first value of a member in the order of the log; `first<&T::value, &T::at>()` the one with the earliest time, of
/// several the first in the log.
///
/// Shape       any T -> the member's type, or T. Combine: ordered. Not invertible. Text comes out as text that points
///             into the state: it is for the push that follows.
/// State       The value; text is owned. A reflected struct with text is kept encoded, and needs a codec.
/// Errors      Compile time: a value that can be neither kept nor encoded. Run time: those of copying it.
/// Complexity  O(1) per record; one copy, for last one per record.
template <auto Member>
constexpr auto first() {
    return side_fn<detail::side::first, detail::member_projection<Member>>{};
}
/// The first value of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto first(F function) {
    using projection = decltype(detail::make_projection(function));
    return side_fn<detail::side::first, projection>{detail::make_projection(std::move(function))};
}
/// The first record.
constexpr auto first() { return side_fn<detail::side::first, detail::itself>{}; }
template <auto Member, auto Time>
constexpr auto first() {
    using detail::member_projection;
    return arg_fn<detail::arg::first_least, member_projection<Time>, member_projection<Member>>{};
}
template <class F, class Time>
constexpr auto first(F function, Time time) {
    return detail::make_arg<detail::arg::first_least>(std::move(time), std::move(function));
}

/// The last value of a member in the order of the log; `last<&T::value, &T::at>()` the one with the latest time, of
/// several the last in the log. As first in everything else.
template <auto Member>
constexpr auto last() {
    return side_fn<detail::side::last, detail::member_projection<Member>>{};
}
template <class F>
constexpr auto last(F function) {
    using projection = decltype(detail::make_projection(function));
    return side_fn<detail::side::last, projection>{detail::make_projection(std::move(function))};
}
constexpr auto last() { return side_fn<detail::side::last, detail::itself>{}; }
template <auto Member, auto Time>
constexpr auto last() {
    using detail::member_projection;
    return arg_fn<detail::arg::last_greatest, member_projection<Time>, member_projection<Member>>{};
}
template <class F, class Time>
constexpr auto last(F function, Time time) {
    return detail::make_arg<detail::arg::last_greatest>(std::move(time), std::move(function));
}
}  // namespace driftless::inline v0
#endif
