// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_SPILLING_ENTRIES_HPP
#define DRIFTLESS_STATE_SPILLING_ENTRIES_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/error.hpp>
#include <driftless/state/cold_store.hpp>
#include <driftless/state/keyed_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// State by key of which memory holds what was used last, and a cold_store the rest: keyed_entries as a write-behind
/// cache.
///
/// State       At most so many entries in memory as spill() says. Beyond that a sixteenth of them goes to the store in
///             one batch, those that were not used since the hand of the clock came by last; they come back when
///             they are asked for. Keys in the store are the space, the canonical hash and the canonical key bytes, so
///             that a scan has the order of the library.
/// Errors      As the store's. std::bad_alloc.
/// Complexity  Look-up, insertion and removal of what is in memory O(1) expected, without the store; else one get, and
///             its part of a batch. for_each_ordered and save_entries scan the store.
///             References hold until the next find or insert.
/// Source      F. J. Corbato, "A Paging Experiment with the Multics System" (1968), the clock.
template <class Key, class Entry>
class spilling_entries {
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct no_bytes {};
    struct slot {
        Key key{};
        std::uint64_t hash = 0;
        std::uint32_t next = none;  // of the same hash, or of the free ones
        bool used = false;          // the slot holds something
        bool live = false;          // the key has an entry; else it is erased, and the store does not know yet
        bool recent = false;        // asked for since the hand came by
        bool stored = false;        // the store has a value for it, perhaps an old one
        [[no_unique_address]] std::conditional_t<has_text<Key>, std::unique_ptr<char[]>, no_bytes> text{};
        Entry entry{};
    };

    /// What all keys of this table begin with, and that it takes along.
    struct space {
        cold_store* in = nullptr;
        std::string prefix{};

        space() = default;
        space(space&& other) noexcept : in(std::exchange(other.in, nullptr)), prefix(std::move(other.prefix)) {}
        space& operator=(space&&) = delete;
        ~space() {
            try {
                erase();
            } catch (...) {  // NOLINT(bugprone-empty-catch): scratch is left behind
            }
        }
        void erase() {
            if (in != nullptr) in->erase_all(prefix);
        }
    };

    space cold_;
    std::size_t most_ = 0;
    keyed_table<std::uint64_t, std::uint32_t> heads_;  // by hash
    detail::growing_array<slot> slots_;
    std::uint32_t free_ = none;
    std::uint32_t hand_ = 0;
    std::size_t in_slots_ = 0;  // slots that are used
    std::size_t size_ = 0;      // entries, wherever they are
    std::size_t away_ = 0;      // entries that only the store has
    Key shown_{};               // of the entry that for_each_ordered has out of the store
    cold_batch batch_;
    std::string cold_key_;
    std::string value_;

public:
    using place = std::uint32_t;
    struct found {
        Entry* entry = nullptr;
        place at = none;
    };

    spilling_entries() = default;
    spilling_entries(spilling_entries&&) = default;  // what is left may be destroyed
    spilling_entries& operator=(spilling_entries&&) = delete;

    /// Once, before the first entry.
    void spill(cold_store& to, std::size_t most) {
        if (most == 0) {
            throw error{error_code::invalid_argument, "spill_to: at least one key has to be in memory"};
        }
        cold_.in = &to;
        most_ = most < none ? most : none - 1;
        if (cold_.prefix.empty()) append_key_bytes(cold_.prefix, to.open_space());
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Of what is in memory.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return slots_.size() == 0 ? 0 : heads_.bytes() + slots_.size() * sizeof(slot) + value_.capacity();
    }
    [[nodiscard]] std::size_t in_memory() const noexcept { return in_slots_; }
    void prefetch(std::uint64_t hash) const noexcept { heads_.prefetch(canonical_hash(hash)); }

