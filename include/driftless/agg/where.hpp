// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_WHERE_HPP
#define DRIFTLESS_AGG_WHERE_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/flat.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/projection.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

template <class Predicate, class A>
struct where_fn;

namespace detail {
template <class Predicate, class A, class T>
struct where_over_changes {};
template <class Predicate, class A, class T>
    requires requires { typename A::template over_changes<T>; }
struct where_over_changes<Predicate, A, T> {
    using type = where_fn<Predicate, typename A::template over_changes<T>>;
};

/// The state of a function, and of how many records.
template <class S>
struct numbered_state {
    std::int64_t number = 0;
    S state{};

    static constexpr std::size_t flat_size = flat_sum<std::int64_t, S>;
    void save(auto& out) const
        requires encodable<S>
    {
        out.write(number).write(state);
    }
    void load(auto& in)
        requires encodable<S>
    {
        in.read(number).read(state);
    }
};
}  // namespace detail

/// What where() makes.
template <class Predicate, class A>
struct where_fn {
    static constexpr std::string_view kind = "where";
    [[no_unique_address]] Predicate holds;
    [[no_unique_address]] A of;

    constexpr where_fn(Predicate predicate, A function) : holds(std::move(predicate)), of(std::move(function)) {}
    /// The one over changes, of the one that was written.
    template <class Other>
        requires(!std::is_same_v<Other, A> && std::is_constructible_v<A, Other>)
    constexpr where_fn(where_fn<Predicate, Other> const& written)  // NOLINT(google-explicit-constructor)
        : holds(written.holds), of(written.of) {}

    template <class T>
    using applied = detail::applied_function<A, T>;
    template <class T>
    static constexpr bool keeps_number = detail::needs_records<A> || !applied<T>::starts_empty;
    template <class T>
    using state_t = std::conditional_t<keeps_number<T>, detail::numbered_state<typename applied<T>::state>,
        typename applied<T>::state>;

    template <class T>
    static constexpr combine_class combines = applied<T>::combines;
    template <class T>
    using over_changes = typename detail::where_over_changes<Predicate, A, T>::type;

    template <class T>
        requires aggregate_function<A, T>
    constexpr state_t<T> init(type_of<T>) const {
        if constexpr (keeps_number<T>) return {0, applied<T>{of}.init()};
        else return applied<T>{of}.init();
    }
    template <class T>
        requires combinable_function<A, T>
    constexpr state_t<T> lift(T const& record) const {
        auto one = init(type_of<T>{});
        add(one, record);
        return one;
    }
    template <class T>
    DRIFTLESS_INLINE constexpr void add(state_t<T>& into, T const& record) const
        noexcept(applied<T>::add_is_safe && noexcept(holds(record))) {
        if (!holds(record)) return;
        if constexpr (keeps_number<T>) {
            applied<T>{of}.add(into.state, record);
            ++into.number;
        } else {
            applied<T>{of}.add(into, record);
        }
    }
    template <class T>
        requires applied<T>::invertible
    constexpr void remove(state_t<T>& from, T const& record) const {
        if (!holds(record)) return;
        if constexpr (keeps_number<T>) {
            applied<T>{of}.remove(from.state, record);
            --from.number;
        } else {
            applied<T>{of}.remove(from, record);
        }
    }
    template <class S>
        requires detail::has_combine<A, S>
    constexpr void combine(S& into, S const& later) const {
        of.combine(into, later);
    }
    template <class S>
        requires detail::has_combine<A, S>
    constexpr void combine(detail::numbered_state<S>& into, detail::numbered_state<S> const& later) const {
        of.combine(into.state, later.state);
        into.number += later.number;
    }
    template <class S>
        requires detail::has_combine<A, S>
    constexpr void combine(detail::numbered_state<std::optional<S>>& into,
        detail::numbered_state<std::optional<S>> const& later) const {
        if (later.state && into.state) of.combine(*into.state, *later.state);
        else if (later.state) into.state = later.state;
        into.number += later.number;
    }
    template <class S>
        requires detail::has_inverse<A, S>
    constexpr void inverse(S& from, S const& part) const {
        of.inverse(from, part);
    }
    template <class S>
        requires detail::has_inverse<A, S>
    constexpr void inverse(detail::numbered_state<S>& from, detail::numbered_state<S> const& part) const {
        of.inverse(from.state, part.state);
        from.number -= part.number;
    }
    template <class S>
        requires detail::has_lower<A, S>
    constexpr auto lower(S const& all) const {
        return of.lower(all);
    }
    template <class S>
        requires detail::has_lower<A, S>
    constexpr auto lower(detail::numbered_state<S> const& all) const {
        using result = std::optional<std::remove_cvref_t<decltype(of.lower(all.state))>>;
        return all.number > 0 ? result{of.lower(all.state)} : result{};
    }
    template <class S>
        requires detail::has_lower<A, S>
    constexpr auto lower(detail::numbered_state<std::optional<S>> const& all) const {
        using result = std::optional<std::remove_cvref_t<decltype(of.lower(*all.state))>>;
        return all.number > 0 ? result{of.lower(*all.state)} : result{};
    }
};

/// An aggregate over the records for which a predicate holds; the others are not in it.
///
/// Shape       T -> the result of the function, which is that of no records if the predicate held for none: count and
///             sum 0, mean NaN, collect empty. What has none (min, max, first, last, arg_min, arg_max, combine, a
///             function without init) yields a std::optional. Combine, and whether a record can be taken out again: as
///             the function's.
/// State       That of the function; with a std::optional 8 bytes more, for how many records it is.
/// Errors      Those of the predicate and of the function.
/// Complexity  One call of the predicate per record, and the function's own.
/// Source      SQL:2003, the FILTER clause of aggregate functions.
/// Example     aggregate(count(), where([](order const& o) { return o.cents > 10'000; }, count()))
template <class Predicate, class A>
constexpr auto where(Predicate predicate, A function) {
    return where_fn<decltype(detail::make_projection(predicate)), A>{
        detail::make_projection(std::move(predicate)), std::move(function)};
}
/// The same by a member of type bool.
template <auto Member, class A>
constexpr auto where(A function) {
    return where_fn<detail::member_projection<Member>, A>{{}, std::move(function)};
}
}  // namespace driftless::inline v0
#endif
