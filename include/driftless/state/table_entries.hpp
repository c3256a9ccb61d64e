// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_TABLE_ENTRIES_HPP
#define DRIFTLESS_STATE_TABLE_ENTRIES_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/flat.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// The entries of keyed_table and spilling_table as bytes: the same for both.

namespace driftless::inline v0::detail {

/// Writes the entries of a table in canonical order, in fixed sizes where key and state have them: load_entries() reads
/// that.
template <class Key, class State>
void write_entries(auto& table, auto& out) {
    constexpr auto size = flat_sum<Key, State>;
    if constexpr (size != not_flat) {
        constexpr std::size_t at_once = 4096 / (size + 1) + 1;
        char block[at_once * size + 1];
        flat_writer to{block};
        auto const hand_on = [&] {
            out.put_bytes({block, static_cast<std::size_t>(to.at() - block)});
            to = flat_writer{block};
        };
        table.for_each_ordered([&](auto const& key, State const& state, std::uint64_t) {
            if (to.at() == block + at_once * size) hand_on();
            to.write(key).write(state);
        });
        hand_on();
    } else {
        table.for_each_ordered([&](auto const& key, State const& state, std::uint64_t) {
            out.write(key);
            out.write(state);
        });
    }
}

/// The canonical hash where there is a key; 0 where there is none.
template <class K>
DRIFTLESS_INLINE constexpr std::uint64_t hash_of(K const& key) noexcept {
    if constexpr (std::is_same_v<K, unkeyed>) return 0;
    else return canonical_hash(key);
}

/// Reads `count` entries and puts each into the table that `table_for(hash)` names, but for those that are left_out.
template <class Key, class State, class TableFor>
void load_entries(std::uint64_t count, auto& in, TableFor table_for) {
    if constexpr (!std::is_same_v<Key, unkeyed> && flat_sum<Key, State> != not_flat) {
        constexpr auto size = flat_sum<Key, State>;
        if (count > in.remaining() / (size == 0 ? 1 : size)) in.fail("a length exceeds the bytes that follow");
        flat_reader from{in.get_bytes(static_cast<std::size_t>(count) * size).data(), in};
        for (; count != 0; --count) {
            Key key{};
            State state{};
            from.read(key).read(state);
            if (left_out::drops(key)) continue;
            auto const hash = hash_of(key);
            auto& into = table_for(hash);
            if constexpr (requires { into.append(key, hash, std::move(state)); })
                into.append(key, hash, std::move(state));
            else static_cast<void>(into.insert(key, hash, [&] { return std::move(state); }));
        }
        return;
    }
    for (; count != 0; --count) {
        Key key{};
        if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
        State state{};
        in.read(state);
        if (left_out::drops(key)) continue;
        auto const hash = hash_of(key);
        static_cast<void>(table_for(hash).insert(key, hash, [&] { return std::move(state); }));
    }
}
}  // namespace driftless::inline v0::detail
#endif
