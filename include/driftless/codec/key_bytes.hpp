// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_KEY_BYTES_HPP
#define DRIFTLESS_CODEC_KEY_BYTES_HPP

#include <driftless/codec/detail/shape.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace driftless::inline v0 {
namespace detail {
template <class T>
consteval bool find_canonical_key();

/// Types with canonical key bytes. long double has none: its size and padding differ by machine.
template <class T>
inline constexpr bool is_canonical_key = find_canonical_key<T>();

template <class T>
consteval bool find_canonical_key() {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::unsupported || shape == value_shape::opaque || shape == value_shape::sealed)
        return false;
    else if constexpr (shape == value_shape::floating) return sizeof(T) == 4 || sizeof(T) == 8;
    else if constexpr (shape == value_shape::sequence || shape == value_shape::array || shape == value_shape::optional)
        return is_canonical_key<typename T::value_type>;
    else if constexpr (shape == value_shape::map) return false;
    else if constexpr (shape == value_shape::variant)
        return alternatives<T>::count <= 256 && alternatives<T>::all([]<class A>() { return is_canonical_key<A>; });
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (is_canonical_key<part_t<I, T>> && ...);
        }(std::make_index_sequence<part_count<T>>{});
    else return true;
}

inline constexpr std::size_t key_size_varies = ~std::size_t{0};

/// The number of canonical key bytes of every T, or key_size_varies.
template <class T>
consteval std::size_t fixed_key_size() {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::text || shape == value_shape::sequence || shape == value_shape::optional
        || shape == value_shape::variant)
        return key_size_varies;
    else if constexpr (shape == value_shape::empty) return 0;
    else if constexpr (shape == value_shape::array) {
        constexpr std::size_t one = fixed_key_size<typename T::value_type>();
        return one == key_size_varies ? one : one * std::tuple_size_v<T>;
    } else if constexpr (has_parts<T>) {
        std::size_t sum = 0;
        bool varies = false;
        auto add = [&](std::size_t size) {
            if (size == key_size_varies) varies = true;
            else sum += size;
        };
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (add(fixed_key_size<part_t<I, T>>()), ...);
        }(std::make_index_sequence<part_count<T>>{});
        return varies ? key_size_varies : sum;
    } else {
        return sizeof(T);
    }
}

/// Writes key bytes to memory known to be large enough.
struct raw_key_sink {
    char* at;
    DRIFTLESS_INLINE void put(char const* data, std::size_t size) noexcept {
        std::memcpy(at, data, size);
        at += size;
    }
};

template <class Out>
struct append_key_sink {
    Out& out;
    void put(char const* data, std::size_t size) {
        if constexpr (requires { out.append(data, size); }) {
            out.append(data, size);
        } else {
            using byte = typename Out::value_type;
            static_assert(sizeof(byte) == 1, "driftless: append_key_bytes needs a container of single bytes");
            auto const first = reinterpret_cast<byte const*>(data);
            out.insert(out.end(), first, first + size);
        }
    }
};

template <class Unsigned, class Sink>
DRIFTLESS_INLINE void put_big_endian(Sink& sink, Unsigned value) {
    static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);
    if constexpr (std::endian::native == std::endian::little) {
        if constexpr (sizeof(value) == 2) value = __builtin_bswap16(value);
        else if constexpr (sizeof(value) == 4) value = __builtin_bswap32(value);
        else if constexpr (sizeof(value) == 8) value = __builtin_bswap64(value);
    }
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    sink.put(bytes, sizeof(value));
}

template <std::size_t Size>
struct unsigned_of_size;
template <>
struct unsigned_of_size<1> {
    using type = std::uint8_t;
};
template <>
struct unsigned_of_size<2> {
    using type = std::uint16_t;
};
template <>
struct unsigned_of_size<4> {
    using type = std::uint32_t;
};
template <>
struct unsigned_of_size<8> {
    using type = std::uint64_t;
};

/// IEEE bits such that unsigned order is numeric order. Bits are tested rather than values, so that
/// -ffast-math changes nothing.
template <class Float>
constexpr auto ordered_bits(Float value) noexcept {
    using bits_t = typename unsigned_of_size<sizeof(Float)>::type;
    constexpr bits_t sign = bits_t{1} << (sizeof(bits_t) * 8 - 1);
    constexpr bits_t infinity = sizeof(Float) == 8 ? static_cast<bits_t>(0x7ff0000000000000) : bits_t{0x7f800000};
    constexpr bits_t nan = sizeof(Float) == 8 ? static_cast<bits_t>(0x7ff8000000000000) : bits_t{0x7fc00000};
    auto bits = std::bit_cast<bits_t>(value);
    auto const magnitude = static_cast<bits_t>(bits & ~sign);
    if (magnitude == 0) bits = 0;
    else if (magnitude > infinity) bits = nan;
    return static_cast<bits_t>((bits & sign) != 0 ? ~bits : bits | sign);
}

