// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_REFLECT_HPP
#define DRIFTLESS_CORE_REFLECT_HPP

// Who adapts a struct includes <boost/hana/adapt_struct.hpp>, and with it the tuple of its members; here names are
// enough.
#include <boost/hana/accessors.hpp>
#include <boost/hana/concept/struct.hpp>
#include <boost/hana/fwd/at.hpp>
#include <boost/hana/fwd/first.hpp>
#include <boost/hana/fwd/length.hpp>
#include <boost/hana/fwd/second.hpp>

#include <driftless/core/config.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A struct whose members are known: BOOST_HANA_ADAPT_STRUCT(order, sku, cents, at).
template <class T>
concept reflected = boost::hana::Struct<T>::value;

namespace detail {
template <class T>
inline constexpr std::size_t member_count =
    decltype(boost::hana::length(boost::hana::accessors<T>()))::value;

/// The I-th member of an object, by reference.
template <std::size_t I, class T>
constexpr decltype(auto) member(T& object) {
    return boost::hana::second(boost::hana::at_c<I>(boost::hana::accessors<std::remove_const_t<T>>()))(object);
}

template <std::size_t I, class T>
using member_t = std::remove_cvref_t<decltype(member<I>(std::declval<T&>()))>;

/// The name of the I-th member.
template <std::size_t I, class T>
constexpr std::string_view member_name() {
    constexpr auto text = boost::hana::first(boost::hana::at_c<I>(boost::hana::accessors<T>()));
    return {text.c_str(), decltype(boost::hana::length(text))::value};
}

/// Calls f(member...) with every member of a reflected object, in order.
template <class T, class F>
constexpr decltype(auto) apply_members(T& object, F&& f) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
        return std::forward<F>(f)(member<I>(object)...);
    }(std::make_index_sequence<member_count<std::remove_const_t<T>>>{});
}

/// Calls f.template operator()<I>() for every member index of T, in order.
template <class T, class F>
constexpr void for_each_member_index(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f.template operator()<I>(), ...);
    }(std::make_index_sequence<member_count<T>>{});
}

/// The same in the loops over records: GCC leaves the above as a call where there are many members, and then the record
/// is filled in memory, members that nobody reads as well.
template <class T, class F>
DRIFTLESS_INLINE constexpr void melt_each_member_index(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) DRIFTLESS_INLINE_LAMBDA {
        (f.template operator()<I>(), ...);
    }(std::make_index_sequence<member_count<T>>{});
}

template <class M>
struct member_pointer;
template <class T, class M>
struct member_pointer<M T::*> {
    using object = T;
    using type = M;
};

/// The index of the member that `Member` points to; member_count<T> if it is not a reflected one.
template <auto Member>
std::size_t index_of_member() {
    using object = typename member_pointer<decltype(Member)>::object;
    std::size_t found = 0;
    if constexpr (reflected<object>) {
        found = member_count<object>;
        object const sample{};
        for_each_member_index<object>([&]<std::size_t I>() {
            void const* const there = &member<I>(sample);
            if (there == static_cast<void const*>(&(sample.*Member))) found = I;
        });
    }
    return found;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
