// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_STORED_ROW_HPP
#define DRIFTLESS_VIEW_DETAIL_STORED_ROW_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/table_entries.hpp>
#include <driftless/view/detail/block_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

// How a view keeps a row. One that can be copied as bytes and is small stands in its page; any other is an object that
// does not change any more, and stands there by its address.

namespace driftless::inline v0::detail {

/// Where a row is looked for in a table of many windows; in one of one, the canonical hash of the key says it.
DRIFTLESS_INLINE constexpr std::uint64_t row_hash(std::uint64_t key, time_window const& window) noexcept {
    return mix64(key ^ mix64(static_cast<std::uint64_t>(window.start.ns()) + 0x9e3779b97f4a7c15u)
        ^ static_cast<std::uint64_t>(window.end.ns()) << 1);
}

/// The version that wrote a row, and what its pane was. No row has the bits 0.
struct row_state {
    static constexpr std::uint64_t used = 1;
    std::uint64_t bits = 0;

    static constexpr row_state of(std::uint64_t version, pane_info const& info) noexcept {
        return {version << 8 | static_cast<std::uint64_t>(info.timing) << 2 | std::uint64_t{info.first} << 4
            | std::uint64_t{info.last} << 5 | used};
    }
    [[nodiscard]] constexpr std::uint64_t version() const noexcept { return bits >> 8; }
    [[nodiscard]] constexpr driftless::timing timing() const noexcept {
        return static_cast<driftless::timing>(bits >> 2 & 3);
    }
};

/// What a reader asks for, as a key that hashes as K does: text for strings, and whatever K can be made of.
template <class K, class K2>
[[nodiscard]] DRIFTLESS_INLINE decltype(auto) as_key(K2 const& key) {
    if constexpr (std::is_same_v<K, K2>) {
        return (key);
    } else if constexpr (requires { requires same_key_type<K, K2>; }) {
        return (key);
    } else if constexpr (shape_of<K> == value_shape::text && std::is_convertible_v<K2 const&, std::string_view>) {
        return std::string_view{key};
    } else {
        static_assert(std::is_convertible_v<K2 const&, K>,
            "driftless: a view was asked for a key of another type than its own: ask for one that converts to it");
        return static_cast<K>(key);
    }
}
/// A key that may come as text or as a string.
template <class K, class K2>
[[nodiscard]] DRIFTLESS_INLINE bool is_key(K const& mine, K2 const& other) noexcept {
    if constexpr (std::is_same_v<K, unkeyed>) return true;
    else return same_key(mine, other);
}
/// A row in its page. The key of a whole number is in its hash; a window stands there unless the table is of one.
template <class K, class V, bool Windowed>
struct inline_slot {
    struct in_hash {};
    struct of_table {};
    static constexpr bool is_inline = true;
    static constexpr bool windowed = Windowed;
    static constexpr bool key_is_hash = integer_key<K> && !Windowed;
    std::uint64_t hash;
    row_state state;
    [[no_unique_address]] std::conditional_t<key_is_hash, in_hash, K> row_key;
    [[no_unique_address]] std::conditional_t<Windowed, time_window, of_table> row_window;
    V row_value;

    inline_slot(std::uint64_t h, row_state s, K const& key, [[maybe_unused]] time_window window, V const& value)
        : hash(h), state(s), row_value(value) {
        if constexpr (!key_is_hash) row_key = key;
        if constexpr (Windowed) row_window = window;
    }
    [[nodiscard]] bool in_use() const noexcept { return state.bits != 0; }
    [[nodiscard]] decltype(auto) key() const noexcept {
        if constexpr (key_is_hash) return u64_to_key<K>(unmix64(hash));
        else return (row_key);
    }
    [[nodiscard]] V const& value() const noexcept { return row_value; }
    [[nodiscard]] row_state const& row() const noexcept { return state; }
    template <class K2>
    [[nodiscard]] DRIFTLESS_INLINE bool is(K2 const& other, time_window const& window) const noexcept {
        if constexpr (Windowed) {
            if (row_window != window) return false;
        }
        if constexpr (key_is_hash) return true;
        else return is_key(row_key, other);
    }
};

/// The bytes of the texts of one row.
struct row_texts {
    struct block {
        block* next;
        std::size_t size;
    };
    block* first = nullptr;

