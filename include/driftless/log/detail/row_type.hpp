// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_ROW_TYPE_HPP
#define DRIFTLESS_LOG_DETAIL_ROW_TYPE_HPP

#include <driftless/codec/detail/shape.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Where the members of a row lie: each on a multiple of its own alignment, in order, as any C compiler does it, so
/// that a program that knows only the schema finds them.
struct row_shape {
    std::size_t size = 0;
    std::size_t alignment = 1;

    /// Where a member of that shape comes.
    [[nodiscard]] constexpr std::size_t place(row_shape const& member) const noexcept {
        return (size + member.alignment - 1) / member.alignment * member.alignment;
    }
    constexpr void add(row_shape const& member) noexcept {
        size = place(member) + member.size;
        if (member.alignment > alignment) alignment = member.alignment;
    }
    constexpr void finish() noexcept { size = place({0, alignment}); }
};

template <class T>
consteval bool find_row_type() {
    constexpr auto shape = shape_of<T>;
    if constexpr (!std::is_trivially_copyable_v<T>) return false;
    else if constexpr (shape == value_shape::array) return find_row_type<typename T::value_type>();
    else if constexpr (shape == value_shape::reflected) {
        if constexpr (!std::is_standard_layout_v<T>) return false;
        else
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return (find_row_type<member_t<I, T>>() && ...);
            }(std::make_index_sequence<member_count<T>>{});
    } else if constexpr (is_event<T>) return find_row_type<part_t<0, T>>();
    else if constexpr (shape == value_shape::floating) return sizeof(T) <= 8;
    else if constexpr (shape == value_shape::sealed) return T::room != 0;
    else
        return shape == value_shape::boolean || shape == value_shape::integer || shape == value_shape::enumeration
            || shape == value_shape::time || shape == value_shape::span || shape == value_shape::window;
}

template <class T>
consteval row_shape find_row_shape() {
    constexpr auto shape = shape_of<T>;
    if constexpr (shape == value_shape::array) {
        constexpr auto one = find_row_shape<typename T::value_type>();
        return {one.size * std::tuple_size_v<T>, one.alignment};
    } else if constexpr (has_parts<T>) {
        row_shape out;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (out.add(find_row_shape<part_t<I, T>>()), ...);
        }(std::make_index_sequence<part_count<T>>{});
        out.finish();
        return out;
    } else if constexpr (shape == value_shape::window) {
        return {16, 8};
    } else if constexpr (shape == value_shape::sealed) {
        return {sizeof(T), 1};
    } else {
        return {sizeof(T), sizeof(T)};  // aligned to its size
    }
}

/// Where part I of T begins in a row.
template <class T, std::size_t I>
consteval std::size_t row_place() {
    row_shape before;
    [&]<std::size_t... J>(std::index_sequence<J...>) {
        (before.add(find_row_shape<part_t<J, T>>()), ...);
    }(std::make_index_sequence<I>{});
    return before.place(find_row_shape<part_t<I, T>>());
}

template <class T>
consteval bool find_row_layout_fits() {
    if constexpr (!find_row_type<T>()) return false;
    else return find_row_shape<T>().size == sizeof(T) && find_row_shape<T>().alignment == alignof(T);
}

/// Records of one size without text, whose memory says all there is.
template <class T>
concept row_type = find_row_layout_fits<T>();

/// True if the members lie where row_shape says: they do unless they are adapted in another order than declared.
template <class T>
bool lies_in_order(T const& sample) {
    if constexpr (has_parts<T>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto const* const start = reinterpret_cast<char const*>(&sample);
            return ((reinterpret_cast<char const*>(&part<I>(sample)) == start + row_place<T, I>()
                        && lies_in_order(part<I>(sample)))
                && ...);
        }(std::make_index_sequence<part_count<T>>{});
    } else if constexpr (shape_of<T> == value_shape::array) {
        return std::tuple_size_v<T> == 0 || lies_in_order(sample[0]);
    } else {
        return true;
    }
}

/// The number of bytes of T that belong to no member.
template <class T>
consteval std::size_t count_row_gaps() {
    if constexpr (shape_of<T> == value_shape::array) {
        return count_row_gaps<typename T::value_type>() * std::tuple_size_v<T>;
    } else if constexpr (has_parts<T>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            std::size_t members = 0;
            std::size_t gaps = 0;
            ((members += sizeof(part_t<I, T>), gaps += count_row_gaps<part_t<I, T>>()), ...);
            return sizeof(T) - members + gaps;
        }(std::make_index_sequence<part_count<T>>{});
    } else {
        return 0;
    }
}

/// Writes zeroes where no member lies, so that equal records have equal bytes and nothing of the process leaks.
template <class T>
void clear_row_gaps(char* at) {
    if constexpr (count_row_gaps<T>() == 0) {
        static_cast<void>(at);
    } else if constexpr (shape_of<T> == value_shape::array) {
        for (std::size_t i = 0; i < std::tuple_size_v<T>; ++i) {
            clear_row_gaps<typename T::value_type>(at + i * sizeof(typename T::value_type));
        }
    } else {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            std::size_t end = 0;
            auto const clear = [&](std::size_t to) {
                if (to > end) std::memset(at + end, 0, to - end);
            };
            (
                [&] {
                    constexpr std::size_t from = row_place<T, I>();
                    clear(from);
                    clear_row_gaps<part_t<I, T>>(at + from);
                    end = from + sizeof(part_t<I, T>);
                }(),
                ...);
            clear(sizeof(T));
        }(std::make_index_sequence<part_count<T>>{});
    }
}
}  // namespace driftless::inline v0::detail
#endif
