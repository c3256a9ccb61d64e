// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_RECORD_SIZE_HPP
#define DRIFTLESS_RUN_DETAIL_RECORD_SIZE_HPP

#include <driftless/codec/detail/shape.hpp>

#include <cstdint>
#include <type_traits>

namespace driftless::inline v0::detail {
/// Bytes that a value keeps or borrows outside of itself: text, and what is in its containers.
template <class T>
constexpr std::uint64_t bytes_outside(T const& value) {
    constexpr auto shape = shape_of<T>;
    std::uint64_t sum = 0;
    if constexpr (shape == value_shape::text) {
        sum = value.size();
    } else if constexpr (shape == value_shape::sealed) {
        if constexpr (T::room == 0) sum = value.sealed().size();
    } else if constexpr (shape == value_shape::sequence || shape == value_shape::map) {
        for (auto const& each : value) sum += sizeof(each) + bytes_outside(each);
    } else if constexpr (shape == value_shape::array) {
        if constexpr (!std::is_arithmetic_v<typename T::value_type>) {
            for (auto const& each : value) sum += bytes_outside(each);
        }
    } else if constexpr (shape == value_shape::optional) {
        if (value) sum = bytes_outside(*value);
    } else if constexpr (shape == value_shape::variant) {
        with_alternative<T>(value.index(), [&]<std::size_t I>() { sum = bytes_outside(get<I>(value)); });
    } else if constexpr (has_parts<T>) {
        for_each_part(value, [&sum](auto const& inner) { sum += bytes_outside(inner); });
    }
    return sum;
}
/// What a limit in bytes counts for a record.
template <class T>
constexpr std::uint64_t record_size(T const& record) {
    return sizeof(T) + bytes_outside(record);
}
}  // namespace driftless::inline v0::detail
#endif
