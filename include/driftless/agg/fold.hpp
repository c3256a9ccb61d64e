// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_FOLD_HPP
#define DRIFTLESS_AGG_FOLD_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/owned.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// f(S, T const&) -> S.
template <class F, class S, class T>
concept folds_by_value =
    std::is_invocable_r_v<S, F const&, S, T const&> && !std::is_void_v<std::invoke_result_t<F const&, S, T const&>>;
/// void f(S&, T const&); taken by value, S would be changed in vain: that is refused.
template <class F, class S, class T>
concept folds_in_place = !std::is_invocable_v<F const&, S, T const&> && std::is_invocable_v<F const&, S&, T const&>;
}  // namespace detail

/// What fold() makes.
template <class S, class F>
struct fold_fn {
    static constexpr std::string_view kind = "fold";
    static constexpr combine_class combines = combine_class::sequential;
    [[no_unique_address]] S initial;
    [[no_unique_address]] F function;

    template <class T>
    constexpr S init(type_of<T>) const {
        return initial;
    }
    template <class T>
        requires detail::folds_by_value<F, S, T> || detail::folds_in_place<F, S, T>
    DRIFTLESS_INLINE constexpr void add(S& into, T const& record) const {
        if constexpr (!detail::folds_by_value<F, S, T>) function(into, record);
        else if constexpr (std::is_nothrow_invocable_v<F const&, S, T const&>) into = function(std::move(into), record);
        else into = function(S(into), record);  // were it moved, an f that throws would leave nothing
    }
    constexpr S const& lower(S const& of_all) const noexcept { return of_all; }
};

/// Whatever a function makes of the records of a group, one after the other, in log order.
///
/// Shape       any T -> S, starting from `initial`; f(S, T const&) -> S or void f(S&, T const&).
///             Combine: sequential. Not combinable, not invertible.
/// State       An S, as large as f lets it grow; it owns what it keeps, and needs a codec to be part of a snapshot.
/// Errors      Compile time: an S with text in it. Run time: those of f, which must be pure: S and record decide alone.
/// Complexity  One call per record. An f that returns S gets a copy unless it is noexcept (then S is moved into it), so
///             that one that throws leaves the state as it was; f(S&, T const&) works in place and should do so too.
template <class S, class F>
constexpr auto fold(S initial, F function) {
    static_assert(!has_text<S> && !std::is_pointer_v<S>,
        "driftless: fold keeps its state after the push, and text is borrowed: use std::string in the state");
    return fold_fn<S, F>{std::move(initial), std::move(function)};
}
}  // namespace driftless::inline v0
#endif
