// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_JOIN_OPTIONS_HPP
#define DRIFTLESS_OP_DETAIL_JOIN_OPTIONS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/interval.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace driftless::inline v0 {
namespace detail {
template <class T>
concept join_function = !join_kind<T> && !std::same_as<T, interval> && !std::same_as<T, allowed_lateness>
    && !requires { typename T::is_table_option; };

/// The parameters of a join, found by their types.
template <class Wanted, class Default, class... Options>
constexpr Default const& option_or(std::tuple<Options...> const& options, Default const& otherwise) {
    if constexpr ((std::same_as<Options, Wanted> || ...)) return std::get<Wanted>(options);
    else return otherwise;
}
template <class... Options>
struct join_kind_among {
    using type = inner;
    static constexpr std::size_t count = 0;
};
template <class First, class... Rest>
struct join_kind_among<First, Rest...> {
    using type =
        typename std::conditional_t<join_kind<First>, std::type_identity<First>, join_kind_among<Rest...>>::type;
    static constexpr std::size_t count = (join_kind<First> ? 1 : 0) + join_kind_among<Rest...>::count;
};
template <class... Options>
struct join_function_among {
    using type = as_joined;
    static constexpr std::size_t count = 0;
    template <class Tuple>
    static constexpr as_joined of(Tuple const&) {
        return {};
    }
};
template <class First, class... Rest>
struct join_function_among<First, Rest...> {
    static constexpr bool here = join_function<First>;
    using type =
        typename std::conditional_t<here, std::type_identity<First>, join_function_among<Rest...>>::type;
    static constexpr std::size_t count = (here ? 1 : 0) + join_function_among<Rest...>::count;
    template <class Tuple>
    static constexpr type of(Tuple const& options) {
        if constexpr (here) return std::get<First>(options);
        else return join_function_among<Rest...>::of(options);
    }
};
template <class T, class... Options>
inline constexpr std::size_t times_among = (std::size_t{0} + ... + (std::same_as<T, Options> ? 1u : 0u));

template <class T>
concept keepable = encodable<T> && std::default_initializable<T> && std::is_nothrow_move_constructible_v<T>;

/// What both inputs of a join of records need, one question after the other.
template <class Left, class Right>
struct joinable {
    static constexpr bool records = !changelog<Left> && !changelog<Right>;
    static constexpr bool timed = Left::timed && Right::timed;
    static constexpr bool keys = keyed<Left> && std::same_as<typename Left::key, typename Right::key>;
    static constexpr bool codecs = keepable<typename Left::record> && keepable<typename Right::record>;
    static constexpr bool all = records && timed && keys && codecs;
};

/// Windows that both inputs of a join share, that stand still, and that the watermark closes.
template <class Window>
inline constexpr bool stands_still = false;
template <class Window>
    requires Window::assigned
inline constexpr bool stands_still<Window> =
    closes_windows<Window> && !merging_windows<typename Window::windowing::assigner_type>
    && !record_windows<typename Window::windowing::assigner_type>
    && (Window::carried || (!Window::windowing::triggered && !Window::windowing::stamps));

/// Both inputs are streams of records, and at least one of them is in windows.
template <class Left, class Right>
inline constexpr bool windows_join = [] {
    if constexpr (is_ill_formed<Left> || is_ill_formed<Right>) {
        return false;
    } else {
        using l = output_of<Left>;
        using r = output_of<Right>;
        return !changelog<l> && !changelog<r> && (l::window::assigned || r::window::assigned);
    }
}();

template <class Left, class Right>
struct window_joinable : joinable<Left, Right> {
    static constexpr bool same_windows = std::same_as<typename Left::window, typename Right::window>;
    static constexpr bool still = stands_still<typename Left::window>;
    static constexpr bool all = joinable<Left, Right>::all && same_windows && still;
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
