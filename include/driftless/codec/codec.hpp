// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_CODEC_HPP
#define DRIFTLESS_CODEC_CODEC_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/result.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {
namespace detail {
/// How a map is written and read: codec/map.hpp.
template <class T>
struct map_codec;

template <class T>
concept saves_itself = requires(T const& from, T& into, byte_writer& writer, byte_reader& reader) {
    from.save(writer);
    into.load(reader);
};
template <class T>
concept has_user_codec = !requires { codec<T>::built_in; };

template <class T>
consteval bool find_encodable() {
    constexpr auto shape = shape_of<T>;
    if constexpr (has_user_codec<T>) {
        return requires(T const& from, T& into, byte_writer& writer, byte_reader& reader) {
            codec<T>::write(writer, from);
            codec<T>::read(reader, into);
        };
    } else if constexpr (saves_itself<T>) return true;
    else if constexpr (shape == value_shape::unsupported || shape == value_shape::opaque) return false;
    else if constexpr (shape == value_shape::sequence || shape == value_shape::optional)
        return find_encodable<typename T::value_type>() && std::default_initializable<typename T::value_type>;
    else if constexpr (shape == value_shape::array) return find_encodable<typename T::value_type>();
    else if constexpr (shape == value_shape::map) return map_codec<T>::find_encodable();
    else if constexpr (shape == value_shape::sealed) return find_encodable<typename T::value_type>();
    else if constexpr (shape == value_shape::variant)
        return alternatives<T>::all(
            []<class A>() { return find_encodable<A>() && std::default_initializable<A>; });
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_encodable<part_t<I, T>>() && ...);
        }(std::make_index_sequence<part_count<T>>{});
    else return true;
}

/// The least number of bytes an encoded T can have; 0 where a codec of the user decides.
template <class T>
consteval std::size_t least_encoded_size() {
    constexpr auto shape = shape_of<T>;
    if constexpr (has_user_codec<T> || saves_itself<T> || shape == value_shape::empty) return 0;
    else if constexpr (is_int128<T>) return 16;
    else if constexpr (shape == value_shape::floating)
        return sizeof(T) <= 8 ? sizeof(T) : std::numeric_limits<T>::digits == 64 ? 10
                                                                                 : sizeof(T);
    else if constexpr (shape == value_shape::time) return 8;
    else if constexpr (shape == value_shape::window) return 16;
    else if constexpr (shape == value_shape::sealed) return T::room == 0 ? 1 : T::room;
    else if constexpr (shape == value_shape::array)
        return least_encoded_size<typename T::value_type>() * std::tuple_size_v<T>;
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (std::size_t{0} + ... + least_encoded_size<part_t<I, T>>());
        }(std::make_index_sequence<part_count<T>>{});
    else return 1;
}

/// Elements whose encoding is their memory: many of them are copied at once.
template <class T>
consteval bool find_same_in_memory() {
    constexpr auto shape = shape_of<T>;
    if constexpr (has_user_codec<T>) return false;
    else if constexpr (shape == value_shape::enumeration) return find_same_in_memory<std::underlying_type_t<T>>();
    else if constexpr (shape == value_shape::integer) return sizeof(T) == 1;
    else
        return shape == value_shape::floating && sizeof(T) <= 8 && std::endian::native == std::endian::little;
}

template <class T>
void write_elements(byte_writer& writer, T const* elements, std::size_t count) {
    if constexpr (find_same_in_memory<T>()) {
        if (count != 0) writer.put_bytes({reinterpret_cast<char const*>(elements), count * sizeof(T)});
    } else {
        for (std::size_t i = 0; i < count; ++i) writer.write(elements[i]);
    }
}
template <class T>
void read_elements(byte_reader& reader, T* elements, std::size_t count) {
    if constexpr (find_same_in_memory<T>()) {
        auto const bytes = reader.get_bytes(count * sizeof(T));
        if (count != 0) std::memcpy(elements, bytes.data(), bytes.size());
    } else {
        for (std::size_t i = 0; i < count; ++i) reader.read(elements[i]);
    }
}

