// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SCHEMA_EVOLUTION_HPP
#define DRIFTLESS_CODEC_SCHEMA_EVOLUTION_HPP

#include <type_traits>

namespace driftless::inline v0 {
namespace detail {
/// A log reads segments of its own schema alone, and a snapshot is read as it is.
struct no_evolution {
    template <class T, class Layout>
    struct old_segments {};
};
}  // namespace detail

/// How a file log of T reads segments that were written with another schema or in another layout, and a snapshot the T
/// in its state: not at all, or as `evolving` of log/evolution.hpp does. A struct says
/// `static constexpr auto schema_evolution = driftless::evolving;`, for a foreign one this is specialised, beside it:
/// the whole program has to say the same.
template <class T>
inline constexpr auto schema_evolution = [] {
    if constexpr (requires { T::schema_evolution; }) return T::schema_evolution;
    else return detail::no_evolution{};
}();

namespace detail {
template <class T>
using evolution_of = std::remove_cvref_t<decltype(schema_evolution<T>)>;
template <class T>
inline constexpr bool evolves = !std::is_same_v<evolution_of<T>, no_evolution>;
}  // namespace detail
}  // namespace driftless::inline v0
#endif
