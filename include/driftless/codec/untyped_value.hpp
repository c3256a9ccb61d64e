// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_UNTYPED_VALUE_HPP
#define DRIFTLESS_CODEC_UNTYPED_VALUE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Takes a value apart whose type only its schema tells: one call per piece, in the order of the schema. What is not
/// overridden is ignored.
class value_visitor {
public:
    value_visitor() = default;
    value_visitor(value_visitor const&) = default;
    value_visitor& operator=(value_visitor const&) = default;
    virtual ~value_visitor() = default;

    virtual void null() {}
    virtual void boolean(bool) {}
    virtual void character(char) {}
    virtual void signed_integer(std::int64_t) {}
    virtual void unsigned_integer(std::uint64_t) {}
    /// Of 128 bits, in two's complement.
    virtual void wide_integer(std::uint64_t /*low*/, std::uint64_t /*high*/, bool /*is_signed*/) {}
    virtual void floating(float) {}
    virtual void floating(double) {}
    /// Of 80 or 128 bits: its bytes.
    virtual void wide_floating(std::string_view) {}
    virtual void time(event_time) {}
    virtual void span(duration) {}
    /// Borrowed for the call. An encrypted value is its sealed bytes, two hexadecimal digits each.
    virtual void text(std::string_view) {}
    /// A vector, array or tuple, or a map, which is a list of lists of key and value; element() comes before each of
    /// the values.
    virtual void begin_list() {}
    virtual void element() {}
    virtual void end_list() {}
    /// A record, a window with its members `start` and `end`, or a variant with `index` and `value`; member() comes
    /// before each of its values.
    virtual void begin_record() {}
    virtual void member(std::string_view /*name*/) {}
    virtual void end_record() {}
};

/// True if the schema says how the bytes of a value are to be read: no part of it is a class of which only the name or
/// the size is known.
///
/// Complexity  O(types in the schema).
[[nodiscard]] inline bool is_described(schema_node const& type) noexcept {
    switch (type.kind) {
        case schema_kind::named:
        case schema_kind::opaque: return false;
        case schema_kind::sealed: return true;
        default: break;
    }
    for (auto const& each : type.children) {
        if (!is_described(each)) return false;
    }
    return true;
}

