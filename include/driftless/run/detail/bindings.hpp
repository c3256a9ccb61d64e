// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_BINDINGS_HPP
#define DRIFTLESS_RUN_DETAIL_BINDINGS_HPP

#include <driftless/core/sink.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/input.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

// Which argument of run(mode, pipeline, inputs..., sinks...) is what. Named ones are found by name;
// the others are, in order, the inputs that are left, and then the sink.

namespace driftless::inline v0::detail {
template <class... T>
struct type_list {
    static constexpr std::size_t size = sizeof...(T);
};

template <class List, class T>
inline constexpr bool list_has = false;
template <class... L, class T>
inline constexpr bool list_has<type_list<L...>, T> = (std::is_same_v<L, T> || ...);
template <class List, class T>
struct list_add;
template <class... L, class T>
struct list_add<type_list<L...>, T> {
    using type = std::conditional_t<list_has<type_list<L...>, T>, type_list<L...>, type_list<L..., T>>;
};

/// The sources of a pipeline, from left to right, each once.
template <class List, class P>
struct sources_of;
template <class List, class... P>
struct sources_of_all {
    using type = List;
};
template <class List, class First, class... Rest>
struct sources_of_all<List, First, Rest...> : sources_of_all<typename sources_of<List, First>::type, Rest...> {};
template <class List, class Prev, class Op>
struct sources_of<List, link<Prev, Op>> : sources_of<List, Prev> {};
template <class List, class Root>
struct sources_of<List, root_link<Root>> {
    using type = typename list_add<List, Root>::type;
};
template <class List, class Root>
    requires requires { typename Root::is_fan_in; }
struct sources_of<List, root_link<Root>> {
    template <class... I>
    static auto all(std::tuple<I...> const*) -> typename sources_of_all<List, I...>::type;
    using type = decltype(all(static_cast<decltype(Root::inputs) const*>(nullptr)));
};

template <class List, class T>
struct index_in;
template <class... L, class T>
struct index_in<type_list<L...>, T> {
    static constexpr std::size_t value = [] {
        bool const same[] = {std::is_same_v<L, T>...};
        std::size_t i = 0;
        while (i < sizeof...(L) && !same[i]) ++i;
        return i;
    }();
};

inline constexpr std::size_t absent = ~std::size_t{0};

template <class Arg>
inline constexpr bool is_bound = false;
template <class Name, class X>
inline constexpr bool is_bound<bound<Name, X>> = true;
template <class Arg, class Name>
inline constexpr bool is_bound_to = false;
template <class Name, class X>
inline constexpr bool is_bound_to<bound<Name, X>, Name> = true;

/// The position of the argument that is bound to Name, or absent.
template <class Name, class... Args>
constexpr std::size_t position_of() {
    std::size_t found = absent;
    std::size_t i = 0;
    ((found = found == absent && is_bound_to<std::remove_cvref_t<Args>, Name> ? i : found, ++i), ...);
    return found;
}
/// The position of the n-th argument that is not bound to a name, or absent.
template <class... Args>
constexpr std::size_t plain_position(std::size_t n) {
    std::size_t found = absent;
    std::size_t i = 0;
    ((found = found == absent && !is_bound<std::remove_cvref_t<Args>> && n-- == 0 ? i : found, ++i), ...);
    return found;
}

/// How many of the first `Sources` in the list are not bound by name.
template <class... Args, class... Sources>
constexpr std::size_t plain_inputs(type_list<Sources...>, std::size_t before = absent) {
    std::size_t count = 0;
    std::size_t i = 0;
    ((count += i++ < before && position_of<typename Sources::name_type, Args...>() == absent ? 1 : 0), ...);
    return count;
}

/// The position of the argument for the I-th source.
template <std::size_t I, class... Args, class... Sources>
constexpr std::size_t input_position(type_list<Sources...> sources) {
    std::size_t position = absent;
    std::size_t i = 0;
    ((position = i++ == I ? position_of<typename Sources::name_type, Args...>() : position), ...);
    return position != absent ? position : plain_position<Args...>(plain_inputs<Args...>(sources, I));
}
/// The position of the sink, or absent if there is no argument left for it.
template <class... Args, class... Sources>
constexpr std::size_t sink_position(type_list<Sources...> sources) {
    return plain_position<Args...>(plain_inputs<Args...>(sources));
}

template <class Arg>
constexpr auto& target_of(Arg& arg) {
    if constexpr (is_bound<std::remove_cvref_t<Arg>>) return arg.target;
    else return arg;
}
}  // namespace driftless::inline v0::detail
#endif