    struct filler {
        row_texts& into;
        block_pool& pool;
        char* allocate(std::size_t n) {
            auto const size = sizeof(block) + n;
            into.first = ::new (pool.take(size)) block{into.first, size};
            return reinterpret_cast<char*>(into.first + 1);
        }
    };
    void give(block_pool& pool) noexcept {
        while (first != nullptr) {
            auto* const next = first->next;
            pool.give(first, first->size);
            first = next;
        }
    }
};

template <class K, class V>
struct row_node {
    row_state state;
    K key;
    time_window window;
    V value;
    row_texts texts{};

    template <class K2, class V2>
    static row_node* make(block_pool& pool, row_state state, K2 const& key, time_window window, V2 const& value) {
        auto* const out = ::new (pool.take(sizeof(row_node))) row_node{state, K(key), window, V(value)};
        if constexpr (has_text<K> || has_text<V>) {
            row_texts::filler to{out->texts, pool};
            rehome(out->key, to);
            rehome(out->value, to);
        }
        return out;
    }
    static void drop(block_pool& pool, void* of) noexcept {
        auto* const node = static_cast<row_node*>(of);
        node->texts.give(pool);
        std::destroy_at(node);
        pool.give(node, sizeof(row_node));
    }
};

template <class K, class V, bool Windowed>
struct node_slot {
    static constexpr bool is_inline = false;
    static constexpr bool windowed = Windowed;
    std::uint64_t hash;
    row_node<K, V>* node;

    [[nodiscard]] bool in_use() const noexcept { return node != nullptr; }
    [[nodiscard]] K const& key() const noexcept { return node->key; }
    [[nodiscard]] V const& value() const noexcept { return node->value; }
    [[nodiscard]] row_state const& row() const noexcept { return node->state; }
    template <class K2>
    [[nodiscard]] DRIFTLESS_INLINE bool is(K2 const& other, time_window const& window) const noexcept {
        return node->window == window && is_key(node->key, other);
    }
};

template <class K, class V>
inline constexpr bool stands_in_page = std::is_trivially_copyable_v<K> && std::is_trivially_copyable_v<V>
    && !has_text<K> && !has_text<V> && sizeof(K) + sizeof(V) <= 128;

/// A view of Kept can be given Given.
template <class Kept, class Given>
concept kept_by_view = std::is_same_v<Kept, Given> || std::is_same_v<Kept, owned_t<Given>>;

template <class K, class V, bool Windowed>
using slot_of =
    std::conditional_t<stands_in_page<K, V>, inline_slot<K, V, Windowed>, node_slot<K, V, Windowed>>;

template <class Slot>
[[nodiscard]] time_window window_of(Slot const& slot, time_window const& of_table) noexcept {
    if constexpr (!Slot::windowed) return of_table;
    else if constexpr (Slot::is_inline) return slot.row_window;
    else return slot.node->window;
}

/// A row wherever it stands: valid for as long as its version is.
template <class K, class V>
struct row_ref {
    static constexpr bool by_value = integer_key<K>;
    std::conditional_t<by_value, K, K const*> key_{};
    time_window window{};
    V const* value = nullptr;
    row_state state{};
    row_node<K, V> const* node = nullptr;  // if it does not stand in its page

    row_ref() = default;
    template <class Slot>
    row_ref(Slot const& slot, time_window const& of_table)
        : window(window_of(slot, of_table)), value(&slot.value()), state(slot.row()) {
        if constexpr (by_value) key_ = slot.key();
        else key_ = &slot.key();
        if constexpr (!Slot::is_inline) node = slot.node;
    }
    [[nodiscard]] K const& key() const noexcept {
        if constexpr (by_value) return key_;
        else return *key_;
    }
    explicit operator bool() const noexcept { return value != nullptr; }
};
}  // namespace driftless::inline v0::detail
#endif