template <class T>
void write_sequence(byte_writer& writer, T const& sequence) {
    using element_t = typename T::value_type;
    writer.put_varint(sequence.size());
    if constexpr (std::is_same_v<element_t, bool>) {  // std::vector<bool> has no elements to refer to
        for (bool const element : sequence) writer.put_byte(element);
    } else if constexpr (least_encoded_size<element_t>() != 0) {
        write_elements(writer, sequence.data(), sequence.size());
    } else {
        // A byte per element, lest three bytes claim 2^60 elements of nothing.
        for (auto const& element : sequence) {
            writer.put_byte(0);
            writer.write(element);
        }
    }
}
template <class T>
void read_sequence(byte_reader& reader, T& sequence) {
    using element_t = typename T::value_type;
    constexpr std::size_t least = least_encoded_size<element_t>();
    std::size_t const count = reader.get_count(least == 0 ? 1 : least);
    sequence.clear();
    if constexpr (find_same_in_memory<element_t>()) {
        sequence.resize(count);
        read_elements(reader, sequence.data(), count);
    } else {
        // A large element may have a small encoding: past 1 MiB memory follows what was really decoded.
        constexpr std::size_t at_once = (std::size_t{1} << 20) / sizeof(element_t);
        sequence.reserve(count < at_once ? count : at_once);
        for (std::size_t i = 0; i < count; ++i) {
            if constexpr (least == 0) {
                if (reader.get_byte() != 0) reader.fail("an element does not start with a zero byte");
            }
            if constexpr (std::is_same_v<element_t, bool>) sequence.push_back(reader.template read<bool>());
            else reader.read(sequence.emplace_back());
        }
    }
}

template <class T>
void write_variant(byte_writer& writer, T const& value) {
    if (value.valueless_by_exception()) {
        throw error{error_code::invalid_argument,
            "a variant without a value cannot be written: an exception has left it so; assign it a value first"};
    }
    writer.put_varint(value.index());
    with_alternative<T>(value.index(), [&]<std::size_t I>() { writer.write(get<I>(value)); });
}
template <class T>
void read_variant(byte_reader& reader, T& value) {
    auto const before = reader;
    auto const index = reader.get_varint();
    if (index >= alternatives<T>::count) before.fail("a variant has no alternative with that index");
    with_alternative<T>(static_cast<std::size_t>(index), [&]<std::size_t I>() {
        if (value.index() != I) value.template emplace<I>();
        reader.read(get<I>(value));
    });
}

