// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_KEY_ORDER_HPP
#define DRIFTLESS_VIEW_DETAIL_KEY_ORDER_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/pane.hpp>

#include <compare>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// The order of keys, which is that of their canonical bytes; text may be compared with a string.
template <class A, class B>
[[nodiscard]] std::strong_ordering key_order(A const& a, B const& b) {
    constexpr auto shape = shape_of<A>;
    if constexpr (std::is_same_v<A, unkeyed>) {
        return std::strong_ordering::equal;
    } else if constexpr (shape == value_shape::floating) {
        return ordered_bits(a) <=> ordered_bits(b);
    } else if constexpr (shape == value_shape::text) {
        return std::string_view{a} <=> std::string_view{b};
    } else if constexpr (shape == value_shape::boolean || shape == value_shape::integer
        || shape == value_shape::enumeration || shape == value_shape::time || shape == value_shape::span) {
        return a < b ? std::strong_ordering::less : b < a ? std::strong_ordering::greater
                                                          : std::strong_ordering::equal;
    } else if constexpr (shape == value_shape::product || shape == value_shape::reflected) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto order = std::strong_ordering::equal;
            ((order = key_order(part<I>(a), part<I>(b)), order != 0) || ...);
            return order;
        }(std::make_index_sequence<part_count<A>>{});
    } else {
        return std::string_view{key_bytes(a)} <=> std::string_view{key_bytes(b)};
    }
}

/// As rows fire, then by key.
template <class K>
[[nodiscard]] bool fires_before(time_window const& a, K const& a_key, time_window const& b, K const& b_key) {
    if (a != b) return a < b;
    return key_order(a_key, b_key) < 0;
}
}  // namespace driftless::inline v0::detail
#endif
