// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DISTINCT_HPP
#define DRIFTLESS_AGG_DISTINCT_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/multiset.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/core/projection.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// What distinct() makes.
template <class Projection>
struct distinct_fn {
    static constexpr std::string_view kind = "distinct";
    static constexpr combine_class combines = combine_class::exact;
    [[no_unique_address]] Projection of;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;

    template <class T>
        requires detail::projects<Projection, T> && canonical_key<value_t<T>>
    auto init(type_of<T>) const noexcept {
        return detail::multiset<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Projection, T> && canonical_key<value_t<T>>
    auto lift(T const& record) const {
        detail::multiset<value_t<T>> one;
        one.change(of(record), 1);
        return one;
    }
    template <class V, class T>
    DRIFTLESS_INLINE void add(detail::multiset<V>& into, T const& record) const {
        into.change(of(record), 1);
    }
    template <class V, class T>
    DRIFTLESS_INLINE void remove(detail::multiset<V>& from, T const& record) const {
        from.change(of(record), -1);
    }
    template <class V>
    void combine(detail::multiset<V>& into, detail::multiset<V> const& later) const {
        into.change_all(later, 1);
    }
    template <class V>
    void inverse(detail::multiset<V>& from, detail::multiset<V> const& part) const {
        from.change_all(part, -1);
    }
    template <class V>
    std::int64_t lower(detail::multiset<V> const& of_all) const noexcept {
        return of_all.size();
    }
};

/// The number of distinct values of a member, exactly.
///
/// Shape       any canonical key (integers, text, floats, tuples, reflected structs...) -> std::int64_t. Values are
///             the same if their canonical key bytes are: -0.0 is 0.0, every NaN is one value. Combine: exact.
///             Invertible.
/// State       Per value 16 bytes a slot if it is an integer of up to 8 bytes, else 24 and its key bytes; 1.3 to 8
///             slots a value. It counts how often a value is there, since a changelog takes records away again.
///             Equal sets encode to equal bytes, whatever the order they came in.
/// Errors      std::bad_alloc. Memory grows with the values of a group: approx_distinct does with a fixed size.
/// Complexity  Expected O(1) and O(key bytes) per record; allocates as it grows, and for composite keys of varying
///             size (a std::tuple with text) of more than 15 bytes once per record. combine: O(values of the later
///             part).
/// Source      O. Amble, D. E. Knuth, "Ordered hash tables" (1974).
template <auto Member>
constexpr auto distinct() {
    return distinct_fn<detail::member_projection<Member>>{};
}
/// The number of distinct values of a function of the record, or of a run-time member pointer.
template <class F>
constexpr auto distinct(F function) {
    return distinct_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function))};
}
/// The number of distinct records.
constexpr auto distinct() { return distinct_fn<detail::itself>{}; }
}  // namespace driftless::inline v0
#endif
