// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_TUMBLING_BY_HAND_HPP
#define DRIFTLESS_BENCH_SUPPORT_TUMBLING_BY_HAND_HPP

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Count and sum per key and tumbling window, as somebody would write it who needs just that and knows the size
// of it beforehand: the floor of bench/keyed_tumbling.cpp. Times are plain nanoseconds.

namespace bench::by_hand {

__extension__ using int128 = __int128;

/// What every plan keeps of a key and window: exact, as the library's.
struct totals {
    int128 sum;
    std::int64_t count;
};
inline std::int64_t narrowed(int128 sum) {
    if (sum < std::numeric_limits<std::int64_t>::min() || sum > std::numeric_limits<std::int64_t>::max()) {
        throw std::overflow_error{"sum"};
    }
    return static_cast<std::int64_t>(sum);
}

/// Zeroed memory of fixed size: pages that are never touched cost nothing.
template <class T>
class zeroed {
    static_assert(std::is_trivially_copyable_v<T>);
    struct release {
        void operator()(T* p) const { std::free(p); }
    };
    std::unique_ptr<T, release> data_;
    std::size_t size_;

public:
    explicit zeroed(std::size_t size) : data_(static_cast<T*>(std::calloc(size, sizeof(T)))), size_(size) {
        if (!data_) throw std::bad_alloc{};
    }
    T& operator[](std::size_t i) { return data_.get()[i]; }
    T* data() { return data_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }
    void clear() { std::memset(static_cast<void*>(data_.get()), 0, size_ * sizeof(T)); }
};

/// Bytes that live as long as what they are in.
class bytes_of_keys {
    static constexpr std::size_t block = std::size_t{1} << 18;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t in_use_ = 0;
    std::size_t used_ = block;

public:
    std::string_view keep(std::string_view key) {
        if (block - used_ < key.size()) {
            if (in_use_ == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
            ++in_use_;
            used_ = 0;
        }
        char* const at = blocks_[in_use_ - 1].get() + used_;
        std::memcpy(at, key.data(), key.size());
        used_ += key.size();
        return {at, key.size()};
    }
    void clear() {
        in_use_ = 0;
        used_ = block;
    }
};

/// How a plan hashes, compares and keeps keys. An integer is its own copy; `used` tells a place from an empty one.
struct integer_keys {
    using key = std::int64_t;
    struct hashed {
        std::uint64_t bits;
    };
    struct kept {
        std::int64_t key;
    };
    struct arena {
        void clear() {}
    };
    static hashed hash(key k) { return {static_cast<std::uint64_t>(k) * 0x9e3779b97f4a7c15u}; }
    static bool same(kept const& a, hashed, key k) { return a.key == k; }
    static void keep(kept& to, hashed, key k, arena&) { to.key = k; }
    static key key_of(kept const& a) { return a.key; }
};
struct text_keys {
    using key = std::string_view;
    struct hashed {
        std::uint64_t bits;
    };
    struct kept {
        std::uint64_t hash;
        char const* data;
        std::size_t size;
    };
    using arena = bytes_of_keys;
    static hashed hash(key k) { return {XXH3_64bits(k.data(), k.size())}; }
    static bool same(kept const& a, hashed h, key k) { return a.hash == h.bits && key_of(a) == k; }
    static void keep(kept& to, hashed h, key k, arena& bytes) {
        auto const mine = bytes.keep(k);
        to = {h.bits, mine.data(), mine.size()};
    }
    static key key_of(kept const& a) { return {a.data, a.size}; }
};

/// Places for `entries` at most 1/Room full.
constexpr std::size_t places_for(std::size_t entries, std::size_t room) { return std::bit_ceil(entries * room); }
constexpr int shift_for(std::size_t places) { return 64 - std::countr_zero(places); }

/// Plan 1: one open-addressing table per window, entries in place, at most half full.
template <class Keys>
struct flat_plan {
    using key = typename Keys::key;
    struct slot {
        totals value;
        typename Keys::kept key;
    };
    struct shared {
        explicit shared(std::size_t) {}
    };
    class table {
        zeroed<slot> slots_;
        int shift_;
        typename Keys::arena bytes_;

