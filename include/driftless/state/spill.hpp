// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_SPILL_HPP
#define DRIFTLESS_STATE_SPILL_HPP

#include <driftless/state/cold_store.hpp>
#include <driftless/state/spilling_entries.hpp>
#include <driftless/state/spilling_table.hpp>
#include <driftless/state/storage.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>

namespace driftless::inline v0 {

/// Lets state be larger than memory: `process<Out>(f, unbounded_state{}, spill_to{store, 1'000'000})`.
///
/// State       At most `max_in_memory` keys in memory, of those that were used last; the others in the store, which
///             has to outlive the runs. Answers and the bytes of snapshots are those of state in memory, so that a
///             snapshot may be taken up with a store, with another one, or without.
/// Example     examples/larger_than_memory.cpp
struct spill_to {
    cold_store* store;
    std::size_t max_in_memory;

    constexpr spill_to(cold_store& to, std::size_t most) noexcept : store(&to), max_in_memory(most) {}

    /// For the operator.
    template <class Key, class Entry>
    using entries = spilling_entries<Key, Entry>;
    template <class Key, class State>
    using table = spilling_table<Key, State>;
    template <class Entries>
    void equip(Entries& made) const {
        made.spill(*store, max_in_memory);
    }
};

namespace detail {
template <>
inline constexpr bool storage_option<spill_to> = true;
template <class InMemory, class... P>
    requires(std::same_as<P, spill_to> || ...)
struct storage_among<InMemory, P...> {
    using type = spill_to;
    static constexpr bool spills = true;
    static constexpr type of(std::tuple<P...> const& parameters) { return std::get<spill_to>(parameters); }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
