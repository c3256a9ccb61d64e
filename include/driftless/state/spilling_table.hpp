// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_SPILLING_TABLE_HPP
#define DRIFTLESS_STATE_SPILLING_TABLE_HPP

#include <driftless/core/config.hpp>
#include <driftless/state/spilling_entries.hpp>
#include <driftless/state/table_entries.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0 {

/// spilling_entries with the functions of a keyed_table, for those who look entries up by key alone.
///
/// State, Errors, Complexity   As for spilling_entries.
template <class Key, class State>
class spilling_table {
    spilling_entries<Key, State> entries_;

public:
    void spill(cold_store& to, std::size_t most) { entries_.spill(to, most); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes(); }
    void prefetch(std::uint64_t hash) const noexcept { entries_.prefetch(hash); }
    /// Null if there is none. Holds until the next find or insert.
    [[nodiscard]] DRIFTLESS_INLINE State* find(Key const& key, std::uint64_t hash) {
        return entries_.find(key, hash).entry;
    }
    /// Adds a key that is not there.
    template <class Make>
    State& insert(Key const& key, std::uint64_t hash, Make&& make) {
        State made = make();
        return *entries_.insert(key, hash).entry = std::move(made);
    }
    void erase(Key const& key, std::uint64_t hash) {
        if (auto const gone = entries_.find(key, hash); gone.entry != nullptr) entries_.erase(hash, gone.at);
    }
    void clear() { entries_.clear(); }
    /// Calls f(key, state, hash) by ascending canonical hash, ties by key bytes; see spilling_entries.
    template <class F>
    void for_each_ordered(F&& f) {
        entries_.for_each_ordered(
            [&](Key const& key, State& state, std::uint64_t hash, auto) { f(key, state, hash); });
    }
    /// The bytes of a keyed_table with these entries.
    void save_entries(auto& out) { detail::write_entries<Key, State>(*this, out); }
};
}  // namespace driftless::inline v0
#endif