namespace detail {
/// The least number of bytes of an encoded value: what least_encoded_size<T>() says of its type.
inline std::uint64_t least_size_of(schema_node const& type) noexcept {
    switch (type.kind) {
        case schema_kind::integer: return type.bits == 128 ? 16 : 1;
        case schema_kind::floating: return type.bits / 8U;
        case schema_kind::time: return 8;
        case schema_kind::window: return 16;
        case schema_kind::sealed: return type.length == 0 ? 1 : type.length;
        case schema_kind::array: {
            std::uint64_t out = 0;
            bool const many = __builtin_mul_overflow(least_size_of(type.children[0]), type.length, &out);
            return many ? ~std::uint64_t{0} : out;
        }
        case schema_kind::tuple:
        case schema_kind::record: {
            std::uint64_t sum = 0;
            for (auto const& each : type.children) {
                if (__builtin_add_overflow(sum, least_size_of(each), &sum)) return ~std::uint64_t{0};
            }
            return sum;
        }
        case schema_kind::empty:
        case schema_kind::named:
        case schema_kind::opaque: return 0;
        default: return 1;
    }
}

/// Sealed bytes as text: what those who cannot open them are shown.
inline std::string hex_of(std::string_view bytes) {
    std::string out;
    for (char const c : bytes) {
        auto const byte = static_cast<unsigned char>(c);
        (out += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
    }
    return out;
}
inline constexpr std::size_t no_sealed_size = ~std::size_t{0};
/// How many bytes an encrypted value has in a room of fixed size: two say it, and what is behind them is zero.
[[nodiscard]] inline std::size_t sealed_size_in(std::string_view room) noexcept {
    if (room.size() < 2) return no_sealed_size;
    auto const low = static_cast<unsigned char>(room[0]);
    auto const high = static_cast<unsigned char>(room[1]);
    auto const size = low | static_cast<std::size_t>(high) << 8;
    if (size > room.size() - 2) return no_sealed_size;
    return room.find_first_not_of('\0', 2 + size) == std::string_view::npos ? size : no_sealed_size;
}

class encoded_walk {
    byte_reader& from_;
    value_visitor& to_;
    // A schema of a stranger may claim any number of elements that take no bytes.
    std::uint64_t values_left_;

public:
    encoded_walk(byte_reader& from, value_visitor& to)
        : from_(from), to_(to), values_left_(std::uint64_t{1} << 16) {
        values_left_ += 64 * static_cast<std::uint64_t>(from.remaining());
    }
    void walk(schema_node const& type) {
        if (values_left_ == 0) from_.fail("there are more values than bytes can account for");
        --values_left_;
        switch (type.kind) {
            case schema_kind::boolean: return to_.boolean(flag());
            case schema_kind::character: return to_.character(static_cast<char>(from_.get_byte()));
            case schema_kind::integer: return integer(type);
            case schema_kind::enumeration: return walk(type.children[0]);
            case schema_kind::floating:
                if (type.bits == 32) return to_.floating(std::bit_cast<float>(from_.get_fixed32()));
                if (type.bits == 64) return to_.floating(std::bit_cast<double>(from_.get_fixed64()));
                return to_.wide_floating(from_.get_bytes(type.bits / 8U));
            case schema_kind::time: return to_.time(get_time());
            case schema_kind::duration: return to_.span(duration{from_.get_zigzag()});
            case schema_kind::window: return window();
            case schema_kind::text: return to_.text(from_.get_bytes(from_.get_count()));
            case schema_kind::sealed: return sealed(type);
            case schema_kind::sequence: return sequence(type.children[0]);
            case schema_kind::array:
                to_.begin_list();
                for (std::uint64_t i = 0; i < type.length; ++i) {
                    to_.element();
                    walk(type.children[0]);
                }
                return to_.end_list();
            case schema_kind::optional: return flag() ? walk(type.children[0]) : to_.null();
            case schema_kind::tuple:
                to_.begin_list();
                for (auto const& each : type.children) {
                    to_.element();
                    walk(each);
                }
                return to_.end_list();
            case schema_kind::record:
                to_.begin_record();
                for (auto const& each : type.children) {
                    to_.member(each.field);
                    walk(each);
                }
                return to_.end_record();
            case schema_kind::variant: return variant(type);
            case schema_kind::map: return map(type.children[0], type.children[1]);
            case schema_kind::empty: return to_.null();
            default: break;
        }
        throw error{error_code::unsupported,
            "the schema does not say how a value of `" + to_text(type)
                + "` is to be read: only a program that has its codec can"};
    }

private:
    bool flag() {
        auto const byte = from_.get_byte();
        if (byte > 1) from_.fail("a byte that is neither 0 nor 1 stands for a bool");
        return byte == 1;
    }
    event_time get_time() { return event_time{static_cast<std::int64_t>(from_.get_fixed64())}; }
    void integer(schema_node const& type) {
        if (type.bits == 128) {
            auto const low = from_.get_fixed64();
            auto const high = from_.get_fixed64();
            return to_.wide_integer(low, high, type.is_signed);
        }
        if (type.bits == 8) {
            auto const byte = from_.get_byte();
            if (type.is_signed) to_.signed_integer(static_cast<std::int8_t>(byte));
            else to_.unsigned_integer(byte);
        } else if (type.is_signed) {
            auto const value = from_.get_zigzag();
            if (type.bits < 64 && value >> (type.bits - 1) != value >> 63) from_.fail("a number does not fit its type");
            to_.signed_integer(value);
        } else {
            auto const value = from_.get_varint();
            if (type.bits < 64 && value >> type.bits != 0) from_.fail("a number does not fit its type");
            to_.unsigned_integer(value);
        }
    }
    void window() {
        to_.begin_record();
        to_.member("start");
        to_.time(get_time());
        to_.member("end");
        to_.time(get_time());
        to_.end_record();
    }
    void sealed(schema_node const& type) {
        if (type.length == 0) return to_.text(hex_of(from_.get_bytes(from_.get_count())));
        auto const before = from_;
        auto const room = from_.get_bytes(static_cast<std::size_t>(type.length));
        auto const size = sealed_size_in(room);
        if (size == no_sealed_size) before.fail("what an encrypted value holds does not fit its room");
        to_.text(hex_of(room.substr(2, size)));
    }
    void sequence(schema_node const& element) {
        auto const least = least_size_of(element);
        auto const count = from_.get_count(least == 0 ? 1 : static_cast<std::size_t>(least));
        to_.begin_list();
        for (std::size_t i = 0; i < count; ++i) {
            if (least == 0 && from_.get_byte() != 0) from_.fail("an element does not start with a zero byte");
            to_.element();
            walk(element);
        }
        to_.end_list();
    }
    void variant(schema_node const& type) {
        auto const before = from_;
        auto const index = from_.get_varint();
        if (index >= type.children.size()) before.fail("a variant has no alternative with that index");
        to_.begin_record();
        to_.member("index");
        to_.unsigned_integer(index);
        to_.member("value");
        walk(type.children[static_cast<std::size_t>(index)]);
        to_.end_record();
    }
    void map(schema_node const& key, schema_node const& value) {
        bool const counted = least_size_of(key) == 0 && least_size_of(value) == 0;
        auto const count = from_.get_count();
        to_.begin_list();
        for (std::size_t i = 0; i < count; ++i) {
            if (counted && from_.get_byte() != 0) from_.fail("an entry of a map does not start with a zero byte");
            to_.element();
            to_.begin_list();
            to_.element();
            walk(key);
            to_.element();
            walk(value);
            to_.end_list();
        }
        to_.end_list();
    }
};
}  // namespace detail

/// Reads one value as codec<T> wrote it, where schema_of<T>() is all that is known of T. It takes the same bytes as
/// codec<T> and refuses the same, except where a class of the user's has a codec of its own, and for the order of the
/// keys of a map, which is not looked at.
///
/// Errors      malformed, as of byte_reader; unsupported for a type that is not is_described(). What came before has
///             then been visited.
/// Complexity  O(bytes).
inline void visit_encoded(schema_node const& type, byte_reader& from, value_visitor& to) {
    detail::encoded_walk{from, to}.walk(type);
}
}  // namespace driftless::inline v0
#endif
