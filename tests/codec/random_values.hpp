// SPDX-License-Identifier: BSL-1.0
// Random values of any supported type from one seed, and the order they should have, written out
// by hand. Values are drawn from small pools, so that equal and nearly equal ones are common.
#ifndef DRIFTLESS_TESTS_CODEC_RANDOM_VALUES_HPP
#define DRIFTLESS_TESTS_CODEC_RANDOM_VALUES_HPP
#include <driftless/codec/detail/shape.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <bit>
#include <deque>
#include <limits>
#include <type_traits>

namespace codec_test {
using namespace driftless;
using driftless::detail::int128;
using driftless::detail::shape_of;
using driftless::detail::uint128;
using driftless::detail::value_shape;

enum class colour : std::int16_t {
    red = -3,
    green = 0,
    blue = 700
};
struct nothing {
    friend bool operator==(nothing, nothing) { return true; }
};
struct order {
    text sku;
    std::int64_t cents;
    event_time at;
};
struct basket {
    std::vector<order> orders;
    std::optional<std::string> note;
    double weight;
    nothing none;
};

class random_source {
    std::uint64_t state_;
    std::deque<std::string> texts_;  // what generated text points into

public:
    explicit random_source(std::uint64_t seed) : state_(seed) {}
    std::uint64_t bits() {  // xorshift* (Vigna 2014): not the mix under test
        state_ = state_ == 0 ? 0x2545f4914f6cdd1d : state_;
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }
    std::uint64_t below(std::uint64_t n) { return (bits() >> 20) % n; }

    std::string string() {
        std::string out;
        for (auto size = below(8) == 0 ? below(40) : below(4); size > 0; --size) out +=
            "\x00\x01"
            "a\xff"[below(4)];
        return out;
    }

    template <class T> T value() {
        constexpr auto shape = shape_of<T>;
        if constexpr (shape == value_shape::boolean) {
            return below(2) == 1;
        } else if constexpr (driftless::detail::is_int128<T>) {
            return static_cast<T>((static_cast<uint128>(value<std::int64_t>()) << below(100)) + bits() % 3);
        } else if constexpr (shape == value_shape::integer) {
            using limits = std::numeric_limits<T>;
            switch (below(4)) {
                case 0: return static_cast<T>(limits::max() - static_cast<T>(below(2)));
                case 1: return static_cast<T>(limits::min() + static_cast<T>(below(2)));
                case 2: return static_cast<T>(bits() >> below(64));
                default: return static_cast<T>(static_cast<T>(below(5)) - T{2});
            }
        } else if constexpr (shape == value_shape::enumeration) {
            return static_cast<T>(value<std::underlying_type_t<T>>());
        } else if constexpr (shape == value_shape::floating) {
            using limits = std::numeric_limits<T>;
            T const special[] = {T{0}, -T{0}, T{1}, -T{1}, limits::infinity(), -limits::infinity(), limits::min(),
                limits::denorm_min(), -limits::denorm_min(), limits::max(), limits::lowest(), limits::quiet_NaN(),
                -limits::quiet_NaN()};
            if (below(2) == 0) return special[below(13)];
            if constexpr (sizeof(T) == 8) return std::bit_cast<T>(bits());
            else if constexpr (sizeof(T) == 4) return std::bit_cast<T>(static_cast<std::uint32_t>(bits() >> 32));
            else return static_cast<T>(bits()) / T{3};
        } else if constexpr (shape == value_shape::time || shape == value_shape::span) {
            return T{value<std::int64_t>()};
        } else if constexpr (shape == value_shape::window) {
            return {value<event_time>(), value<event_time>()};
        } else if constexpr (std::is_same_v<T, std::string>) {
            return string();
        } else if constexpr (shape == value_shape::text) {
            return T{texts_.emplace_back(string())};
        } else if constexpr (shape == value_shape::sequence) {
            T out;
            for (auto size = below(4); size > 0; --size) out.push_back(value<typename T::value_type>());
            return out;
        } else if constexpr (shape == value_shape::array) {
            T out{};
            for (auto& element : out) element = value<typename T::value_type>();
            return out;
        } else if constexpr (shape == value_shape::optional) {
            if (below(2) == 0) return std::nullopt;
            return value<typename T::value_type>();
        } else if constexpr (shape == value_shape::variant) {
            T out;
            driftless::detail::with_alternative<T>(below(driftless::detail::alternatives<T>::count),
                [&]<std::size_t I>() {
                    out.template emplace<I>(value<typename driftless::detail::alternatives<T>::template type<I>>());
                });
            return out;
        } else if constexpr (shape == value_shape::map) {
            T out;
            for (auto size = below(6); size > 0; --size) {
                auto key = value<typename T::key_type>();
                if (key == key) out.emplace(std::move(key), value<typename T::mapped_type>());  // no NaN
            }
            return out;
        } else {
            T out{};
            if constexpr (driftless::detail::has_parts<T>)
                driftless::detail::for_each_part(
                    out, [this](auto& part) { part = this->template value<std::decay_t<decltype(part)>>(); });
            return out;
        }
    }
};

inline int sign(bool less, bool greater) { return greater - less; }

/// -1, 0, 1: the order of keys, from the meaning of the types; floats: -0.0 = 0.0, NaN = NaN and last.
template <class T> int compare_keys(T const& a, T const& b) {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::floating) {
        bool const a_nan = a != a, b_nan = b != b;
        return a_nan || b_nan ? sign(b_nan && !a_nan, a_nan && !b_nan) : sign(a < b, b < a);
    } else if constexpr (shape == value_shape::sequence || shape == value_shape::array) {
        for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
            if (int const order = compare_keys<typename T::value_type>(a[i], b[i])) return order;
        return sign(a.size() < b.size(), b.size() < a.size());
    } else if constexpr (shape == value_shape::optional) {
        return a && b ? compare_keys(*a, *b) : sign(!a && b, a && !b);
    } else if constexpr (shape == value_shape::variant) {
        int order = sign(a.index() < b.index(), b.index() < a.index());
        if (order == 0)
            driftless::detail::with_alternative<T>(
                a.index(), [&]<std::size_t I>() { order = compare_keys(get<I>(a), get<I>(b)); });
        return order;
    } else if constexpr (shape == value_shape::empty) {
        return 0;
    } else if constexpr (driftless::detail::has_parts<T>) {
        int order = 0;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            using driftless::detail::part;
            static_cast<void>(((order = compare_keys(part<I>(a), part<I>(b))) || ...));
        }(std::make_index_sequence<driftless::detail::part_count<T>>{});
        return order;
    } else {
        return sign(a < b, b < a);  // integers, enums, times, windows, texts
    }
}
}  // namespace codec_test
BOOST_HANA_ADAPT_STRUCT(codec_test::order, sku, cents, at);
BOOST_HANA_ADAPT_STRUCT(codec_test::basket, orders, note, weight, none);
#endif
