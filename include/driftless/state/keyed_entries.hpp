// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_KEYED_ENTRIES_HPP
#define DRIFTLESS_STATE_KEYED_ENTRIES_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/record_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// State by key whose entries come and go one by one, and are found again from outside without their key: by hash and
/// place, as a queue of timers does.
///
/// State       Keys are copied once; the bytes of their text come back when they have gone (record_pool's blocks).
/// Errors      std::bad_alloc.
/// Complexity  Look-up, insertion and removal O(1) expected. for_each_ordered is O(n log n) here, and O(capacity) for
///             integer keys. References hold until the next insertion or removal.
template <class Key, class Entry>
class keyed_entries {
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct no_block {};
    struct slot {
        Key key{};
        std::uint64_t hash = 0;
        std::uint32_t next = none;  // of the same hash, or of the free ones
        bool live = false;
        [[no_unique_address]] std::conditional_t<has_text<Key>, std::uint32_t, no_block> block{};
        Entry entry{};
    };

    keyed_table<std::uint64_t, std::uint32_t> heads_;  // by hash
    detail::growing_array<slot> slots_;
    std::uint32_t free_ = none;
    std::size_t size_ = 0;
    [[no_unique_address]] std::conditional_t<has_text<Key>, detail::text_blocks, no_block> text_;

public:
    /// Where an entry is; holds as long as the entry.
    using place = std::uint32_t;
    struct found {
        Entry* entry = nullptr;
        place at = none;
    };

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        auto sum = size_ == 0 ? 0 : heads_.bytes() + slots_.size() * sizeof(slot);
        if constexpr (has_text<Key>) sum += text_.bytes();
        return sum;
    }
    void prefetch(std::uint64_t hash) const noexcept { heads_.prefetch(canonical_hash(hash)); }

    [[nodiscard]] DRIFTLESS_INLINE found find(Key const& key, std::uint64_t hash) noexcept {
        auto const* const head = heads_.find(hash, canonical_hash(hash));
        for (auto at = head != nullptr ? *head : none; at != none; at = slots_[at].next) {
            if (same_key(slots_[at].key, key)) return {&slots_[at].entry, at};
        }
        return {};
    }
    /// Adds a key that is not there.
    found insert(Key const& key, std::uint64_t hash) {
        if (free_ == none) {
            slots_.push_back(slot{});
            free_ = static_cast<std::uint32_t>(slots_.size() - 1);
        }
        auto const at = free_;
        auto& made = slots_[at];
        auto const next_free = made.next;
        made.key = key;
        made.hash = hash;
        if constexpr (has_text<Key>) made.block = text_.hold([&](auto& bytes) { rehome(made.key, bytes); });
        auto* const head = heads_.find(hash, canonical_hash(hash));
        made.next = head != nullptr ? *head : none;
        if (head != nullptr) *head = at;
        else static_cast<void>(heads_.insert(hash, canonical_hash(hash), [at] { return at; }));
        free_ = next_free;
        made.live = true;
        ++size_;
        return {&made.entry, at};
    }
    void erase(std::uint64_t hash, place at) {
        auto& gone = slots_[at];
        auto* link = heads_.find(hash, canonical_hash(hash));
        if (*link == at && gone.next == none) {
            heads_.erase(hash, canonical_hash(hash));
        } else {
            while (*link != at) link = &slots_[*link].next;
            *link = gone.next;
        }
        if constexpr (has_text<Key>) text_.give_back(gone.block);
        gone.key = Key{};
        gone.entry = Entry{};
        gone.live = false;
        gone.next = std::exchange(free_, at);
        --size_;
    }
    /// The entry at a place, or null if it has gone.
    [[nodiscard]] Entry* entry_at(std::uint64_t hash, place at) noexcept {
        return at < slots_.size() && slots_[at].live && slots_[at].hash == hash ? &slots_[at].entry : nullptr;
    }
    [[nodiscard]] Key const& key_at(std::uint64_t, place at) const noexcept { return slots_[at].key; }

    /// Calls f(key, entry, hash, place) by ascending canonical hash, ties by key bytes.
    template <class F>
    void for_each_ordered(F&& f) {
        struct ranked {
            keyed_entries const* of;
            std::uint32_t at;
        };
        struct before {
            bool operator()(ranked const& a, ranked const& b) const {
                auto const& left = a.of->slots_[a.at];
                auto const& right = b.of->slots_[b.at];
                if (left.hash != right.hash) return left.hash < right.hash;
                std::string bytes;
                std::string others;
                append_key_bytes(bytes, left.key);
                append_key_bytes(others, right.key);
                return bytes < others;
            }
        };
        detail::binary_heap<ranked, before> order;
        for (std::uint32_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].live) order.push({this, i});
        }
        while (!order.empty()) {
            auto const at = order.pop().at;
            f(slots_[at].key, slots_[at].entry, slots_[at].hash, at);
        }
    }
    void clear() {
        heads_.clear();
        slots_ = {};
        free_ = none;
        size_ = 0;
        text_ = {};
    }
    void save_entries(auto& out) {
        for_each_ordered(
            [&](Key const& key, Entry const& entry, std::uint64_t, place) { out.write(key).write(entry); });
    }
};

/// The hash of an integer key is the key: the entries stand in the table itself.
template <integer_key Key, class Entry>
class keyed_entries<Key, Entry> {
    keyed_table<Key, Entry> table_;

public:
    struct place {};
    struct found {
        Entry* entry = nullptr;
        [[no_unique_address]] place at{};
    };

    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return table_.size() == 0 ? 0 : table_.bytes(); }
    void prefetch(std::uint64_t hash) const noexcept { table_.prefetch(hash); }
    [[nodiscard]] DRIFTLESS_INLINE found find(Key key, std::uint64_t hash) noexcept { return {table_.find(key, hash)}; }
    found insert(Key key, std::uint64_t hash) {
        return {&table_.insert(key, hash, [] { return Entry{}; })};
    }
    void erase(std::uint64_t hash, place at) { table_.erase(key_at(hash, at), hash); }
    [[nodiscard]] Entry* entry_at(std::uint64_t hash, place at) noexcept {
        return table_.find(key_at(hash, at), hash);
    }
    [[nodiscard]] Key key_at(std::uint64_t hash, place) const noexcept { return u64_to_key<Key>(unmix64(hash)); }
    template <class F>
    void for_each_ordered(F&& f) {
        table_.for_each_ordered([&](Key key, Entry& entry, std::uint64_t hash) { f(key, entry, hash, place{}); });
    }
    void clear() noexcept { table_.clear(); }
    void save_entries(auto& out) {
        table_.for_each_ordered([&](Key key, Entry const& entry, std::uint64_t) { out.write(key).write(entry); });
    }
};
}  // namespace driftless::inline v0
#endif
