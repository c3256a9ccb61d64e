// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_KEYED_TABLE_HPP
#define DRIFTLESS_STATE_KEYED_TABLE_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/file/zeroed_pages.hpp>
#include <driftless/state/table_entries.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
struct key_in_hash {};  // an integer key is not stored: its hash is a bijection
struct no_dead_keys {};

/// One place of a table: a tag (0 = empty), the key unless the tag says it all, and the state.
template <class Key, class State>
struct table_slot {
    std::uint64_t tag;
    [[no_unique_address]] std::conditional_t<integer_key<Key>, key_in_hash, Key> key;
    State state;
};
}  // namespace detail

/// Keyed state of one window: a hash table whose entries stand in order of the canonical hash.
///
/// The place of an entry is the top bits of its hash, collisions go to the next free place, and
/// nothing wraps around: so a run of filled places holds hashes that no other run can hold, and
/// sorting each run in place sorts the table. Panes come out in canonical order for free.
///
/// The table of a shard holds a part of all hashes: one of n ranges of one size. Left alone they would crowd into a
/// part of its places. So a table that grows and finds that its hashes share such a range spreads it over all of them.
///
/// State       Keys are copied once, their `text` into the table's arena. An integer key of up to 8 bytes is
///             not stored at all, the hash is its bijection. At most 1/8 full up to 64 KiB, 1/4 up to 4 MiB, 7/8
///             beyond and behind pack_densely(); doubles in one ordered pass.
/// Errors      std::bad_alloc.
/// Complexity  Look-up and insertion O(1) expected. for_each_ordered is O(capacity).
/// Source      Amble, Knuth, "Ordered hash tables" (1974); linear probing with the order kept by the hash.
template <class Key, class State>
class keyed_table {
    using slot = detail::table_slot<Key, State>;
    static constexpr bool integer = integer_key<Key>;
    static constexpr std::size_t kib = 1024;
    static constexpr std::size_t first_capacity = 16;
    static constexpr std::size_t first_overflow = 32;
    /// Tag 0 means empty, so hashes are stored xor a constant: the hash that would be 0 then belongs
    /// to one 64-bit key that nobody meets by counting, and is kept aside.
    /// Chance does not put so many hashes into a half, so it is a shard's.
    static constexpr std::size_t enough_to_tell = 48;
    static constexpr std::uint64_t most_ranges = 1024;
    static constexpr std::uint64_t scramble = 0x9e3779b97f4a7c15u;

    slot* slots_ = no_slots();
    std::size_t capacity_ = 0;  // a power of two; slots_ has overflow_ more, the last always empty
    std::size_t room_ = 0;      // so many entries before it grows
    std::size_t overflow_ = first_overflow;  // places behind the last home place
    std::size_t size_ = 0;      // in slots_
    std::uint64_t spread_ = 1;  // of so many ranges of hashes, all entries lie in one: place_of() stretches that
    std::uint64_t range_ = 0;   // which one
    int shift_ = 63;
    bool ordered_ = true;
    bool dense_ = false;
    keyed_table* aside_ = nullptr;  // the entries whose tag would be 0
    [[no_unique_address]] std::conditional_t<has_text<Key>, arena, detail::key_in_hash> keys_;
    [[no_unique_address]] std::conditional_t<has_text<Key>, std::size_t, detail::no_dead_keys> dead_keys_{};

public:
    using key_type = Key;
    using state_type = State;
    /// The key as it is handed out: by value for integers, which are recomputed from the hash.
    using key_reference = std::conditional_t<integer, Key, Key const&>;

