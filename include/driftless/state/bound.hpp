// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_BOUND_HPP
#define DRIFTLESS_STATE_BOUND_HPP

#include <cstdint>
#include <tuple>
#include <type_traits>

namespace driftless::inline v0 {

/// Says that the state of an operator may grow with the input: `aggregate(count(), unbounded_state{})`.
struct unbounded_state {};

/// Bounds the state of an operator to `count` entries of (key, window); a record with a new key beyond
/// that is refused, reason `capacity`. Such an operator runs on one thread, so that which keys came
/// first does not depend on the number of threads.
struct max_keys {
    std::uint64_t count;
};

namespace detail {
template <class P>
inline constexpr bool state_bound_option = std::is_same_v<P, unbounded_state> || std::is_same_v<P, max_keys>;
template <class Parameters>
inline constexpr bool says_max_keys = false;
template <class... P>
inline constexpr bool says_max_keys<std::tuple<P...>> = (std::is_same_v<P, max_keys> || ...);
}  // namespace detail
}  // namespace driftless::inline v0
#endif