    [[nodiscard]] DRIFTLESS_INLINE found find(Key const& key, std::uint64_t hash) {
        auto const at = slot_of(key, hash);
        if (at != none) [[likely]] {
            auto& there = slots_[at];
            there.recent = true;
            return there.live ? found{&there.entry, at} : found{};
        }
        if (away_ == 0) return {};
        return fetch(key, hash);
    }
    /// Adds a key that is not there.
    found insert(Key const& key, std::uint64_t hash) {
        auto at = slot_of(key, hash);  // erased, perhaps, and still known
        if (at == none) at = take_slot(key, hash);
        auto& made = slots_[at];
        made.live = made.recent = true;
        ++size_;
        return {&made.entry, at};
    }
    void erase(std::uint64_t hash, place at) {
        auto& gone = slots_[at];
        gone.entry = Entry{};
        gone.live = false;
        --size_;
        if (!gone.stored) give_back(hash, at);
    }
    [[nodiscard]] Entry* entry_at(std::uint64_t hash, place at) noexcept {
        return at < slots_.size() && slots_[at].live && slots_[at].hash == hash ? &slots_[at].entry : nullptr;
    }
    [[nodiscard]] Key const& key_at(std::uint64_t, place at) const noexcept {
        return at == none ? shown_ : slots_[at].key;
    }

    /// Calls f(key, entry, hash, place) by ascending canonical hash, ties by key bytes. What f changes is lost where
    /// the entry came out of the store: the table is to be cleared, or f changes nothing.
    template <class F>
    void for_each_ordered(F&& f) {
        std::vector<ranked> order;
        order.reserve(in_slots_);
        for (std::uint32_t at = 0; at < slots_.size(); ++at) {
            if (slots_[at].used) order.push_back({slots_[at].hash, at});
        }
        std::sort(order.begin(), order.end(), [&](ranked const& a, ranked const& b) {
            return a.hash != b.hash ? a.hash < b.hash : key_bytes(slots_[a.at].key) < key_bytes(slots_[b.at].key);
        });
        std::size_t next = 0;
        auto const show = [&](ranked const& each) {
            auto& of = slots_[each.at];
            if (of.live) f(std::as_const(of.key), of.entry, of.hash, each.at);
        };
        if (cold_.in != nullptr && away_ != 0) {
            merge<decltype(order), decltype(show), F> both{*this, order, next, show, f};
            cold_.in->scan(cold_.prefix, both);
        }
        while (next < order.size()) show(order[next++]);
        shown_ = Key{};
    }
    void clear() {
        cold_.erase();
        heads_.clear();
        slots_ = {};
        free_ = none;
        hand_ = 0;
        in_slots_ = size_ = away_ = 0;
    }
    void save_entries(auto& out) {
        for_each_ordered(
            [&](Key const& key, Entry const& entry, std::uint64_t, place) { out.write(key).write(entry); });
    }

private:
    struct ranked {
        std::uint64_t hash;
        std::uint32_t at;
    };
    /// Shows what is in memory between what comes out of the store; what both have is memory's.
    template <class Order, class Show, class F>
    struct merge final : cold_visitor {
        spilling_entries& of;
        Order const& order;
        std::size_t& next;
        Show const& show;
        F& f;

        merge(spilling_entries& entries, Order const& ordered, std::size_t& first, Show const& shows, F& function)
            : of(entries), order(ordered), next(first), show(shows), f(function) {}

        void visit(std::string_view key, std::string_view value) override {
            auto const tail = key.substr(of.cold_.prefix.size());
            std::uint64_t hash = 0;
            for (std::size_t i = 0; i < 8; ++i) hash = hash << 8U | static_cast<unsigned char>(tail[i]);
            while (next < order.size()) {
                auto const& hot = order[next];
                if (hot.hash > hash) break;
                if (hot.hash == hash) {
                    auto const bytes = key_bytes(of.slots_[hot.at].key);
                    if (std::string_view{bytes} > tail.substr(8)) break;
                    if (std::string_view{bytes} == tail.substr(8)) return show(order[next++]);
                }
                show(order[next++]);
            }
            byte_reader in{value};
            Entry entry{};
            in.read(of.shown_);
            in.read(entry);
            f(std::as_const(of.shown_), entry, hash, none);
        }
    };