    keyed_table() = default;
    keyed_table(keyed_table&& other) noexcept { swap(other); }
    keyed_table& operator=(keyed_table&& other) noexcept {
        keyed_table moved{std::move(other)};
        swap(moved);
        return *this;
    }
    keyed_table(keyed_table const&) = delete;
    keyed_table& operator=(keyed_table const&) = delete;
    ~keyed_table() { release(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_ + (aside_ != nullptr ? aside_->size_ : 0); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// Bytes reserved from the heap, without what keys and states of their own reserve.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = capacity_ == 0 ? 0 : (capacity_ + overflow_) * sizeof(slot);
        if constexpr (has_text<Key>) sum += keys_.bytes();
        if (aside_ != nullptr) sum += sizeof(keyed_table) + aside_->bytes();
        return sum;
    }

    /// How many places behind its own an entry stands at most. Walks the whole table.
    [[nodiscard]] std::size_t longest_probe() const noexcept {
        std::size_t longest = 0;
        for (std::size_t i = 0; i < places(); ++i) {
            if (slots_[i].tag == 0) continue;
            auto const away = static_cast<std::size_t>(slots_ + i - home_of(slots_[i].tag ^ scramble));
            if (longest < away) longest = away;
        }
        return longest;
    }

    /// Brings the place of a hash into the cache.
    DRIFTLESS_FUSED void prefetch(std::uint64_t hash) const noexcept {
        __builtin_prefetch(home_of(hash), 1);
    }

    /// The state of a key with that hash, if it is near its place: for looking ahead only.
    [[nodiscard]] DRIFTLESS_INLINE State const* glimpse(std::uint64_t hash) const noexcept {
        slot const* const at = home_of(hash);
        for (int i = 0; i < 2; ++i) {
            if (at[i].tag == (hash ^ scramble)) return &at[i].state;
            if (at[i].tag == 0) break;
        }
        return nullptr;
    }
    /// The state of a key, or null.
    template <class K>
    [[nodiscard]] DRIFTLESS_INLINE State* find(K const& key, std::uint64_t hash) {
        std::uint64_t const tag = hash ^ scramble;
        if (tag == 0) [[unlikely]]
            return find_aside(key);
        for (slot* at = home_of(hash);; ++at) {
            if (matches(*at, tag, key)) [[likely]]
                return &at->state;
            if (at->tag == 0) return nullptr;
        }
    }

    /// Adds a key that is not there yet (find said so), with the state that `init()` makes.
    template <class K, class Init>
    DRIFTLESS_NOINLINE State& insert(K const& key, std::uint64_t hash, Init const& init) {
        std::uint64_t const tag = hash ^ scramble;
        if (tag == 0) {
            if (aside_ == nullptr) aside_ = new keyed_table;
            return aside_->insert(key, ~std::uint64_t{0}, init);
        }
        if (range_of(hash, spread_) != range_) [[unlikely]]
            leave_range(hash);
        if (size_ >= room_) grow();
        slot* at = free_place(hash);
        while (at == nullptr) {
            grow(true);
            at = free_place(hash);
        }
        ::new (static_cast<void*>(&at->state)) State(init());
        if constexpr (!integer) {
            ::new (static_cast<void*>(&at->key)) Key(key);
            if constexpr (has_text<Key>) rehome(at->key, keys_);
        }
        at->tag = tag;
        ++size_;
        ordered_ = ordered_ && at == home_of(hash);  // at home: all before it hash lower
        return at->state;
    }
    /// Adds a key that comes behind all that are there: an ordered table stays ordered.
    template <class K>
    DRIFTLESS_INLINE void append(K const& key, std::uint64_t hash, State&& state) {
        auto const tag = hash ^ scramble;
        bool const fits = tag != 0 && size_ < room_ && range_of(hash, spread_) == range_;
        slot* const at = fits ? free_place(hash) : nullptr;
        if (at == nullptr) [[unlikely]] {
            static_cast<void>(insert(key, hash, [&] { return std::move(state); }));
            return;
        }
        ::new (static_cast<void*>(&at->state)) State(std::move(state));
        if constexpr (!integer) {
            ::new (static_cast<void*>(&at->key)) Key(key);
            if constexpr (has_text<Key>) rehome(at->key, keys_);
        }
        at->tag = tag;
        ++size_;
    }
    /// Takes one entry out. The places behind it move up, so that look-ups still find theirs.
    template <class K>
    bool erase(K const& key, std::uint64_t hash) {
        State* const found = find(key, hash);
        if (found == nullptr) return false;
        if ((hash ^ scramble) == 0) return aside_->erase(key, ~std::uint64_t{0});
        auto* hole = reinterpret_cast<slot*>(reinterpret_cast<char*>(found) - offset_of_state());
        destroy(*hole);
        hole->tag = 0;
        --size_;
        for (slot* next = hole + 1; next->tag != 0; ++next) {
            if (home_of(next->tag ^ scramble) > hole) continue;
            relocate(*hole, *next);
            hole = next;
        }
        if constexpr (has_text<Key>) {
            if (++dead_keys_ > size_ + 256) move_keys();
        }
        return true;
    }

    /// Calls f(key, state, hash) for every entry, by ascending canonical hash, ties by key bytes.
    template <class F>
    void for_each_ordered(F&& f) {
        if (aside_ == nullptr) {
            each_run(f);
            return;
        }
        // scramble is the hash whose tag is 0: its entries stand aside, in the middle of the order.
        each_run([](auto const&, State&, std::uint64_t) {});
        std::size_t const middle = first_above(scramble);
        each_of(0, middle, f);
        aside_->each_run([&](auto const& key, State& state, std::uint64_t) {
            if constexpr (integer) f(u64_to_key<Key>(unmix64(scramble)), state, scramble);
            else f(key, state, scramble);
        });
        each_of(middle, places(), f);
    }
    /// A walk over the entries by ascending canonical hash, ties by key bytes, from one place up to another: for who
    /// puts several tables together. Only the states may be changed meanwhile. Parts of a table may be walked by
    /// threads of their own, if all first_place() of their bounds were asked for before. A table that stands_aside has
    /// an entry that no walk meets.
    class walk {
        keyed_table* of_;
        std::size_t at_;
        std::size_t to_;

    public:
        walk(keyed_table& of, std::size_t from, std::size_t to) : of_(&of), at_(from), to_(to) { find(); }
        [[nodiscard]] DRIFTLESS_INLINE bool done() const noexcept { return at_ == to_; }
        [[nodiscard]] DRIFTLESS_INLINE std::uint64_t hash() const noexcept { return of_->slots_[at_].tag ^ scramble; }
        [[nodiscard]] DRIFTLESS_INLINE key_reference key() const noexcept { return key_of(of_->slots_[at_], hash()); }
        [[nodiscard]] DRIFTLESS_INLINE State& state() const noexcept { return of_->slots_[at_].state; }
        DRIFTLESS_INLINE void next() {
            ++at_;
            find();
        }
        /// The entry comes before that of another walk, whose key is another one.
        [[nodiscard]] DRIFTLESS_INLINE bool before(walk const& other) const {
            return keyed_table::before(of_->slots_[at_], other.of_->slots_[other.at_]);
        }

    private:
        DRIFTLESS_INLINE void find() {
            while (at_ != to_ && of_->slots_[at_].tag == 0) ++at_;
            if (at_ == to_ || of_->ordered_) return;
            if (at_ == 0 || of_->slots_[at_ - 1].tag == 0) of_->sort_run(at_);
        }
    };
    /// The place from which on hashes are at least `hash`; those before are less.
    [[nodiscard]] std::size_t first_place(std::uint64_t hash) {
        auto const range = range_of(hash, spread_);
        if (capacity_ == 0 || range < range_) return 0;
        if (range > range_) return places();
        auto at = static_cast<std::size_t>(home_of(hash) - slots_);
        if (slots_[at].tag == 0) return at;
        while (at != 0 && slots_[at - 1].tag != 0) --at;
        sort_run(at);  // so that nobody who walks a part of it has to
        while (slots_[at].tag != 0 && (slots_[at].tag ^ scramble) < hash) ++at;
        return at;
    }
    [[nodiscard]] std::size_t last_place() const noexcept { return places(); }
    [[nodiscard]] bool stands_aside() const noexcept { return aside_ != nullptr; }

    /// Makes room for so many entries in an empty table: they may then come in order of their hashes. They are those of
    /// a shard of so many.
    void make_room_for(std::size_t entries, std::uint64_t shard = 0, std::uint64_t shards = 1) {
        if (size_ != 0) return;
        spread_ = shards;
        range_ = shard;
        auto capacity = first_capacity;
        while (room_in(capacity) < entries) capacity *= 2;
        if (capacity <= capacity_ || capacity == first_capacity) return;
        release_slots();
        allocate(capacity);
    }
    /// Makes an empty table as large as another one is: the next window is expected to have as many keys.
    void make_room_like(keyed_table const& other) {
        if (capacity_ != 0 || other.capacity_ <= first_capacity) return;
        auto capacity = other.capacity_;
        while (dense_ && capacity / 16 * 7 > other.size_) capacity /= 2;
        if (size_ == 0) {
            spread_ = other.spread_;
            range_ = other.range_;
        }
        if (capacity > first_capacity) allocate(capacity);
    }
    /// Whether this table, which is empty, fills its places from here on: as one of so many that the cache does not
    /// hold them, where every line counts.
    void pack_densely(bool dense = true) noexcept {
        if (dense_ == dense) return;
        dense_ = dense;
        release_slots();
    }

    [[nodiscard]] bool is_dense() const noexcept { return dense_; }

    /// Takes everything out and keeps the room for the next window, unless it has become far too large.
    void clear() noexcept {
        bool const too_large = capacity_ > 1024 && size_ < capacity_ / 16;
        destroy_all();
        if (too_large) {
            release_slots();
        } else if (capacity_ != 0 && size_ != 0) {
            std::memset(static_cast<void*>(slots_), 0, (capacity_ + overflow_) * sizeof(slot));
        }
        size_ = 0;
        ordered_ = true;
        delete aside_;
        aside_ = nullptr;
        if constexpr (has_text<Key>) {
            keys_.reset();
            dead_keys_ = 0;
        }
    }

    void swap(keyed_table& other) noexcept {
        std::swap(slots_, other.slots_);
        std::swap(capacity_, other.capacity_);
        std::swap(room_, other.room_);
        std::swap(overflow_, other.overflow_);
        std::swap(size_, other.size_);
        std::swap(spread_, other.spread_);
        std::swap(range_, other.range_);
        std::swap(shift_, other.shift_);
        std::swap(ordered_, other.ordered_);
        std::swap(dense_, other.dense_);
        std::swap(aside_, other.aside_);
        std::swap(keys_, other.keys_);
        std::swap(dead_keys_, other.dead_keys_);
    }

    /// Writes every entry in canonical order: equal tables have equal bytes, however they were filled.
    void save_entries(auto& out) {
        detail::write_entries<Key, State>(*this, out);
    }

private:
    /// What a table without room looks things up in: two empty places.
    static slot* no_slots() noexcept {
        alignas(slot) static constinit char empty[2 * sizeof(slot)] = {};
        return reinterpret_cast<slot*>(empty);
    }
    /// Where an entry belongs. Within one range of hashes what is left of the product grows as the hash does.
    [[nodiscard]] DRIFTLESS_INLINE slot* home_of(std::uint64_t hash) const noexcept {
        return slots_ + ((hash * spread_) >> shift_);
    }
    /// Which of so many ranges of one size a hash lies in.
    static std::uint64_t range_of(std::uint64_t hash, std::uint64_t ranges) noexcept {
        return static_cast<std::uint64_t>((static_cast<detail::uint128>(hash) * ranges) >> 64);
    }
    /// A hash from outside: the range was not that of a shard, or the table has come to another one.
    DRIFTLESS_NOINLINE void leave_range(std::uint64_t hash) {
        if (size_ == 0) range_ = range_of(hash, spread_);
        else rebuild(capacity_, overflow_, 1);
    }
    /// The least and the greatest hash: runs ascend, so they are in the first and the last one.
    void find_range(keyed_table& of) const noexcept {
        std::size_t first = 0;
        while (slots_[first].tag == 0) ++first;
        std::size_t last = places() - 1;
        while (slots_[last].tag == 0) --last;
        auto least = slots_[first].tag ^ scramble;
        auto greatest = slots_[last].tag ^ scramble;
        for (; slots_[first].tag != 0; ++first) {
            auto const hash = slots_[first].tag ^ scramble;
            if (hash < least) least = hash;
        }
        for (;; --last) {
            auto const hash = slots_[last].tag ^ scramble;
            if (hash > greatest) greatest = hash;
            if (last == 0 || slots_[last - 1].tag == 0) break;
        }
        auto ranges = greatest == least ? 1 : ~std::uint64_t{0} / (greatest - least);
        if (ranges > most_ranges) ranges = most_ranges;
        while (range_of(least, ranges) != range_of(greatest, ranges)) --ranges;
        of.spread_ = ranges;
        of.range_ = range_of(least, ranges);
    }
    template <class K>
    DRIFTLESS_NOINLINE State* find_aside(K const& key) {
        return aside_ != nullptr ? aside_->find(key, ~std::uint64_t{0}) : nullptr;
    }
    template <class K>
    DRIFTLESS_INLINE static bool matches(slot const& at, std::uint64_t tag, K const& key) noexcept {
        if constexpr (integer) return at.tag == tag;
        else return at.tag == tag && same_key(at.key, key);
    }
    static key_reference key_of(slot const& at, std::uint64_t hash) noexcept {
        if constexpr (integer) return u64_to_key<Key>(unmix64(hash));
        else return at.key;
    }
    static std::size_t offset_of_state() noexcept {
        alignas(slot) char storage[sizeof(slot)];
        auto* const at = reinterpret_cast<slot*>(storage);
        return static_cast<std::size_t>(reinterpret_cast<char*>(&at->state) - storage);
    }

    /// The text of keys that have gone is given back.
    DRIFTLESS_NOINLINE void move_keys() {
        arena fresh;
        for (std::size_t i = 0, left = size_; left != 0; ++i) {
            if (slots_[i].tag == 0) continue;
            rehome(slots_[i].key, fresh);
            --left;
        }
        keys_.swap(fresh);
        dead_keys_ = 0;
    }
    /// The first free place from home on, or null when the overflow is full.
    slot* free_place(std::uint64_t hash) const noexcept {
        slot* at = home_of(hash);
        while (at->tag != 0) ++at;
        return at == slots_ + capacity_ + overflow_ - 1 ? nullptr : at;
    }

    /// Keys that share their top bits gather behind the last home place: then the overflow grows, for
    /// no capacity may tell their places apart.
    DRIFTLESS_NOINLINE void grow(bool overflow_is_full = false) {
        auto const capacity = capacity_ == 0 ? first_capacity : overflow_is_full ? capacity_
                                                                                 : capacity_ * 2;
        rebuild(capacity, overflow_is_full ? overflow_ * 2 : overflow_, 0);
    }
    /// With so many places. `spread` 0: as its hashes say, if they are many.
    void rebuild(std::size_t capacity, std::size_t overflow, std::uint64_t spread) {
        keyed_table larger;
        larger.dense_ = dense_;
        larger.overflow_ = overflow;
        if (spread == 0) {
            larger.spread_ = spread_;
            larger.range_ = range_;
            if (size_ >= enough_to_tell) find_range(larger);
        }
        larger.allocate(capacity, detail::page_arrival::when_reached);
        while (!larger.take_all(*this)) {
            // The overflow behind the last place was too short for this set of hashes: once more.
            take_all(larger);
            larger.release_slots();
            larger.overflow_ *= 2;
            larger.allocate(capacity, detail::page_arrival::when_reached);
            ordered_ = false;
        }
        std::swap(slots_, larger.slots_);
        std::swap(capacity_, larger.capacity_);
        std::swap(room_, larger.room_);
        std::swap(overflow_, larger.overflow_);
        std::swap(spread_, larger.spread_);
        std::swap(range_, larger.range_);
        std::swap(shift_, larger.shift_);
        std::swap(size_, larger.size_);
    }
    /// Moves every entry over, in the order of the old places: both tables are walked once, in order, so large ones
    /// take memory for the entries that have come, and give it back for those that have left.
    bool take_all(keyed_table& from) noexcept {
        detail::page_walk arriving{slots_, bytes_in_pages(), detail::page_walk::way::bring_ahead};
        detail::page_walk left{from.slots_, from.bytes_in_pages(), detail::page_walk::way::drop_behind};
        for (std::size_t i = 0; from.size_ != 0; ++i) {
            slot& old = from.slots_[i];
            if (old.tag == 0) continue;
            slot* const at = free_place(old.tag ^ scramble);
            if (at == nullptr) return false;
            arriving.reach(at);
            relocate(*at, old);
            left.reach(&old);
            ++size_;
            --from.size_;
        }
        arriving.finish();
        return true;
    }
    /// Of the places, if they were taken as pages.
    [[nodiscard]] std::size_t bytes_in_pages() const noexcept {
        auto const bytes = (capacity_ + overflow_) * sizeof(slot);
        return capacity_ != 0 && bytes >= detail::worth_pages ? bytes : 0;
    }
    void allocate(std::size_t capacity, detail::page_arrival when = detail::page_arrival::at_once) {
        auto const bytes = (capacity + overflow_) * sizeof(slot);
        if (bytes >= detail::worth_pages) {
            slots_ = static_cast<slot*>(detail::take_zeroed_pages(bytes, when));
        } else {
            slots_ = static_cast<slot*>(::operator new(bytes, std::align_val_t{alignof(slot)}));
            std::memset(static_cast<void*>(slots_), 0, bytes);
        }
        capacity_ = capacity;
        room_ = room_in(capacity);
        shift_ = 64 - __builtin_ctzll(capacity);
    }

    /// A search that meets another key's entry is a branch mispredicted. While the cache holds the table, room is
    /// cheap: what counts there is how many entries are touched. Beyond it every line counts.
    [[nodiscard]] std::size_t room_in(std::size_t capacity) const noexcept {
        auto const bytes = (capacity + overflow_) * sizeof(slot);
        if (dense_) return capacity / 8 * 7;
        if (bytes <= kib * 64) return capacity / 8;
        return bytes <= kib * 4096 ? capacity / 4 : capacity / 8 * 7;
    }

    /// Calls f for every entry in order: the runs of filled places are in order already, each is sorted when it comes.
    template <class F>
    void each_run(F&& f) {
        for (std::size_t i = 0, left = size_; left != 0; ++i) {
            slot& at = slots_[i];
            if (at.tag == 0) continue;
            if (!ordered_ && (i == 0 || slots_[i - 1].tag == 0)) sort_run(i);
            --left;
            std::uint64_t const hash = at.tag ^ scramble;
            f(key_of(at, hash), at.state, hash);
        }
        ordered_ = true;
    }
    void sort_run(std::size_t begin) {
        for (std::size_t i = begin + 1; slots_[i].tag != 0; ++i) {
            if (!before(slots_[i], slots_[i - 1])) continue;
            alignas(slot) char room[sizeof(slot)];
            auto& moved = *reinterpret_cast<slot*>(room);
            relocate(moved, slots_[i]);
            std::size_t to = i;
            for (; to != begin && before(moved, slots_[to - 1]); --to) relocate(slots_[to], slots_[to - 1]);
            relocate(slots_[to], moved);
        }
    }
    static bool before(slot const& a, slot const& b) {
        std::uint64_t const left = a.tag ^ scramble;
        std::uint64_t const right = b.tag ^ scramble;
        if constexpr (integer) {
            return left < right;
        } else {
            if (left != right) return left < right;
            return bytes_before(a.key, b.key);
        }
    }
    static bool bytes_before(Key const& a, Key const& b) {
        std::string left;
        std::string right;
        append_key_bytes(left, a);
        append_key_bytes(right, b);
        return left < right;
    }
    [[nodiscard]] std::size_t places() const noexcept { return capacity_ == 0 ? 0 : capacity_ + overflow_; }
    /// The first place whose entry has a hash above `hash`, in an ordered table.
    [[nodiscard]] std::size_t first_above(std::uint64_t hash) const noexcept {
        std::size_t i = 0;
        while (i < places() && (slots_[i].tag == 0 || (slots_[i].tag ^ scramble) < hash)) ++i;
        return i;
    }
    template <class F>
    void each_of(std::size_t from, std::size_t to, F&& f) {
        for (std::size_t i = from; i < to; ++i) {
            slot& at = slots_[i];
            if (at.tag == 0) continue;
            std::uint64_t const hash = at.tag ^ scramble;
            f(key_of(at, hash), at.state, hash);
        }
    }

    /// Moves an entry to an empty place and leaves an empty place behind.
    static void relocate(slot& to, slot& from) noexcept {
        if constexpr (std::is_trivially_copyable_v<slot>) {
            std::memcpy(static_cast<void*>(&to), static_cast<void const*>(&from), sizeof(slot));
        } else {
            to.tag = from.tag;
            if constexpr (!integer) ::new (static_cast<void*>(&to.key)) Key(std::move(from.key));
            ::new (static_cast<void*>(&to.state)) State(std::move(from.state));
            destroy(from);
        }
        from.tag = 0;
    }
    static void destroy(slot& at) noexcept {
        at.state.~State();
        if constexpr (!integer) at.key.~Key();
    }
    void destroy_all() noexcept {
        if constexpr (!std::is_trivially_destructible_v<slot>) {
            for (std::size_t i = 0, left = size_; left != 0; ++i) {
                if (slots_[i].tag == 0) continue;
                destroy(slots_[i]);
                --left;
            }
        }
    }
    void release_slots() noexcept {
        if (auto const bytes = bytes_in_pages(); bytes != 0) detail::give_back_pages(slots_, bytes);
        else if (capacity_ != 0) ::operator delete(slots_, std::align_val_t{alignof(slot)});
        slots_ = no_slots();
        capacity_ = 0;
        room_ = 0;
        shift_ = 63;
    }
    void release() noexcept {
        destroy_all();
        release_slots();
        size_ = 0;
        delete aside_;
        aside_ = nullptr;
    }
};

/// The state of a stream without a key: one entry, with the interface of a table.
///
/// State       The state by value, so that a loop keeps it in registers.
template <class State>
class keyed_table<unkeyed, State> {
    std::optional<State> state_;

public:
    using key_type = unkeyed;
    using state_type = State;
    using key_reference = unkeyed;