    public:
        using place = slot*;
        table(shared&, std::size_t keys) : slots_(places_for(keys, 2) + 1), shift_(shift_for(places_for(keys, 2))) {}
        [[nodiscard]] std::size_t bytes() const { return slots_.size() * sizeof(slot); }
        void prefetch(key k) { __builtin_prefetch(&slots_[Keys::hash(k).bits >> shift_], 1); }
        void add(key k, std::int64_t amount) {
            auto const hash = Keys::hash(k);
            for (std::size_t i = hash.bits >> shift_;; ++i) {
                if (i == slots_.size()) i = 0;
                slot& at = slots_[i];
                if (at.value.count == 0) [[unlikely]] {
                    Keys::keep(at.key, hash, k, bytes_);
                } else if (!Keys::same(at.key, hash, k)) {
                    continue;
                }
                ++at.value.count;
                at.value.sum += amount;
                return;
            }
        }
        void fire(auto&& emit) {
            for (std::size_t i = 0; i < slots_.size(); ++i) {
                slot const& at = slots_[i];
                if (at.value.count != 0) emit(Keys::key_of(at.key), at.value.count, narrowed(at.value.sum));
            }
            slots_.clear();
            bytes_.clear();
        }
    };
};

/// Plan 2: one dictionary of all keys ever seen, key -> number, and an array of totals per window.
template <class Keys>
struct dictionary_plan {
    using key = typename Keys::key;
    struct entry {
        typename Keys::kept key;
        std::uint32_t number;  // from 1
    };
    struct shared {
        zeroed<entry> entries;
        int shift;
        std::vector<typename Keys::kept> keys;
        typename Keys::arena bytes;

        explicit shared(std::size_t n) : entries(places_for(n, 2) + 1), shift(shift_for(places_for(n, 2))) {
            keys.reserve(n);
        }
        std::uint32_t number_of(key k) {
            auto const hash = Keys::hash(k);
            for (std::size_t i = hash.bits >> shift;; ++i) {
                if (i == entries.size()) i = 0;
                entry& at = entries[i];
                if (at.number == 0) [[unlikely]] {
                    Keys::keep(at.key, hash, k, bytes);
                    keys.push_back(at.key);
                    at.number = static_cast<std::uint32_t>(keys.size());
                } else if (!Keys::same(at.key, hash, k)) {
                    continue;
                }
                return at.number - 1;
            }
        }
    };
    class table {
        shared* all_;
        zeroed<totals> values_;

    public:
        table(shared& all, std::size_t keys) : all_(&all), values_(keys) {}
        [[nodiscard]] std::size_t bytes() const {
            return all_->entries.size() * sizeof(entry) + values_.size() * sizeof(totals);
        }
        void prefetch(key k) { __builtin_prefetch(&all_->entries[Keys::hash(k).bits >> all_->shift]); }
        void add(key k, std::int64_t amount) {
            totals& at = values_[all_->number_of(k)];
            ++at.count;
            at.sum += amount;
        }
        void fire(auto&& emit) {
            for (std::size_t i = 0; i < all_->keys.size(); ++i) {
                totals const& at = values_[i];
                if (at.count != 0) emit(Keys::key_of(all_->keys[i]), at.count, narrowed(at.sum));
            }
            std::memset(static_cast<void*>(values_.data()), 0, all_->keys.size() * sizeof(totals));
        }
    };
};

/// Plan 3: per window a sparse index of numbers, probed at low load, and the entries dense behind it.
template <class Keys>
struct sparse_plan {
    using key = typename Keys::key;
    struct entry {
        totals value;
        typename Keys::kept key;
    };
    struct shared {
        explicit shared(std::size_t) {}
    };
    class table {
        static constexpr std::size_t room(std::size_t keys) { return keys <= 4096 ? 8 : 4; }
        zeroed<std::uint32_t> index_;
        int shift_;
        zeroed<entry> entries_;
        std::uint32_t used_ = 0;
        typename Keys::arena bytes_;

