// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_HASH_HPP
#define DRIFTLESS_CODEC_HASH_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/key_bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {

/// A fixed bijection of 64 bits that scatters consecutive integers; mix64(0) is 0.
///
/// Complexity  Two multiplications, five other instructions; constexpr.
/// Source      D. Stafford, "Better Bit Mixing" (2011), Mix13: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
DRIFTLESS_INLINE constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// The inverse of mix64: unmix64(mix64(x)) == x. So a table that keeps the hash need not keep the key.
DRIFTLESS_INLINE constexpr std::uint64_t unmix64(std::uint64_t x) noexcept {
    x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642b2d24d8ec3u;
    x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96de1b173f119089u;
    return x ^ (x >> 30) ^ (x >> 60);
}

/// A key that is one integer of up to 8 bytes: bool, integers, enums, event_time, duration.
template <class K>
concept integer_key = canonical_key<K> && sizeof(K) <= 8
    && (detail::shape_of<K> == detail::value_shape::boolean || detail::shape_of<K> == detail::value_shape::integer
        || detail::shape_of<K> == detail::value_shape::enumeration || detail::shape_of<K> == detail::value_shape::time
        || detail::shape_of<K> == detail::value_shape::span);

/// The value of an integer key in 64 bits: sign-extended if signed, zero-extended if not.
template <integer_key K>
DRIFTLESS_INLINE constexpr std::uint64_t key_to_u64(K key) noexcept {
    if constexpr (std::is_class_v<K>) return static_cast<std::uint64_t>(key.ns());
    else if constexpr (std::is_enum_v<K>) return key_to_u64(static_cast<std::underlying_type_t<K>>(key));
    else if constexpr (std::is_signed_v<K>) return static_cast<std::uint64_t>(static_cast<std::int64_t>(key));
    else return static_cast<std::uint64_t>(key);
}

/// The inverse of key_to_u64.
template <integer_key K>
DRIFTLESS_INLINE constexpr K u64_to_key(std::uint64_t value) noexcept {
    if constexpr (std::is_class_v<K>) return K{static_cast<std::int64_t>(value)};
    else return static_cast<K>(value);
}

namespace detail {
/// Collects key bytes on the stack; past 256 bytes it turns into the streaming hash, which gives the
/// same value: so no key, however long, allocates.
class hash_key_sink {
    char bytes_[256];
    std::size_t size_ = 0;
    bool streaming_ = false;
    union {
        xxh3_64_stream stream_;  // not even initialised while 256 bytes suffice
    };

public:
    hash_key_sink() noexcept {}  // NOLINT(modernize-use-equals-default): the union has no default
    void put(char const* data, std::size_t size) noexcept {
        if (size <= sizeof(bytes_) - size_) {
            std::memcpy(bytes_ + size_, data, size);
            size_ += size;
        } else {
            spill(data, size);
        }
    }
    [[nodiscard]] std::uint64_t value() noexcept {
        if (!streaming_) return xxh3_64(bytes_, size_);
        stream_.add(bytes_, size_);
        return stream_.value();
    }

private:
    DRIFTLESS_NOINLINE void spill(char const* data, std::size_t size) noexcept {
        if (!streaming_) ::new (static_cast<void*>(&stream_)) xxh3_64_stream{};
        streaming_ = true;
        stream_.add(bytes_, size_);
        stream_.add(data, size);
        size_ = 0;
    }
};

template <class K>
DRIFTLESS_INLINE void put_key_raw(char* bytes, K const& key) noexcept {
    raw_key_sink sink{bytes};
    put_key(sink, key);
}

template <class A, class B>
constexpr bool same_composite(A const& a, B const& b) noexcept;

/// True for two types whose canonical key bytes mean the same: equal types, or text and std::string
/// in the same places.
template <class A, class B>
consteval bool find_same_key_type() {
    constexpr auto shape = shape_of<A>;
    if constexpr (!is_canonical_key<A> || !is_canonical_key<B>) return false;
    else if constexpr (std::is_same_v<A, B> || (shape == value_shape::text && shape_of<B> == value_shape::text))
        return true;
    else if constexpr (shape != shape_of<B> || shape == value_shape::reflected) return false;
    else if constexpr (shape == value_shape::sequence || shape == value_shape::optional)
        return find_same_key_type<typename A::value_type, typename B::value_type>();
    else if constexpr (shape == value_shape::variant) {
        if constexpr (alternatives<A>::count == alternatives<B>::count)
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return (find_same_key_type<typename alternatives<A>::template type<I>,
                            typename alternatives<B>::template type<I>>()
                    && ...);
            }(typename alternatives<A>::indices{});
        else return false;
    } else if constexpr (shape == value_shape::array)
        return std::tuple_size_v<A> == std::tuple_size_v<B>
            && find_same_key_type<typename A::value_type, typename B::value_type>();
    else if constexpr (shape == value_shape::product) {
        if constexpr (part_count<A> == part_count<B>)
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return (find_same_key_type<part_t<I, A>, part_t<I, B>>() && ...);
            }(std::make_index_sequence<part_count<A>>{});
        else return false;
    } else {
        return false;
    }
}
}  // namespace detail

