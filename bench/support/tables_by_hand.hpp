// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_TABLES_BY_HAND_HPP
#define DRIFTLESS_BENCH_SUPPORT_TABLES_BY_HAND_HPP

#include <support/sales.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

// What one would write by hand for a table of the newest row of each key, and what its benchmarks share.

namespace bench {

/// Open addressing, linear probing, at most half full; places stay where they are.
template <class Entry>
class flat_rows {
    struct slot {
        std::int64_t key = 0;
        bool used = false;
        Entry entry{};
    };
    std::vector<slot> slots_;

public:
    explicit flat_rows(std::size_t keys) {
        std::size_t size = 16;
        while (size < 2 * keys) size *= 2;
        slots_.resize(size);
    }
    /// The number of a key's place.
    std::size_t place_of(std::int64_t key) {
        auto x = static_cast<std::uint64_t>(key);
        x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15u;
        auto const mask = slots_.size() - 1;
        for (auto i = static_cast<std::size_t>(x >> 20) & mask;; i = (i + 1) & mask) {
            if (slots_[i].used && slots_[i].key == key) return i;
            if (slots_[i].used) continue;
            slots_[i].key = key;
            slots_[i].used = true;
            return i;
        }
    }
    Entry& operator[](std::size_t place) { return slots_[place].entry; }
    [[nodiscard]] std::int64_t key_at(std::size_t place) const { return slots_[place].key; }
};

/// The newest row of a key.
struct newest_row {
    std::int64_t at = std::numeric_limits<std::int64_t>::min();
    std::int64_t cents = 0;
    [[nodiscard]] bool there() const { return at != std::numeric_limits<std::int64_t>::min(); }
};

/// Watermark of an input in bounded disorder, and what it refuses.
struct declared_watermark {
    std::int64_t bound;
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    std::int64_t now = std::numeric_limits<std::int64_t>::min();

    /// True if it has grown.
    bool moves(std::int64_t at) {
        if (at <= newest) return false;
        newest = at;
        now = at - bound;
        return true;
    }
};
}  // namespace bench
#endif