    public:
        table(shared&, std::size_t keys)
            : index_(places_for(keys, room(keys)) + 1),
              shift_(shift_for(places_for(keys, room(keys)))),
              entries_(keys) {}
        [[nodiscard]] std::size_t bytes() const {
            return index_.size() * sizeof(std::uint32_t) + entries_.size() * sizeof(entry);
        }
        void prefetch(key k) { __builtin_prefetch(&index_[Keys::hash(k).bits >> shift_]); }
        void add(key k, std::int64_t amount) {
            auto const hash = Keys::hash(k);
            for (std::size_t i = hash.bits >> shift_;; ++i) {
                if (i == index_.size()) i = 0;
                auto& number = index_[i];
                if (number == 0) [[unlikely]] {
                    number = ++used_;
                    Keys::keep(entries_[used_ - 1].key, hash, k, bytes_);
                } else if (!Keys::same(entries_[number - 1].key, hash, k)) {
                    continue;
                }
                auto& at = entries_[number - 1].value;
                ++at.count;
                at.sum += amount;
                return;
            }
        }
        void fire(auto&& emit) {
            for (std::uint32_t i = 0; i < used_; ++i) {
                entry const& at = entries_[i];
                emit(Keys::key_of(at.key), at.value.count, narrowed(at.value.sum));
            }
            std::memset(static_cast<void*>(entries_.data()), 0, used_ * sizeof(entry));
            index_.clear();
            bytes_.clear();
            used_ = 0;
        }
    };
};

/// The least time in each block of records from that block on: the exact watermark of a batch.
class times_to_come {
    std::vector<std::int64_t> block_least_;

public:
    static constexpr std::size_t block = 2048;
    template <class Records>
    explicit times_to_come(Records const& records)
        : block_least_((records.size() + block - 1) / block, std::numeric_limits<std::int64_t>::max()) {
        for (std::size_t i = 0; i < records.size(); ++i) {
            auto& least = block_least_[i / block];
            if (records[i].at.ns() < least) least = records[i].at.ns();
        }
    }
    [[nodiscard]] std::vector<std::int64_t> suffix_minima() const {
        auto out = block_least_;
        for (auto i = out.size(); i > 1; --i) {
            if (out[i - 1] < out[i - 2]) out[i - 2] = out[i - 1];
        }
        return out;
    }
};

struct books {
    std::uint64_t applied = 0;
    std::uint64_t late = 0;
};

/// The loop around a plan. Disorder is shorter than a window, so that two windows are open at any time and a
/// third never is: two tables that take turns.
///
/// Exact       the watermark comes block by block from `to_come`; else it is newest - disorder, record by record
/// Ahead       how many records ahead places are prefetched; 0: never
/// progress    is told now and then how many records have been read
template <class Plan, bool Exact, std::size_t Ahead, class Record, class KeyOf, class Emit, class Progress>
books run(std::span<Record const> records, times_to_come const& to_come, std::size_t keys, std::int64_t size,
    std::int64_t disorder, KeyOf key_of, Emit const& emit, Progress const& progress) {
    using table = typename Plan::table;
    typename Plan::shared shared{keys};
    table tables[2] = {table{shared, keys}, table{shared, keys}};
    books out;

    std::int64_t low = 0;   // the start of the older open window
    std::int64_t trip = 0;  // the newest time at which that changes
    bool open = false;
    unsigned older = 0;     // tables[older] belongs to it
    auto const advance = [&](std::int64_t watermark) {
        std::int64_t const start = watermark / size * size;
        if (!open) {
            low = start;
            open = true;
        }
        for (int i = 0; low < start; low += size) {
            if (++i > 2) {
                low = start;
                break;
            }
            tables[older].fire(
                [&](auto const& key, std::int64_t count, std::int64_t sum) { emit(key, low, count, sum); });
            older ^= 1;
        }
        trip = low + size + disorder;
    };

    auto const n = records.size();
    auto const suffix = Exact ? to_come.suffix_minima() : std::vector<std::int64_t>{};
    if constexpr (!Exact) {
        if (n != 0) advance(records[0].at.ns() - disorder);
    }
    bool const prefetch = Ahead != 0 && tables[0].bytes() > (std::size_t{1} << 19);
    auto const pass = [&](std::size_t from, std::size_t to, auto ahead) {
        for (std::size_t i = from; i < to; ++i) {
            if constexpr (ahead.value != 0) {
                auto const& later = records[i + ahead.value];
                tables[older ^ (later.at.ns() - low >= size)].prefetch(key_of(later));
            }
            auto const& record = records[i];
            std::int64_t const at = record.at.ns();
            if constexpr (!Exact) {
                if (at >= trip) [[unlikely]]
                    advance(at - disorder);
            }
            auto const into = static_cast<std::uint64_t>(at - low);
            if (into >= static_cast<std::uint64_t>(2 * size)) [[unlikely]] {
                ++out.late;
                continue;
            }
            tables[older ^ (into >= static_cast<std::uint64_t>(size))].add(key_of(record), record.cents);
            ++out.applied;
        }
    };
    auto const pass_all = [&](std::size_t from, std::size_t to) {
        if (prefetch && to + Ahead <= n) pass(from, to, std::integral_constant<std::size_t, Ahead>{});
        else pass(from, to, std::integral_constant<std::size_t, 0>{});
    };
    for (std::size_t from = 0; from < n; from += times_to_come::block) {
        progress(from);
        if constexpr (Exact) advance(suffix[from / times_to_come::block]);
        pass_all(from, std::min(n, from + times_to_come::block));
    }
    for (int i = 0; i < 2; ++i, low += size, older ^= 1) {
        tables[older].fire([&](auto const& key, std::int64_t count, std::int64_t sum) { emit(key, low, count, sum); });
    }
    return out;
}
}  // namespace bench::by_hand
#endif