    [[nodiscard]] DRIFTLESS_INLINE std::uint32_t slot_of(Key const& key, std::uint64_t hash) noexcept {
        auto const* const head = heads_.find(hash, canonical_hash(hash));
        for (auto at = head != nullptr ? *head : none; at != none; at = slots_[at].next) {
            if (same_key(slots_[at].key, key)) return at;
        }
        return none;
    }
    void make_cold_key(Key const& key, std::uint64_t hash) {
        cold_key_ = cold_.prefix;
        append_key_bytes(cold_key_, hash);
        append_key_bytes(cold_key_, key);
    }
    DRIFTLESS_NOINLINE found fetch(Key const& key, std::uint64_t hash) {
        make_cold_key(key, hash);
        if (!cold_.in->get(cold_key_, value_)) return {};
        byte_reader in{value_};
        Key same{};
        Entry fetched{};
        in.read(same);
        in.read(fetched);
        auto const at = take_slot(key, hash);  // it may send others away, in the same buffers
        auto& made = slots_[at];
        made.entry = std::move(fetched);
        made.live = made.recent = made.stored = true;
        --away_;
        return {&made.entry, at};
    }
    /// A slot for a key that has none.
    std::uint32_t take_slot(Key const& key, std::uint64_t hash) {
        if (in_slots_ >= most_) make_room();
        if (free_ == none) {
            slots_.push_back(slot{});
            free_ = static_cast<std::uint32_t>(slots_.size() - 1);
        }
        auto const at = free_;
        auto& made = slots_[at];
        auto const next_free = made.next;
        if constexpr (has_text<Key>) {
            value_to_key(made, key);
        } else {
            made.key = key;
        }
        made.hash = hash;
        auto* const head = heads_.find(hash, canonical_hash(hash));
        made.next = head != nullptr ? *head : none;
        if (head != nullptr) *head = at;
        else static_cast<void>(heads_.insert(hash, canonical_hash(hash), [at] { return at; }));
        free_ = next_free;
        made.used = true;
        ++in_slots_;
        return at;
    }
    /// A copy of the key whose text lies in the slot.
    static void value_to_key(slot& to, Key const& key) {
        std::string bytes;
        byte_writer{bytes}.write(key);
        to.text = std::make_unique<char[]>(bytes.size() + 1);
        bytes.copy(to.text.get(), bytes.size());
        byte_reader{std::string_view{to.text.get(), bytes.size()}}.read(to.key);
    }
    void give_back(std::uint64_t hash, std::uint32_t at) {
        auto& gone = slots_[at];
        auto* link = heads_.find(hash, canonical_hash(hash));
        if (*link == at && gone.next == none) {
            heads_.erase(hash, canonical_hash(hash));
        } else {
            while (*link != at) link = &slots_[*link].next;
            *link = gone.next;
        }
        gone = slot{};
        gone.next = std::exchange(free_, at);
        --in_slots_;
    }
    /// Sends a sixteenth of the slots away.
    DRIFTLESS_NOINLINE void make_room() {
        auto const want = most_ < 32 ? std::size_t{1} : most_ / 16;
        std::vector<std::uint32_t> chosen;
        chosen.reserve(want);
        batch_.clear();
        try {
            while (chosen.size() < want) choose(chosen);
            cold_.in->write(batch_);
        } catch (...) {
            for (auto const at : chosen) slots_[at].used = true;
            throw;
        }
        for (auto const at : chosen) {
            away_ += slots_[at].live ? 1 : 0;
            give_back(slots_[at].hash, at);
        }
    }
    /// Moves the hand of the clock on by one slot, which may be the next to go.
    void choose(std::vector<std::uint32_t>& chosen) {
        auto const at = hand_;
        hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 0;
        auto& each = slots_[at];
        if (!each.used || std::exchange(each.recent, false)) return;
        make_cold_key(each.key, each.hash);
        if (each.live) {
            value_.clear();
            byte_writer{value_}.write(each.key).write(each.entry);
            batch_.put(cold_key_, value_);
        } else {
            batch_.erase(cold_key_);
        }
        each.used = false;  // not to be chosen twice
        chosen.push_back(at);
    }
};
}  // namespace driftless::inline v0
#endif
