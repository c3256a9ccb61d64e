// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_COMBINE_HPP
#define DRIFTLESS_AGG_COMBINE_HPP

#include <driftless/agg/detail/itself.hpp>
#include <driftless/agg/detail/kept.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/core/projection.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// f(S, S const&) -> S, or text made of S.
template <class F, class S>
concept reduces_by_value =
    std::is_invocable_r_v<S, F const&, S, S const&> && !std::is_void_v<std::invoke_result_t<F const&, S, S const&>>;
/// f(text, text) -> text where S is std::string: the result may point into the operands.
template <class F, class S, class V>
concept reduces_borrowed = !std::is_same_v<S, V> && std::is_invocable_r_v<V, F const&, V, V>;
/// void f(S&, S const&).
template <class F, class S>
concept reduces_in_place = !std::is_invocable_v<F const&, S, S const&> && std::is_invocable_v<F const&, S&, S const&>;
}  // namespace detail

/// What combine() makes.
template <class Lift, class F>
struct combine_fn {
    using needs_records = void;
    static constexpr std::string_view kind = "combine";
    static constexpr combine_class combines = combine_class::ordered;
    [[no_unique_address]] Lift of;
    [[no_unique_address]] F function;

    template <class T>
    using value_t = detail::projected_t<Lift, T>;

    template <class T>
        requires detail::projects<Lift, T>
    constexpr auto init(type_of<T>) const noexcept {
        static_assert(detail::can_be_kept<value_t<T>>,
            "driftless: combine keeps a value after the push, and text in a struct is borrowed: "
            "lift to a value with std::string, or to a std::tuple");
        return detail::held<value_t<T>>{};
    }
    template <class T>
        requires detail::projects<Lift, T>
    constexpr auto lift(T const& record) const {
        auto one = init(type_of<T>{});
        one.set(of(record));
        return one;
    }
    template <class V>
        requires detail::reduces_borrowed<F, detail::kept_t<V>, V> || detail::reduces_by_value<F, detail::kept_t<V>>
        || detail::reduces_in_place<F, detail::kept_t<V>>
    constexpr void combine(detail::held<V>& into, detail::held<V> const& later) const {
        using S = detail::kept_t<V>;
        if (!later.value.has_value()) return;
        if (!into.value.has_value()) {
            into.value = later.value;
            return;
        }
        if constexpr (detail::reduces_borrowed<F, S, V>)
            *into.value = S(to_owned<V>(function(detail::seen<V>(*into.value), detail::seen<V>(*later.value))));
        else if constexpr (detail::reduces_by_value<F, S>)
            *into.value = function(std::move(*into.value), *later.value);
        else function(*into.value, *later.value);
    }
    template <class V>
    constexpr V lower(detail::held<V> const& of_all) const {
        return of_all.get();
    }
};

/// A reduction of one's own: every record is lifted to a value, values are combined in log order.
///
/// Shape       any T -> S = lift(T); f(S, S) -> S or void f(S&, S const&), the earlier one first.
///             Combine: ordered; f is trusted to be associative (testing::check_laws tells). It need not commute, and
///             needs no identity. Not invertible. Text comes out as text that points into the state.
/// State       An S and a flag; text is owned, as std::string.
/// Errors      Compile time: text inside a reflected struct. Run time: those of lift and f, which must be pure.
/// Complexity  One call of each per record.
template <class Lift, class F>
constexpr auto combine(Lift lift, F function) {
    using projection = decltype(detail::make_projection(lift));
    return combine_fn<projection, F>{detail::make_projection(std::move(lift)), std::move(function)};
}
/// The records themselves, combined in log order.
template <class F>
constexpr auto combine(F function) {
    return combine_fn<detail::itself, F>{{}, std::move(function)};
}
}  // namespace driftless::inline v0
#endif
