// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_STORAGE_HPP
#define DRIFTLESS_STATE_STORAGE_HPP

#include <tuple>

namespace driftless::inline v0::detail {

/// A parameter of an operator that says where its state is kept: spill_to (state/spill.hpp).
template <class P>
inline constexpr bool storage_option = false;
template <class P>
    requires requires { typename P::is_storage; }
inline constexpr bool storage_option<P> = true;

/// The one among parameters, and InMemory without one.
template <class InMemory, class... P>
struct storage_among {
    using type = InMemory;
    static constexpr bool spills = false;
    static constexpr type of(auto const&) { return {}; }
};
template <class InMemory, class First, class... Rest>
struct storage_among<InMemory, First, Rest...> : storage_among<InMemory, Rest...> {};
template <class InMemory, class First, class... Rest>
    requires storage_option<First>
struct storage_among<InMemory, First, Rest...> {
    using type = First;
    static constexpr bool spills = true;
    static constexpr type of(auto const& parameters) { return std::get<First>(parameters); }
};
}  // namespace driftless::inline v0::detail
#endif