template <class T>
void write_built_in(byte_writer& writer, T const& value) {
    constexpr auto shape = shape_of<T>;
    if constexpr (saves_itself<T>) {
        value.save(writer);
    } else if constexpr (shape == value_shape::boolean) {
        writer.put_byte(value ? 1 : 0);
    } else if constexpr (is_int128<T>) {
        writer.put_fixed64(static_cast<std::uint64_t>(value));
        writer.put_fixed64(static_cast<std::uint64_t>(static_cast<uint128>(value) >> 64));
    } else if constexpr (shape == value_shape::integer) {
        if constexpr (sizeof(T) == 1) writer.put_byte(static_cast<std::uint8_t>(value));
        else if constexpr (std::is_signed_v<T>) writer.put_zigzag(value);
        else writer.put_varint(value);
    } else if constexpr (shape == value_shape::enumeration) {
        writer.write(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (shape == value_shape::floating) {
        if constexpr (sizeof(T) == 4) {
            writer.put_fixed32(std::bit_cast<std::uint32_t>(value));
        } else if constexpr (sizeof(T) == 8) {
            writer.put_fixed64(std::bit_cast<std::uint64_t>(value));
        } else {
            char bytes[sizeof(T)];
            std::memcpy(bytes, &value, sizeof(T));
            writer.put_bytes({bytes, least_encoded_size<T>()});
        }
    } else if constexpr (shape == value_shape::time) {
        writer.put_fixed64(static_cast<std::uint64_t>(value.ns()));
    } else if constexpr (shape == value_shape::span) {
        writer.put_zigzag(value.ns());
    } else if constexpr (shape == value_shape::window) {
        writer.write(value.start).write(value.end);
    } else if constexpr (shape == value_shape::text) {
        writer.put_varint(value.size());
        writer.put_bytes({value.data(), value.size()});
    } else if constexpr (shape == value_shape::sequence) {
        write_sequence(writer, value);
    } else if constexpr (shape == value_shape::array) {
        write_elements(writer, value.data(), value.size());
    } else if constexpr (shape == value_shape::optional) {
        writer.put_byte(value ? 1 : 0);
        if (value) writer.write(*value);
    } else if constexpr (shape == value_shape::map) {
        map_codec<T>::write(writer, value);
    } else if constexpr (shape == value_shape::sealed) {
        value.write_sealed(writer);
    } else if constexpr (shape == value_shape::variant) {
        write_variant(writer, value);
    } else if constexpr (has_parts<T>) {
        for_each_part(value, [&writer](auto const& inner) { writer.write(inner); });
    }
}

inline bool read_flag(byte_reader& reader) {
    auto const byte = reader.get_byte();
    if (byte > 1) reader.fail("a byte that is neither 0 nor 1 stands for a bool");
    return byte == 1;
}

template <class T>
void read_built_in(byte_reader& reader, T& value) {
    constexpr auto shape = shape_of<T>;
    if constexpr (saves_itself<T>) {
        value.load(reader);
    } else if constexpr (shape == value_shape::boolean) {
        value = read_flag(reader);
    } else if constexpr (is_int128<T>) {
        auto const low = reader.get_fixed64();
        auto const high = reader.get_fixed64();
        value = static_cast<T>((static_cast<uint128>(high) << 64) | low);
    } else if constexpr (shape == value_shape::integer) {
        if constexpr (sizeof(T) == 1) {
            value = static_cast<T>(reader.get_byte());
        } else {
            auto const wide = [&reader] {
                if constexpr (std::is_signed_v<T>) return reader.get_zigzag();
                else return reader.get_varint();
            }();
            if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
                reader.fail("a number does not fit its type");
            value = static_cast<T>(wide);
        }
    } else if constexpr (shape == value_shape::enumeration) {
        value = static_cast<T>(reader.template read<std::underlying_type_t<T>>());
    } else if constexpr (shape == value_shape::floating) {
        if constexpr (sizeof(T) == 4) {
            value = std::bit_cast<T>(reader.get_fixed32());
        } else if constexpr (sizeof(T) == 8) {
            value = std::bit_cast<T>(reader.get_fixed64());
        } else {
            auto const bytes = reader.get_bytes(least_encoded_size<T>());
            value = T{};
            std::memcpy(&value, bytes.data(), bytes.size());
        }
    } else if constexpr (shape == value_shape::time) {
        value = event_time{static_cast<std::int64_t>(reader.get_fixed64())};
    } else if constexpr (shape == value_shape::span) {
        value = duration{reader.get_zigzag()};
    } else if constexpr (shape == value_shape::window) {
        reader.read(value.start).read(value.end);
    } else if constexpr (shape == value_shape::text) {
        auto const size = reader.get_count();
        value = T{reader.get_bytes(size)};
    } else if constexpr (shape == value_shape::sequence) {
        read_sequence(reader, value);
    } else if constexpr (shape == value_shape::array) {
        read_elements(reader, value.data(), value.size());
    } else if constexpr (shape == value_shape::optional) {
        if (read_flag(reader)) reader.read(value.emplace());
        else value.reset();
    } else if constexpr (shape == value_shape::map) {
        map_codec<T>::read(reader, value);
    } else if constexpr (shape == value_shape::sealed) {
        value.read_sealed(reader);
    } else if constexpr (shape == value_shape::variant) {
        read_variant(reader, value);
    } else if constexpr (has_parts<T>) {
        for_each_part(value, [&reader](auto& inner) { reader.read(inner); });
    }
}
}  // namespace detail

/// How a T becomes bytes and back: the bytes of snapshots, and of equality to the byte between modes.
///
/// Built in, first match: a class with `void save(byte_writer&) const` and `void load(byte_reader&)`; and
///   bool, optional          one byte, 0 or 1 (then the value)
///   integer of 1 byte       that byte; of 2 to 8 bytes: LEB128 varint, zigzag if signed; __int128: 16 bytes
///   enum                    its underlying type
///   float, double           4 or 8 bytes; long double: its 10 bytes on x86-64, not portable
///   event_time              8 bytes (of today's nanoseconds a varint would make 9); duration: zigzag varint
///   time_window             start, end
///   text, std::string, std::string_view   length as varint, bytes; borrowed ones point into the reader's bytes
///   vector                  count as varint, elements (each after a zero byte if it can be encoded in no bytes at all)
///   variant                 index as varint, then the value (with codec/variant.hpp)
///   map, unordered_map      count as varint, then key and value of each, ascending by canonical key bytes (after a
///                           zero byte if both can be encoded in no bytes; with codec/map.hpp)
///   encrypted               its sealed bytes, as text; of a fixed room: so many bytes (with codec/encrypted.hpp)
///   pair, tuple, array, reflected struct, event, pane, joined   the fields in order
///   empty type              nothing
/// Fixed-size numbers are little-endian. Every value has one encoding, and no other bytes decode to it
/// (codecs of users, and fields a user leaves out, aside).
///
/// Specialise it for other types: `static void write(byte_writer&, T const&)` and `static void read(byte_reader&, T&)`.
/// `read` and `load` fill an object that exists; after an error its value is unspecified but valid.
///
/// Errors      Compile time: the type, or a part of it, has no codec. Run time: see byte_reader.
/// Complexity  O(bytes). Recursive types need a codec of their own.
template <class T>
struct codec {
    static constexpr bool built_in = true;
    static void write(byte_writer& writer, T const& value) {
        static_assert(detail::find_encodable<T>(),
            "driftless: codec needs a type it knows, down to every member: adapt the struct with "
            "BOOST_HANA_ADAPT_STRUCT, "
            "give the class save(byte_writer&) const and load(byte_reader&), or specialise driftless::codec<T>");
        if constexpr (detail::evolves<T>) detail::evolution_of<T>::write(writer, value);
        else detail::write_built_in(writer, value);
    }
    static void read(byte_reader& reader, T& value) {
        static_assert(detail::find_encodable<T>(),
            "driftless: codec needs a type it knows, down to every member: adapt the struct with "
            "BOOST_HANA_ADAPT_STRUCT, "
            "give the class save(byte_writer&) const and load(byte_reader&), or specialise driftless::codec<T>");
        if constexpr (detail::evolves<T>) detail::evolution_of<T>::read(reader, value);
        else detail::read_built_in(reader, value);
    }
};

/// A type that codec<T> can write and read, down to its last part.
template <class T>
concept encodable = detail::find_encodable<T>();

/// The encoded bytes of a value.
///
/// Errors      std::bad_alloc.
/// Complexity  O(bytes).
template <encodable T>
[[nodiscard]] std::string encode(T const& value) {
    std::string bytes;
    byte_writer{bytes}.write(value);
    return bytes;
}

/// The value that `bytes` encode, all of them. Borrowed text in it points into `bytes`.
///
/// Errors      error_code::malformed with the offset, for every byte string that encode() cannot have made.
/// Complexity  O(bytes); memory in proportion to them.
template <encodable T>
    requires std::default_initializable<T>
[[nodiscard]] T decode(std::string_view bytes) {
    byte_reader reader{bytes};
    T value{};
    reader.read(value).expect_end();
    return value;
}

/// As decode, but the error is returned.
template <encodable T>
    requires std::default_initializable<T>
[[nodiscard]] result<T> try_decode(std::string_view bytes) {
    return detail::capture([bytes] { return decode<T>(bytes); });
}
}  // namespace driftless::inline v0
#endif
