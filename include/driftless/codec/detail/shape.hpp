// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_SHAPE_HPP
#define DRIFTLESS_CODEC_DETAIL_SHAPE_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/joined.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/text.hpp>
#include <driftless/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

__extension__ typedef __int128 int128;            // NOLINT: the only pedantic-clean spelling
__extension__ typedef unsigned __int128 uint128;  // NOLINT

/// What a type looks like to key bytes, codec, owned_t and schema: one classification for the room,
/// so that the four can never disagree about, say, what an empty type is.
enum class value_shape : unsigned char {
    unsupported,  // pointers, references, functions, void
    boolean,
    integer,  // of 1 to 16 bytes, characters included
    enumeration,
    floating,
    time,
    span,  // duration
    window,
    text,      // text, std::string, std::string_view
    sequence,  // std::vector
    array,
    optional,
    variant,  // std::variant, with codec/variant.hpp
    map,      // std::map and std::unordered_map, with codec/map.hpp
    product,  // std::pair, std::tuple; event, pane, pane_info and joined, which are not adapted for Hana
    reflected,
    sealed,  // encrypted, with codec/encrypted.hpp
    empty,   // no state at all, such as std::monostate
    opaque,  // any other class: what it holds is its own business
};

template <class T>
inline constexpr bool is_int128 = std::is_same_v<T, int128> || std::is_same_v<T, uint128>;
// std::is_signed says false for __int128 under -std=c++20.
template <class T>
inline constexpr bool is_signed_integer = std::is_signed_v<T> || std::is_same_v<T, int128>;

template <class T>
inline constexpr value_shape template_shape = value_shape::opaque;
template <class T, class A>
inline constexpr value_shape template_shape<std::vector<T, A>> = value_shape::sequence;
template <class T, std::size_t N>
inline constexpr value_shape template_shape<std::array<T, N>> = value_shape::array;
template <class T>
inline constexpr value_shape template_shape<std::optional<T>> = value_shape::optional;
template <class A, class B>
inline constexpr value_shape template_shape<std::pair<A, B>> = value_shape::product;
template <class... T>
inline constexpr value_shape template_shape<std::tuple<T...>> = value_shape::product;
template <class T>
inline constexpr value_shape template_shape<event<T>> = value_shape::product;
template <class K, class V>
inline constexpr value_shape template_shape<pane<K, V>> = value_shape::product;
template <class L, class R>
inline constexpr value_shape template_shape<joined<L, R>> = value_shape::product;
template <>
inline constexpr value_shape template_shape<pane_info> = value_shape::product;

template <class T>
consteval value_shape find_shape() {
    if constexpr (std::is_same_v<T, bool>) return value_shape::boolean;
    else if constexpr (is_int128<T> || std::is_integral_v<T>) return value_shape::integer;
    else if constexpr (std::is_enum_v<T>) return value_shape::enumeration;
    else if constexpr (std::is_floating_point_v<T>) return value_shape::floating;
    else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) return value_shape::unsupported;
    else if constexpr (std::is_same_v<T, event_time>) return value_shape::time;
    else if constexpr (std::is_same_v<T, duration>) return value_shape::span;
    else if constexpr (std::is_same_v<T, time_window>) return value_shape::window;
    else if constexpr (std::is_same_v<T, text> || std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>)
        return value_shape::text;
    else if constexpr (template_shape<T> != value_shape::opaque) return template_shape<T>;
    else if constexpr (reflected<T>) return value_shape::reflected;
    else if constexpr (std::is_empty_v<T>) return value_shape::empty;
    else return value_shape::opaque;
}

template <class T>
inline constexpr value_shape shape_of = find_shape<T>();

/// Pair, tuple or reflected struct: a fixed list of parts, reached in the same three ways.
template <class T>
inline constexpr bool has_parts = shape_of<T> == value_shape::product || shape_of<T> == value_shape::reflected;

template <class T>
consteval std::size_t count_parts() {
    if constexpr (shape_of<T> == value_shape::reflected) return member_count<T>;
    else if constexpr (is_event<T> || is_joined<T>) return 2;
    else if constexpr (is_pane<T>) return 4;
    else if constexpr (std::is_same_v<T, pane_info>) return 5;
    else return std::tuple_size_v<T>;
}
template <class T>
inline constexpr std::size_t part_count = count_parts<T>();

template <std::size_t I, class T>
constexpr auto& part(T& object) {
    using object_t = std::remove_const_t<T>;
    if constexpr (shape_of<object_t> == value_shape::reflected) return member<I>(object);
    else if constexpr (is_event<object_t>) return std::get<I>(std::tie(object.value, object.at));
    else if constexpr (is_joined<object_t>) return std::get<I>(std::tie(object.left, object.right));
    else if constexpr (is_pane<object_t>)
        return std::get<I>(std::tie(object.key, object.window, object.value, object.info));
    else if constexpr (std::is_same_v<object_t, pane_info>)
        return std::get<I>(
            std::tie(object.timing, object.index, object.non_speculative_index, object.first, object.last));
    else return std::get<I>(object);
}
/// The types that a variant may hold. Variants are reached by members and get<I>() alone, so that <variant> is included
/// by whoever has one.
template <class T>
struct alternatives;
template <template <class...> class Variant, class... A>
struct alternatives<Variant<A...>> {
    static constexpr std::size_t count = sizeof...(A);
    using indices = std::index_sequence_for<A...>;
    template <std::size_t I>
    using type = std::tuple_element_t<I, std::tuple<A...>>;
    /// True if f.template operator()<Alternative>() is for all, or for any.
    template <class F>
    static consteval bool all(F f) {
        return (f.template operator()<A>() && ...);
    }
    template <class F>
    static consteval bool any(F f) {
        return (f.template operator()<A>() || ...);
    }
};

/// Calls f.template operator()<I>() for the alternative with that index; does nothing if there is none.
template <class T, class F>
constexpr void with_alternative(std::size_t index, F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        static_cast<void>(((I == index ? (f.template operator()<I>(), true) : false) || ...));
    }(typename alternatives<T>::indices{});
}

template <std::size_t I, class T>
using part_t = std::remove_cvref_t<decltype(part<I>(std::declval<T&>()))>;

/// Calls f(part) with every part, in order.
template <class T, class F>
constexpr void for_each_part(T& object, F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f(part<I>(object)), ...);
    }(std::make_index_sequence<part_count<std::remove_const_t<T>>>{});
}
}  // namespace driftless::inline v0::detail
#endif