    [[nodiscard]] constexpr std::size_t size() const noexcept { return state_.has_value() ? 1 : 0; }
    [[nodiscard]] constexpr bool empty() const noexcept { return !state_.has_value(); }
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return 0; }
    DRIFTLESS_FUSED constexpr void prefetch(std::uint64_t) const noexcept {}
    [[nodiscard]] DRIFTLESS_INLINE constexpr State* find(unkeyed, std::uint64_t) noexcept {
        return state_.has_value() ? &*state_ : nullptr;
    }
    template <class Init>
    [[nodiscard]] DRIFTLESS_INLINE constexpr State& insert(unkeyed, std::uint64_t, Init const& init) {
        return state_.emplace(init());
    }
    constexpr void make_room_for(std::size_t, std::uint64_t = 0, std::uint64_t = 1) noexcept {}
    constexpr bool erase(unkeyed, std::uint64_t) noexcept {
        bool const there = state_.has_value();
        state_.reset();
        return there;
    }
    template <class F>
    constexpr void for_each_ordered(F&& f) {
        if (state_.has_value()) f(unkeyed{}, *state_, std::uint64_t{0});
    }
    constexpr void clear() noexcept { state_.reset(); }
    void save_entries(auto& out) {
        if (state_.has_value()) out.write(*state_);
    }
};
}  // namespace driftless::inline v0
#endif
