// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_TOP_K_HPP
#define DRIFTLESS_AGG_TOP_K_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/agg/detail/value_bag.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/projection.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// The k greatest values, the greatest first; equal ones as often as they came.
template <class V>
struct greatest_values {
    std::vector<kept_t<V>> values{};

    void offer(kept_t<V> const& value, std::size_t k) {
        if (values.size() >= k && (k == 0 || !beats<extreme::greatest>(value, values.back()))) return;
        std::size_t low = 0;
        std::size_t high = values.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (beats<extreme::greatest>(value, values[middle])) high = middle;
            else low = middle + 1;
        }
        values.insert(values.begin() + static_cast<std::ptrdiff_t>(low), value);
        if (values.size() > k) values.pop_back();
    }
    void save(auto& out) const
        requires encodable<kept_t<V>>
    {
        out.write(values);
    }
    void load(auto& in)
        requires encodable<kept_t<V>>
    {
        in.read(values);
    }
};
template <class Projection, class T>
inline constexpr bool top_k_fits = [] {
    if constexpr (projects<Projection, T>) {
        using value = projected_t<Projection, T>;
        return std::totally_ordered<value> && kept_as_it_is<value>;
    } else {
        return false;
    }
}();
}  // namespace detail

template <class Projection>
struct retractable_top_k_fn;

/// What top_k() makes.
template <class Projection>
struct top_k_fn {
    static constexpr std::string_view kind = "top_k";
    [[no_unique_address]] Projection of;
    std::size_t k;

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines =
        detail::find_equal_means_same<value_t<T>>() ? combine_class::exact : combine_class::ordered;
    /// What an aggregate over changes takes instead.
    template <class T>
    using over_changes = retractable_top_k_fn<Projection>;

    template <class T>
        requires detail::top_k_fits<Projection, T>
    detail::greatest_values<value_t<T>> init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires detail::top_k_fits<Projection, T>
    auto lift(T const& record) const {
        detail::greatest_values<value_t<T>> one;
        add(one, record);
        return one;
    }
    template <class V, class T>
    void add(detail::greatest_values<V>& into, T const& record) const {
        using detail::extreme;
        auto&& value = of(record);
        auto const& all = into.values;
        if (all.size() >= k) {
            if (k == 0 || !detail::beats<extreme::greatest, V>(value, detail::seen<V>(all.back()))) return;
        }
        into.offer(to_owned<V>(detail::one_nan<V>(value)), k);
    }
    template <class V>
    void combine(detail::greatest_values<V>& into, detail::greatest_values<V> const& later) const {
        auto const values = later.values;  // it may be `into` itself
        for (auto const& each : values) into.offer(each, k);
    }
    template <class V>
    std::vector<V> lower(detail::greatest_values<V> const& of_all) const {
        std::vector<V> out;
        out.reserve(of_all.values.size());
        for (auto const& each : of_all.values) out.push_back(V(detail::seen<V>(each)));
        return out;
    }
    constexpr void describe(auto&& parameter) const { parameter("k", std::uint64_t{k}); }
};

/// top_k over rows that may be taken back: it keeps all values.
template <class Projection>
struct retractable_top_k_fn {
    static constexpr std::string_view kind = "top_k";
    [[no_unique_address]] Projection of;
    std::size_t k;

    constexpr retractable_top_k_fn(top_k_fn<Projection> from) : of(std::move(from.of)), k(from.k) {}  // NOLINT

    template <class T>
    using value_t = detail::projected_t<Projection, T>;
    template <class T>
    static constexpr combine_class combines = top_k_fn<Projection>::template combines<T>;
    template <class V>
    struct order {
        bool operator()(detail::kept_t<V> const& a, detail::kept_t<V> const& b) const {
            return detail::beats<detail::extreme::greatest>(a, b);
        }
    };
    template <class V>
    using bag = detail::value_bag<V, order<V>>;

    template <class T>
        requires detail::top_k_fits<Projection, T>
    bag<value_t<T>> init(type_of<T>) const noexcept {
        return {};
    }
    template <class T>
        requires detail::top_k_fits<Projection, T>
    auto lift(T const& record) const {
        bag<value_t<T>> one;
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
    std::vector<V> lower(detail::value_bag<V, order<V>> const& of_all) const {
        std::vector<V> out;
        of_all.each_while([&](detail::kept_t<V> const& value, std::int64_t times) {
            for (; times != 0 && out.size() < k; --times) out.push_back(V(detail::seen<V>(value)));
            return out.size() < k;
        });
        return out;
    }
    constexpr void describe(auto&& parameter) const { parameter("k", std::uint64_t{k}); }
};

/// The k greatest values of a member, the greatest first: `top_k<&T::m>(3)`. Rows that rank first are top()'s affair.
///
/// Shape       any totally ordered V -> std::vector<V> of at most k; equal values as often as they came. The order is
///             that of max: NaN is less than every number. Combine: exact; ordered where two equal values may differ.
///             Over changes as well. Text in it points into the state: it is for the push that follows.
/// State       k values; text is owned. Over changes every distinct value of the group, with how often it is there.
/// Errors      Compile time: values without an order, or with text in a struct. Run time: std::bad_alloc.
/// Complexity  One comparison per record; O(k) moves where it is among the greatest. Over changes O(log values).
template <auto Member>
constexpr auto top_k(std::size_t k) {
    return top_k_fn<detail::member_projection<Member>>{{}, k};
}
/// Of a function of the record, or of a run-time member pointer: top_k(f, k).
template <class F>
constexpr auto top_k(F function, std::size_t k) {
    return top_k_fn<decltype(detail::make_projection(function))>{detail::make_projection(std::move(function)), k};
}
/// Of the records themselves.
constexpr auto top_k(std::size_t k) { return top_k_fn<detail::itself>{{}, k}; }
}  // namespace driftless::inline v0
#endif