/// Text inside a composite: every zero byte becomes 00 ff, the end is 00 00. A text that ends is
/// thus less than one that goes on, with whatever byte, and no text is a prefix of another.
template <class Sink>
void put_escaped(Sink& sink, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const zero = static_cast<char const*>(std::memchr(bytes.data(), 0, bytes.size()));
        if (zero == nullptr) {
            sink.put(bytes.data(), bytes.size());
            break;
        }
        auto const before = static_cast<std::size_t>(zero - bytes.data());
        if (before != 0) sink.put(bytes.data(), before);
        sink.put("\x00\xff", 2);
        bytes.remove_prefix(before + 1);
    }
    sink.put("\x00\x00", 2);
}

template <class T, class Sink>
void put_key(Sink& sink, T const& key) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::boolean) {
        sink.put(key ? "\x01" : "\x00", 1);
    } else if constexpr (is_int128<T>) {
        auto const flipped = static_cast<uint128>(key) ^ (static_cast<uint128>(is_signed_integer<T>) << 127);
        put_big_endian(sink, static_cast<std::uint64_t>(flipped >> 64));
        put_big_endian(sink, static_cast<std::uint64_t>(flipped));
    } else if constexpr (shape == value_shape::integer) {
        using bits_t = typename unsigned_of_size<sizeof(T)>::type;
        constexpr auto flip = static_cast<bits_t>(static_cast<bits_t>(is_signed_integer<T>) << (sizeof(T) * 8 - 1));
        put_big_endian(sink, static_cast<bits_t>(static_cast<bits_t>(key) ^ flip));
    } else if constexpr (shape == value_shape::enumeration) {
        put_key(sink, static_cast<std::underlying_type_t<T>>(key));
    } else if constexpr (shape == value_shape::floating) {
        put_big_endian(sink, ordered_bits(key));
    } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
        put_key(sink, key.ns());
    } else if constexpr (shape == value_shape::window) {
        put_key(sink, key.end);  // (end, start): the order of time_window itself
        put_key(sink, key.start);
    } else if constexpr (shape == value_shape::text) {
        put_escaped(sink, std::string_view{key});
    } else if constexpr (shape == value_shape::sequence) {
        for (auto&& element : key) {
            sink.put("\x01", 1);
            put_key<typename T::value_type>(sink, element);
        }
        sink.put("\x00", 1);
    } else if constexpr (shape == value_shape::array) {
        for (auto const& element : key) put_key(sink, element);
    } else if constexpr (shape == value_shape::optional) {
        sink.put(key ? "\x01" : "\x00", 1);
        if (key) put_key(sink, *key);
    } else if constexpr (shape == value_shape::variant) {
        auto const index = static_cast<char>(static_cast<unsigned char>(key.index()));
        sink.put(&index, 1);
        with_alternative<T>(key.index(), [&]<std::size_t I>() { put_key(sink, get<I>(key)); });
    } else if constexpr (has_parts<T>) {
        for_each_part(key, [&sink](auto const& inner) { put_key(sink, inner); });
    } else {
        static_assert(shape == value_shape::empty);
    }
}
}  // namespace detail

/// A type that can be a key: it has canonical key bytes.
///
/// bool, integers (__int128 too), enums, float, double, event_time, duration, time_window, text, std::string,
/// std::string_view, empty types; pair, tuple, array, vector, optional, variant and reflected structs of keys.
template <class T>
concept canonical_key = detail::is_canonical_key<T>;

/// Appends the canonical key bytes of `key` to a std::string or to a vector of bytes.
///
/// The bytes are the same on every machine, and memcmp of two keys' bytes is the order of the keys
/// (of one and the same type), fields of composites compared in order:
///   integer          its own width, big-endian; signed ones with the sign bit flipped, unsigned ones as they are.
///                    Plain char and wchar_t have the signedness of the platform: prefer int8_t, uint8_t
///   bool             00 or 01
///   enum             its underlying type
///   float, double    4 or 8 bytes, IEEE bits: sign bit set if positive, all bits flipped if negative;
///                    -0.0 is written as 0.0, every NaN as one NaN, which sorts after +inf
///   event_time, duration  as a signed 8-byte integer; time_window: end, then start
///   text, strings    alone: the bytes as they are. Inside a composite: 00 written as 00 ff, then 00 00
///   pair, tuple, array, reflected struct   the fields in order, nothing between them
///   optional         00, or 01 and the value
///   variant          its index as one byte, then the value; at most 256 alternatives (with codec/variant.hpp)
///   vector           01 before each element, 00 at the end
///   empty type       nothing
///
/// Errors      Only those of the container (std::bad_alloc).
/// Complexity  O(bytes); allocates only as the container grows.
/// Source      Order-preserving tuple encodings as in the FoundationDB tuple layer (00 ff escapes).
template <class Out, canonical_key T>
void append_key_bytes(Out& out, T const& key) {
    detail::append_key_sink<Out> sink{out};
    if constexpr (detail::shape_of<T> == detail::value_shape::text) sink.put(key.data(), key.size());
    else detail::put_key(sink, key);
}

/// The canonical key bytes of `key` as a new string; see append_key_bytes.
template <canonical_key T>
[[nodiscard]] std::string key_bytes(T const& key) {
    std::string bytes;
    append_key_bytes(bytes, key);
    return bytes;
}
}  // namespace driftless::inline v0
#endif