/// Two key types that may be looked up in one another's tables: equal, or with text, std::string
/// and std::string_view exchanged anywhere (inside a reflected struct: not).
template <class A, class B>
concept same_key_type = detail::find_same_key_type<A, B>();

/// The canonical hash of a key: it orders keyed state and panes, and decides shards and partitions.
///
/// One integer of up to 8 bytes: mix64 of its value, extended to 64 bits. Everything else: XXH3-64, seed 0,
/// of the canonical key bytes (append_key_bytes); so text and std::string hash alike, and -0.0 as 0.0.
/// A tuple of one integer counts as a composite, not as the integer.
/// The values are published and pinned by golden tests; they do not differ between machines or releases.
///
/// Complexity  O(key bytes); never allocates. An integer costs two multiplications.
/// Source      mix64; XXH3-64 (Y. Collet).
template <integer_key K>
DRIFTLESS_INLINE constexpr std::uint64_t canonical_hash(K key) noexcept {
    return mix64(key_to_u64(key));
}
template <canonical_key K>
    requires(!integer_key<K>)
inline std::uint64_t canonical_hash(K const& key) noexcept {
    if constexpr (detail::shape_of<K> == detail::value_shape::text) {
        return xxh3_64(key.data(), key.size());
    } else if constexpr (detail::fixed_key_size<K>() == 0) {
        return xxh3_64(nullptr, 0);
    } else if constexpr (detail::fixed_key_size<K>() <= 256) {
        char bytes[detail::fixed_key_size<K>()];
        detail::put_key_raw(bytes, key);
        return xxh3_64(bytes, detail::fixed_key_size<K>());
    } else {
        detail::hash_key_sink sink;
        detail::put_key(sink, key);
        return sink.value();
    }
}

/// Equality of keys as canonical key bytes see it: NaN equals NaN, -0.0 equals 0.0, through composites;
/// text equals std::string with the same bytes. same_key(a, b) holds exactly if their key bytes are equal.
///
/// Complexity  O(key bytes), without producing them; no allocation.
template <class A, same_key_type<A> B>
DRIFTLESS_INLINE constexpr bool same_key(A const& a, B const& b) noexcept {
    using detail::value_shape;
    constexpr auto shape = detail::shape_of<A>;
    if constexpr (shape == value_shape::floating) {
        return a == b || detail::ordered_bits(a) == detail::ordered_bits(b);
    } else if constexpr (shape == value_shape::text) {
        return std::string_view{a} == std::string_view{b};
    } else if constexpr (shape == value_shape::empty) {
        return true;
    } else if constexpr (shape == value_shape::sequence || shape == value_shape::array
        || shape == value_shape::optional || shape == value_shape::variant || detail::has_parts<A>) {
        return detail::same_composite(a, b);
    } else {
        return a == b;
    }
}

namespace detail {
template <class A, class B>
constexpr bool same_composite(A const& a, B const& b) noexcept {
    constexpr auto shape = shape_of<A>;
    if constexpr (shape == value_shape::optional) {
        return a.has_value() == b.has_value() && (!a.has_value() || same_key(*a, *b));
    } else if constexpr (shape == value_shape::variant) {
        bool same = a.index() == b.index();
        if (same)
            with_alternative<A>(a.index(), [&]<std::size_t I>() { same = same_key(get<I>(a), get<I>(b)); });
        return same;
    } else if constexpr (has_parts<A>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return (same_key(part<I>(a), part<I>(b)) && ...);
        }(std::make_index_sequence<part_count<A>>{});
    } else {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!same_key<typename A::value_type, typename B::value_type>(a[i], b[i])) return false;
        return true;
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
