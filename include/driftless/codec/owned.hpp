// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_OWNED_HPP
#define DRIFTLESS_CODEC_OWNED_HPP

#include <driftless/codec/detail/shape.hpp>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class T>
inline constexpr bool is_borrowed_text = std::is_same_v<T, text> || std::is_same_v<T, std::string_view>;

template <class T>
consteval bool find_text() {
    constexpr auto shape = shape_of<T>;
    if constexpr (is_borrowed_text<T>) return true;
    else if constexpr (shape == value_shape::sequence || shape == value_shape::array || shape == value_shape::optional)
        return find_text<typename T::value_type>();
    else if constexpr (shape == value_shape::map)
        return find_text<typename T::key_type>() || find_text<typename T::mapped_type>();
    else if constexpr (shape == value_shape::variant)
        return alternatives<T>::any([]<class A>() { return find_text<A>(); });
    else if constexpr (has_parts<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (find_text<part_t<I, T>>() || ...);
        }(std::make_index_sequence<part_count<T>>{});
    else return false;
}
}  // namespace detail

/// True if T is or holds borrowed text: text or std::string_view, looked for in pair, tuple, array, vector,
/// optional, variant, map and reflected structs. Other classes are taken to own what they hold.
template <class T>
inline constexpr bool has_text = detail::find_text<T>();

/// How a type becomes owned: `type` and `convert`. A class template with text of its own may specialise it.
template <class T>
struct owned_traits {
    using type = T;
    static constexpr T const& convert(T const& value) noexcept { return value; }
};

/// T with every text replaced by std::string, through pair, tuple, array, vector, optional, variant, map, event,
/// pane and joined; all else unchanged. A reflected struct keeps its type even if it holds text: rehome() it.
template <class T>
using owned_t = typename owned_traits<T>::type;

namespace detail {
template <class... T>
inline constexpr bool changes_when_owned = (!std::is_same_v<owned_t<T>, T> || ...);
}  // namespace detail

/// An owning copy of a value: see owned_t. Text inside reflected structs is still borrowed.
///
/// Errors      std::bad_alloc.
/// Complexity  O(size of the value).
template <class T>
[[nodiscard]] constexpr owned_t<T> to_owned(T const& value) {
    return owned_traits<T>::convert(value);
}

template <class T>
    requires detail::is_borrowed_text<T>
struct owned_traits<T> {
    using type = std::string;
    static std::string convert(T value) {
        return value.empty() ? std::string{} : std::string{value.data(), value.size()};
    }
};
template <class A, class B>
    requires detail::changes_when_owned<A, B>
struct owned_traits<std::pair<A, B>> {
    using type = std::pair<owned_t<A>, owned_t<B>>;
    static constexpr type convert(std::pair<A, B> const& value) {
        return {to_owned(value.first), to_owned(value.second)};
    }
};
template <class... T>
    requires detail::changes_when_owned<T...>
struct owned_traits<std::tuple<T...>> {
    using type = std::tuple<owned_t<T>...>;
    static constexpr type convert(std::tuple<T...> const& value) {
        return [&value]<std::size_t... I>(std::index_sequence<I...>) {
            return type{to_owned(std::get<I>(value))...};
        }(std::index_sequence_for<T...>{});
    }
};
template <class T>
    requires detail::changes_when_owned<T>
struct owned_traits<event<T>> {
    using type = event<owned_t<T>>;
    static constexpr type convert(event<T> const& from) { return {to_owned(from.value), from.at}; }
};
template <class K, class V>
    requires detail::changes_when_owned<K, V>
struct owned_traits<pane<K, V>> {
    using type = pane<owned_t<K>, owned_t<V>>;
    static constexpr type convert(pane<K, V> const& from) {
        return {to_owned(from.key), from.window, to_owned(from.value), from.info};
    }
};
template <class L, class R>
    requires detail::changes_when_owned<L, R>
struct owned_traits<joined<L, R>> {
    using type = joined<owned_t<L>, owned_t<R>>;
    static constexpr type convert(joined<L, R> const& from) { return {to_owned(from.left), to_owned(from.right)}; }
};
template <class T, std::size_t N>
    requires detail::changes_when_owned<T>
struct owned_traits<std::array<T, N>> {
    using type = std::array<owned_t<T>, N>;
    static constexpr type convert(std::array<T, N> const& value) {
        type owned{};
        for (std::size_t i = 0; i < N; ++i) owned[i] = to_owned(value[i]);
        return owned;
    }
};
template <class T, class A>
    requires detail::changes_when_owned<T>
struct owned_traits<std::vector<T, A>> {
    using type = std::vector<owned_t<T>>;
    static constexpr type convert(std::vector<T, A> const& value) {
        type owned;
        owned.reserve(value.size());
        for (T const& element : value) owned.push_back(to_owned(element));
        return owned;
    }
};
template <class T>
    requires detail::changes_when_owned<T>
struct owned_traits<std::optional<T>> {
    using type = std::optional<owned_t<T>>;
    static constexpr type convert(std::optional<T> const& value) {
        if (!value) return std::nullopt;
        return type{to_owned(*value)};
    }
};

/// Copies the bytes of every text in `value` into `arena` and re-points the text there, through pair, tuple,
/// array, vector, optional, variant, map and reflected structs. `Arena` has `char* allocate(std::size_t)`:
/// driftless::arena.
///
/// State       The texts live as long as the arena keeps its bytes. std::string members stay as they are.
/// Errors      Those of the arena (std::bad_alloc); some texts may have moved by then.
/// Complexity  O(text bytes), one allocate() per text that is not empty; nothing at all unless has_text<T>.
template <class T, class Arena>
constexpr void rehome(T& value, Arena& arena) {
    using detail::value_shape;
    constexpr auto shape = detail::shape_of<T>;
    if constexpr (!has_text<T>) {
        static_cast<void>(arena);
    } else if constexpr (detail::is_borrowed_text<T>) {
        if (value.empty()) {
            value = T{};  // an empty text may point into the old bytes as well
        } else {
            char* const there = arena.allocate(value.size());
            std::memcpy(there, value.data(), value.size());
            value = T{there, value.size()};
        }
    } else if constexpr (shape == value_shape::sequence || shape == value_shape::array) {
        for (auto& element : value) rehome(element, arena);
    } else if constexpr (shape == value_shape::optional) {
        if (value) rehome(*value, arena);
    } else if constexpr (shape == value_shape::variant) {
        detail::with_alternative<T>(value.index(), [&]<std::size_t I>() { rehome(get<I>(value), arena); });
    } else if constexpr (shape == value_shape::map) {
        if constexpr (!has_text<typename T::key_type>) {
            for (auto& each : value) rehome(each.second, arena);
        } else {  // order and hash stay: the bytes of a key are the same
            T fresh;
            while (!value.empty()) {
                auto node = value.extract(value.begin());
                rehome(node.key(), arena);
                rehome(node.mapped(), arena);
                fresh.insert(fresh.end(), std::move(node));
            }
            value.swap(fresh);
        }
    } else {
        detail::for_each_part(value, [&arena](auto& inner) { rehome(inner, arena); });
    }
}
}  // namespace driftless::inline v0
#endif
