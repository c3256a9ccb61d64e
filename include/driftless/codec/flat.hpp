// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_FLAT_HPP
#define DRIFTLESS_CODEC_FLAT_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/schema_evolution.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// Values in a fixed number of bytes, the lowest first: what many entries of a table are written as, where a varint
// would cost more than the bytes that it saves. A class that has `template save(auto&)` and `load(auto&)` says
//   static constexpr std::size_t flat_size = detail::flat_sum<parts...>;
// to be one of them.

namespace driftless::inline v0::detail {

/// What flat_size says of a type that has none.
inline constexpr std::size_t not_flat = ~std::size_t{0};

template <class T>
consteval std::size_t find_flat_size();

/// The size of several values one behind the other.
template <class... T>
consteval std::size_t find_flat_sum() {
    std::size_t sum = 0;
    bool all = true;
    ((find_flat_size<T>() == not_flat ? void(all = false) : void(sum += find_flat_size<T>())), ...);
    return all ? sum : not_flat;
}
template <class... T>
inline constexpr std::size_t flat_sum = find_flat_sum<T...>();

template <class T>
consteval std::size_t find_flat_size() {
    constexpr auto shape = shape_of<T>;
    if constexpr (has_user_codec<T> || evolves<T>) return not_flat;
    else if constexpr (requires { T::flat_size; }) return T::flat_size;
    else if constexpr (saves_itself<T>) return not_flat;
    else if constexpr (shape == value_shape::boolean) return 1;
    else if constexpr (shape == value_shape::integer) return sizeof(T);
    else if constexpr (shape == value_shape::enumeration) return sizeof(T);
    else if constexpr (shape == value_shape::floating) return sizeof(T) <= 8 ? sizeof(T) : not_flat;
    else if constexpr (shape == value_shape::time || shape == value_shape::span) return 8;
    else if constexpr (shape == value_shape::window) return 16;
    else if constexpr (shape == value_shape::empty) return 0;
    else if constexpr (shape == value_shape::optional) {
        constexpr auto size = find_flat_size<typename T::value_type>();
        return size == not_flat ? not_flat : size + 1;
    } else if constexpr (has_parts<T>) {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return find_flat_sum<part_t<I, T>...>();
        }(std::make_index_sequence<part_count<T>>{});
    } else {
        return not_flat;
    }
}
template <class T>
inline constexpr std::size_t flat_size = find_flat_size<T>();

/// Writes to memory that has room for flat_size<T> bytes.
class flat_writer {
    char* at_;

public:
    explicit flat_writer(char* at) noexcept : at_(at) {}

    [[nodiscard]] char* at() const noexcept { return at_; }
    template <class T>
    DRIFTLESS_INLINE flat_writer& write(T const& value) {
        constexpr auto shape = shape_of<T>;
        if constexpr (requires { T::flat_size; }) {
            value.save(*this);
        } else if constexpr (shape == value_shape::boolean) {
            *at_++ = value ? 1 : 0;
        } else if constexpr (is_int128<T>) {
            put(static_cast<std::uint64_t>(value));
            put(static_cast<std::uint64_t>(static_cast<uint128>(value) >> 64));
        } else if constexpr (shape == value_shape::integer || shape == value_shape::floating
            || shape == value_shape::enumeration) {
            put(value);
        } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
            put(value.ns());
        } else if constexpr (shape == value_shape::window) {
            put(value.start.ns()), put(value.end.ns());
        } else if constexpr (shape == value_shape::optional) {
            write(value.has_value());
            if (value) {
                write(*value);
            } else {
                constexpr auto size = flat_size<typename T::value_type>;
                if constexpr (size != 0) std::memset(at_, 0, size);
                at_ += size;
            }
        } else if constexpr (has_parts<T>) {
            for_each_part(value, [this](auto const& inner) { this->write(inner); });
        }
        return *this;
    }

private:
    template <class T>
    DRIFTLESS_INLINE void put(T value) noexcept {
        if constexpr (std::endian::native == std::endian::little) {
            std::memcpy(at_, &value, sizeof(T));
        } else {
            char bytes[sizeof(T)];
            std::memcpy(bytes, &value, sizeof(T));
            for (std::size_t i = 0; i < sizeof(T); ++i) at_[i] = bytes[sizeof(T) - 1 - i];
        }
        at_ += sizeof(T);
    }
};

/// Reads what a flat_writer wrote, from as many bytes.
///
/// Errors      malformed, said by `in`, which stands behind them: a byte that is no bool.
class flat_reader {
    char const* at_;
    byte_reader const* in_;

public:
    flat_reader(char const* at, byte_reader const& in) noexcept : at_(at), in_(&in) {}

    template <class T>
    DRIFTLESS_INLINE flat_reader& read(T& value) {
        constexpr auto shape = shape_of<T>;
        if constexpr (requires { T::flat_size; }) {
            value.load(*this);
        } else if constexpr (shape == value_shape::boolean) {
            auto const byte = static_cast<unsigned char>(*at_++);
            if (byte > 1) fail("a byte that is neither 0 nor 1 stands for a bool");
            value = byte == 1;
        } else if constexpr (is_int128<T>) {
            std::uint64_t low = 0;
            std::uint64_t high = 0;
            take(low), take(high);
            value = static_cast<T>((static_cast<uint128>(high) << 64) | low);
        } else if constexpr (shape == value_shape::integer || shape == value_shape::floating
            || shape == value_shape::enumeration) {
            take(value);
        } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
            std::int64_t ns = 0;
            take(ns);
            value = T{ns};
        } else if constexpr (shape == value_shape::window) {
            read(value.start).read(value.end);
        } else if constexpr (shape == value_shape::optional) {
            if (bool there = false; read(there), there) read(value.emplace());
            else value.reset(), at_ += flat_size<typename T::value_type>;
        } else if constexpr (has_parts<T>) {
            for_each_part(value, [this](auto& inner) { this->read(inner); });
        }
        return *this;
    }
    template <class T>
    [[nodiscard]] T read() {
        T value{};
        read(value);
        return value;
    }
    [[noreturn]] void fail(char const* sentence) const { in_->fail(sentence); }

private:
    template <class T>
    DRIFTLESS_INLINE void take(T& value) noexcept {
        if constexpr (std::endian::native == std::endian::little) {
            std::memcpy(&value, at_, sizeof(T));
        } else {
            char bytes[sizeof(T)];
            for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = at_[sizeof(T) - 1 - i];
            std::memcpy(&value, bytes, sizeof(T));
        }
        at_ += sizeof(T);
    }
};
}  // namespace driftless::inline v0::detail
#endif
