// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_STORAGE_HPP
#define DRIFTLESS_STATE_STORAGE_HPP

// What operators know of where state is kept. Programs without spill_to compile no more than this.

namespace driftless::inline v0::detail {

/// A parameter of an operator that says where its state is kept: spill_to (state/spill.hpp).
template <class P>
inline constexpr bool storage_option = false;

/// Where state is, by the parameters of an operator: in memory, where none says otherwise.
template <class InMemory, class... P>
struct storage_among {
    using type = InMemory;
    static constexpr bool spills = false;
    static constexpr type of(auto const&) { return {}; }
};
}  // namespace driftless::inline v0::detail
#endif
