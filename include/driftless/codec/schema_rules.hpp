// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SCHEMA_RULES_HPP
#define DRIFTLESS_CODEC_SCHEMA_RULES_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/schema.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A member that had another name: what was written as `was` is read into `is`.
struct schema_alias {
    std::string_view was;
    std::string_view is;
};

/// Former names of members, the latest first. A struct says
/// `static constexpr std::array schema_aliases{driftless::schema_alias{"price", "cents"}};`, for a foreign one this is
/// specialised.
template <class T>
inline constexpr auto schema_aliases = [] {
    if constexpr (requires { T::schema_aliases; }) return T::schema_aliases;
    else return std::array<schema_alias, 0>{};
}();

/// Members that have no default: records that lack them are not read. The others have the value that they have in T{},
/// that of their initialisers. A struct says
/// `static constexpr std::array<std::string_view, 1> schema_required{"sku"};`, for a foreign one this is specialised.
template <class T>
inline constexpr auto schema_required = [] {
    if constexpr (requires { T::schema_required; }) return T::schema_required;
    else return std::array<std::string_view, 0>{};
}();

namespace detail {
/// Versions of a record and the functions from each to the next.
template <class Steps, class... Versions>
struct upcast_chain;
template <class... Steps, class... Versions>
struct upcast_chain<std::tuple<Steps...>, Versions...> {
    static constexpr std::size_t steps = sizeof...(Steps);
    template <std::size_t I>
    using version = std::tuple_element_t<I, std::tuple<Versions...>>;

    std::tuple<Steps...> functions;
};
struct no_upcasts {
    static constexpr std::size_t steps = 0;
};

template <class Chain, std::size_t... I>
consteval bool is_chain(std::index_sequence<I...>) {
    return (std::is_invocable_r_v<typename Chain::template version<I + 1>,
                std::tuple_element_t<I, decltype(Chain::functions)> const&, typename Chain::template version<I>&>
        && ...);
}
}  // namespace detail

/// How old versions of a record become the newest: upcasters<v1, v2, v3>(f, g), where f makes a v2 of a v1, and g a v3
/// of that. Text in what they return may point into what they were given.
///
/// Errors      Compile time: a function that does not make the next version of one. Run time: those of the functions.
template <class... Versions, class... Steps>
[[nodiscard]] constexpr auto upcasters(Steps... steps) {
    static_assert(sizeof...(Versions) == sizeof...(Steps) + 1,
        "driftless: upcasters needs a function from each version to the next: upcasters<v1, v2, v3>(f, g)");
    using chain = detail::upcast_chain<std::tuple<Steps...>, Versions...>;
    if constexpr (sizeof...(Versions) == sizeof...(Steps) + 1) {
        static_assert(detail::is_chain<chain>(std::index_sequence_for<Steps...>{}),
            "driftless: upcasters needs functions that make the next version: each takes one version by const& and "
            "returns the one after it");
    }
    return chain{{std::move(steps)...}};
}

/// The upcasters that lead to T, their last version. Specialise it before T is first read:
/// `template <> inline constexpr auto driftless::schema_history<v3> = driftless::upcasters<v1, v2, v3>(f, g);`
template <class T>
inline constexpr auto schema_history = detail::no_upcasts{};

namespace detail {
/// What a type that reads adds to its schema.
struct schema_rules {
    bool own_codec = false;
    bool no_defaults = false;
    std::vector<schema_alias> aliases;
    std::vector<std::string_view> required;
    std::vector<schema_rules> children;  // as those of its schema_node

    [[nodiscard]] bool has_default(std::string_view member) const noexcept {
        for (auto const& each : required) {
            if (each == member) return false;
        }
        return !no_defaults;
    }
};

template <class T>
consteval bool is_member(std::string_view name) {
    return []<std::size_t... I>(std::string_view of, std::index_sequence<I...>) {
        return ((field_name<I, T>() == of) || ...);
    }(name, std::make_index_sequence<part_count<T>>{});
}
template <class T>
consteval bool find_sound_rules() {
    for (auto const& each : schema_aliases<T>) {
        if (!is_member<T>(each.is) || is_member<T>(each.was)) return false;
    }
    for (auto const& each : schema_required<T>) {
        if (!is_member<T>(each)) return false;
    }
    return true;
}

template <class T>
schema_rules rules_of() {
    constexpr auto shape = shape_of<T>;
    schema_rules out;
    if constexpr (has_user_codec<T> || saves_itself<T>) {
        out.own_codec = true;
    } else if constexpr (shape == value_shape::sequence || shape == value_shape::array
        || shape == value_shape::optional || shape == value_shape::sealed) {
        out.children.push_back(rules_of<typename T::value_type>());
    } else if constexpr (shape == value_shape::enumeration) {
        out.children.emplace_back();
    } else if constexpr (shape == value_shape::map) {
        out.children.push_back(rules_of<typename T::key_type>());
        out.children.push_back(rules_of<typename T::mapped_type>());
    } else if constexpr (shape == value_shape::variant) {
        [&out]<std::size_t... I>(std::index_sequence<I...>) {
            (out.children.push_back(rules_of<typename alternatives<T>::template type<I>>()), ...);
        }(typename alternatives<T>::indices{});
    } else if constexpr (has_parts<T>) {
        out.no_defaults = !std::default_initializable<T>;
        if constexpr (shape == value_shape::reflected) {
            static_assert(find_sound_rules<T>(),
                "driftless: schema_aliases and schema_required name members: `is` and what is required must be members "
                "of the struct, `was` must not be one");
            out.aliases.assign(schema_aliases<T>.begin(), schema_aliases<T>.end());
            out.required.assign(schema_required<T>.begin(), schema_required<T>.end());
        }
        [&out]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>(out);  // no parts
            (out.children.push_back(rules_of<part_t<I, T>>()), ...);
        }(std::make_index_sequence<part_count<T>>{});
    }
    return out;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
