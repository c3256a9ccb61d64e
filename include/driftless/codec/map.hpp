// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_MAP_HPP
#define DRIFTLESS_CODEC_MAP_HPP

// Makes std::map and std::unordered_map types that codec, schema and owned_t know. Include it before the first use of
// one.
#include <driftless/codec/codec.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
template <class K, class V, class C, class A>
inline constexpr value_shape template_shape<std::map<K, V, C, A>> = value_shape::map;
template <class K, class V, class H, class E, class A>
inline constexpr value_shape template_shape<std::unordered_map<K, V, H, E, A>> = value_shape::map;

/// A map that goes through its keys in the order of their canonical bytes.
template <class T>
inline constexpr bool is_in_key_order = false;
template <class K, class V, class C, class A>
inline constexpr bool is_in_key_order<std::map<K, V, C, A>> = [] {
    constexpr auto shape = shape_of<K>;
    return (std::is_same_v<C, std::less<K>> || std::is_same_v<C, std::less<>>)
        && (shape == value_shape::boolean || shape == value_shape::integer || shape == value_shape::enumeration
            || shape == value_shape::time || shape == value_shape::span || shape == value_shape::text);
}();

/// Count, then key and value of each, ascending by the canonical bytes of the keys: whatever map it was, and in
/// whatever order it keeps them.
template <class T>
struct map_codec {
    using key = typename T::key_type;
    using mapped = typename T::mapped_type;
    static constexpr std::size_t least = least_encoded_size<key>() + least_encoded_size<mapped>();

    static consteval bool find_encodable() {
        return canonical_key<key> && detail::find_encodable<key>() && detail::find_encodable<mapped>()
            && std::default_initializable<key> && std::default_initializable<mapped>;
    }

    static void write(byte_writer& writer, T const& map) {
        writer.put_varint(map.size());
        if constexpr (is_in_key_order<T>) {
            for (auto const& each : map) write_entry(writer, each);
        } else {
            std::vector<std::pair<std::string, typename T::value_type const*>> sorted;
            sorted.reserve(map.size());
            for (auto const& each : map) sorted.emplace_back(key_bytes(each.first), &each);
            std::sort(sorted.begin(), sorted.end());
            for (std::size_t i = 0; i < sorted.size(); ++i) {
                if (i != 0 && sorted[i].first == sorted[i - 1].first) {
                    throw error{error_code::invalid_argument,
                        "a map with two keys of the same canonical bytes, such as two NaN, cannot be written: keep one "
                        "of them"};
                }
                write_entry(writer, *sorted[i].second);
            }
        }
    }
    static void read(byte_reader& reader, T& map) {
        std::size_t const count = reader.get_count(least == 0 ? 1 : least);
        map.clear();
        std::string before;
        for (std::size_t i = 0; i < count; ++i) {
            auto const at = reader;
            if constexpr (least == 0) {
                if (reader.get_byte() != 0) at.fail("an entry of a map does not start with a zero byte");
            }
            auto k = reader.template read<key>();
            if constexpr (is_in_key_order<T>) {
                if (i != 0 && !(std::prev(map.end())->first < k)) out_of_order(at);
            } else {
                auto bytes = key_bytes(k);
                if (i != 0 && bytes <= before) out_of_order(at);
                before = std::move(bytes);
            }
            auto const added = map.emplace_hint(map.end(), std::move(k), mapped{});
            if (map.size() != i + 1) out_of_order(at);  // the same to the map, if not by its bytes
            reader.read(added->second);
        }
    }

private:
    static void write_entry(byte_writer& writer, typename T::value_type const& entry) {
        if constexpr (least == 0) writer.put_byte(0);
        writer.write(entry.first).write(entry.second);
    }
    [[noreturn]] static void out_of_order(byte_reader const& at) {
        at.fail("the keys of a map are out of order or doubled");
    }
};
}  // namespace detail

template <class K, class V, class C, class A>
    requires detail::changes_when_owned<K, V>
struct owned_traits<std::map<K, V, C, A>> {
    static_assert(std::is_same_v<C, std::less<K>> || std::is_same_v<C, std::less<>>,
        "driftless: a map in an order of its own cannot become owned: use std::string instead of text in it");
    using type = std::map<owned_t<K>, owned_t<V>>;
    static type convert(std::map<K, V, C, A> const& value) {
        type owned;
        for (auto const& each : value) owned.emplace_hint(owned.end(), to_owned(each.first), to_owned(each.second));
        return owned;
    }
};
template <class K, class V, class H, class E, class A>
    requires detail::changes_when_owned<K, V>
struct owned_traits<std::unordered_map<K, V, H, E, A>> {
    using type = std::unordered_map<owned_t<K>, owned_t<V>>;
    static type convert(std::unordered_map<K, V, H, E, A> const& value) {
        type owned;
        owned.reserve(value.size());
        for (auto const& each : value) owned.emplace(to_owned(each.first), to_owned(each.second));
        return owned;
    }
};
}  // namespace driftless::inline v0
#endif
