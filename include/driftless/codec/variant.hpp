// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_VARIANT_HPP
#define DRIFTLESS_CODEC_VARIANT_HPP

// Makes std::variant a type that codec, schema, key bytes, hash and owned_t know. Include it before the first use of
// one.
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/owned.hpp>

#include <cstddef>
#include <utility>
#include <variant>

namespace driftless::inline v0 {
namespace detail {
template <class... A>
inline constexpr value_shape template_shape<std::variant<A...>> = value_shape::variant;
}  // namespace detail

template <class... A>
    requires detail::changes_when_owned<A...>
struct owned_traits<std::variant<A...>> {
    using type = std::variant<owned_t<A>...>;
    static constexpr type convert(std::variant<A...> const& value) {
        return [&value]<std::size_t... I>(std::index_sequence<I...>) {
            type (*const makers[])(std::variant<A...> const&) = {[](std::variant<A...> const& from) {
                return type{std::in_place_index<I>, to_owned(*std::get_if<I>(&from))};
            }...};
            if (value.valueless_by_exception()) throw std::bad_variant_access{};
            return makers[value.index()](value);
        }(std::index_sequence_for<A...>{});
    }
};
}  // namespace driftless::inline v0
#endif
