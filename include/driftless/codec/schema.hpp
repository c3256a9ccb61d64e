// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SCHEMA_HPP
#define DRIFTLESS_CODEC_SCHEMA_HPP

#include <driftless/codec/detail/shape.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {

/// The published name of a class that is not reflected, or of an enum; empty where it has none. A class says
/// `static constexpr std::string_view schema_name = "money";`, a foreign one specialises this. Change the name when
/// the meaning of the encoded bytes changes.
template <class T>
inline constexpr std::string_view schema_name = [] {
    if constexpr (requires { { T::schema_name } -> std::convertible_to<std::string_view>; })
        return std::string_view{T::schema_name};
    else return std::string_view{};
}();

namespace detail {
template <class T>
consteval bool find_describable() {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::unsupported) return false;
    else if constexpr (shape == value_shape::opaque) return !schema_name<T>.empty();
    else if constexpr (shape == value_shape::sequence || shape == value_shape::array || shape == value_shape::optional
        || shape == value_shape::sealed)
        return find_describable<typename T::value_type>();
    else if constexpr (shape == value_shape::map)
        return find_describable<typename T::key_type>() && find_describable<typename T::mapped_type>();
    else if constexpr (shape == value_shape::variant)
        return alternatives<T>::all([]<class A>() { return find_describable<A>(); });
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_describable<part_t<I, T>>() && ...);
        }(std::make_index_sequence<part_count<T>>{});
    else return true;
}

template <class T>
void append_schema(std::string& out);

template <std::size_t I, class T>
constexpr std::string_view field_name() {
    if constexpr (shape_of<T> == value_shape::reflected) {
        return member_name<I, T>();
    } else if constexpr (is_event<T>) {
        return I == 0 ? "value" : "at";
    } else if constexpr (is_joined<T>) {
        return I == 0 ? "left" : "right";
    } else if constexpr (is_pane<T>) {
        constexpr std::string_view names[] = {"key", "window", "value", "info"};
        return names[I];
    } else if constexpr (std::is_same_v<T, pane_info>) {
        constexpr std::string_view names[] = {"timing", "index", "non_speculative_index", "first", "last"};
        return names[I];
    } else {
        return {};
    }
}

template <class T>
void append_parts_schema(std::string& out) {
    constexpr bool named =
        shape_of<T> == value_shape::reflected || is_event<T> || is_joined<T> || is_pane<T>
        || std::is_same_v<T, pane_info>;
    out += named ? '{' : '(';
    [&out]<std::size_t... I>(std::index_sequence<I...>) {
        static_cast<void>(out);  // no parts
        auto const one = [&out]<std::size_t Index>() {
            if (Index != 0) out += ',';
            if constexpr (named) (out += field_name<Index, T>()) += ':';
            append_schema<part_t<Index, T>>(out);
        };
        static_cast<void>(one);
        (one.template operator()<I>(), ...);
    }(std::make_index_sequence<part_count<T>>{});
    out += named ? '}' : ')';
}

template <class T>
void append_schema(std::string& out) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::boolean) out += "bool";
    else if constexpr (std::is_same_v<T, char>) out += "char";
    else if constexpr (shape == value_shape::integer)
        (out += is_signed_integer<T> ? 'i' : 'u') += std::to_string(sizeof(T) * 8);
    else if constexpr (shape == value_shape::enumeration) {
        ((out += "enum") += schema_name<T>.empty() ? "" : " ") += schema_name<T>;
        out += '(';
        append_schema<std::underlying_type_t<T>>(out);
        out += ')';
    } else if constexpr (shape == value_shape::floating)
        (out += 'f') += sizeof(T) <= 8 ? std::to_string(sizeof(T) * 8) : std::numeric_limits<T>::digits == 64 ? "80"
                                                                                                              : "128";
    else if constexpr (shape == value_shape::time) out += "time";
    else if constexpr (shape == value_shape::span) out += "duration";
    else if constexpr (shape == value_shape::window) out += "window";
    else if constexpr (shape == value_shape::text) out += "text";
    else if constexpr (shape == value_shape::sequence) {
        out += '[';
        append_schema<typename T::value_type>(out);
        out += ']';
    } else if constexpr (shape == value_shape::array) {
        out += '[';
        append_schema<typename T::value_type>(out);
        ((out += ';') += std::to_string(std::tuple_size_v<T>)) += ']';
    } else if constexpr (shape == value_shape::optional) {
        append_schema<typename T::value_type>(out);
        out += '?';
    } else if constexpr (shape == value_shape::sealed) {
        out += "encrypted(";
        append_schema<typename T::value_type>(out);
        if (T::room != 0) (out += ';') += std::to_string(T::room);
        out += ')';
    } else if constexpr (shape == value_shape::map) {
        out += '[';
        append_schema<typename T::key_type>(out);
        out += "=>";
        append_schema<typename T::mapped_type>(out);
        out += ']';
    } else if constexpr (shape == value_shape::variant) {
        [&out]<std::size_t... I>(std::index_sequence<I...>) {
            ((out += I == 0 ? '<' : '|', append_schema<typename alternatives<T>::template type<I>>(out)), ...);
        }(typename alternatives<T>::indices{});
        out += '>';
    } else if constexpr (has_parts<T>) append_parts_schema<T>(out);
    else if constexpr (!schema_name<T>.empty()) out += schema_name<T>;
    else if constexpr (shape == value_shape::empty) out += "()";
    else ((out += "opaque(") += std::to_string(sizeof(T))) += ')';
}
}  // namespace detail

/// A type whose schema says all there is: no part of it is `opaque`.
template <class T>
concept describable = detail::find_describable<T>();

/// The canonical description of a type, for fingerprints: {sku:text,cents:i64,at:time}.
///
/// bool, i8 to i128, u8 to u128, char, f32, f64, f80; text (text, std::string and std::string_view alike), time,
/// duration, window; enum(u8) or `enum name(u8)`; [T] vector, [T;4] array, T? optional, (A,B) pair and tuple,
/// <A|B> variant, [K=>V] map, encrypted(T) and encrypted(T;room), {name:T,...} reflected struct, event, pane, joined;
/// () an empty type. Others: their schema_name, else opaque(<size>).
/// Compiler-made names do not occur, so that compilers and machines agree (but for plain char, wchar_t and opaque
/// sizes).
///
/// Complexity  O(length of the text); meant for start-up.
template <class T>
[[nodiscard]] std::string schema_of() {
    std::string text;
    detail::append_schema<T>(text);
    return text;
}

/// Refuses to compile for a type that is not describable.
template <class T>
consteval void require_describable() {
    static_assert(describable<T>,
        "driftless: a schema needs a description of every member: adapt the struct with BOOST_HANA_ADAPT_STRUCT, or "
        "give "
        "the class a `static constexpr std::string_view schema_name`");
}
}  // namespace driftless::inline v0
#endif
