// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_TIME_FIELDS_HPP
#define DRIFTLESS_LOG_DETAIL_TIME_FIELDS_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The members of which blocks keep the least and the greatest value, by index; 0 of event<T> is its envelope.
template <class T>
std::vector<std::uint16_t> time_fields_of() {
    std::vector<std::uint16_t> out;
    if constexpr (is_event<T>) {
        out.push_back(0);
    } else if constexpr (reflected<T>) {
        for_each_member_index<T>([&]<std::size_t I>() {
            if constexpr (std::is_same_v<member_t<I, T>, event_time>) out.push_back(static_cast<std::uint16_t>(I));
        });
    }
    return out;
}
/// Where a member's bounds are among those of time_fields_of; past the end if it has none.
template <class T>
std::size_t time_field_place(std::size_t field) noexcept {
    if constexpr (is_event<T>) {
        return field;
    } else if constexpr (reflected<T>) {
        std::size_t place = 0;
        std::size_t found = member_count<T>;
        for_each_member_index<T>([&]<std::size_t I>() {
            if constexpr (std::is_same_v<member_t<I, T>, event_time>) {
                if (I == field) found = place;
                ++place;
            }
        });
        return found;
    } else {
        return 1;
    }
}
template <class T>
consteval std::size_t count_time_fields() {
    if constexpr (is_event<T>) return 1;
    else if constexpr (reflected<T>)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (std::size_t{0} + ... + std::size_t{std::is_same_v<member_t<I, T>, event_time>});
        }(std::make_index_sequence<member_count<T>>{});
    else return 0;
}
template <class T>
inline constexpr std::size_t bounded_time_fields = count_time_fields<T>();

/// Calls f(place, time) for each of them, in order.
template <class T, class F>
constexpr void for_each_time_field(T const& record, F&& f) {
    if constexpr (is_event<T>) {
        f(std::size_t{0}, record.at);
    } else if constexpr (bounded_time_fields<T> != 0) {
        std::size_t place = 0;
        for_each_member_index<T>([&]<std::size_t I>() {
            if constexpr (std::is_same_v<member_t<I, T>, event_time>) f(place++, member<I>(record));
        });
    }
}
}  // namespace driftless::inline v0::detail
#endif
