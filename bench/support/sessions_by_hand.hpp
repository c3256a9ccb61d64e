// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_SESSIONS_BY_HAND_HPP
#define DRIFTLESS_BENCH_SUPPORT_SESSIONS_BY_HAND_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

// Sessions as somebody would write them who needs nothing else: per key a list of intervals, newest first, in a pool; a
// flat table from key to list; a heap of (time, session) that says what is due. The watermark is the newest time less
// the bound, moved after each record; sessions are kept until no record that is not late can reach them.

namespace bench::by_hand {
struct session_books {
    std::uint64_t applied = 0;
    std::uint64_t late = 0;
};

class interval_sets {
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    struct interval {
        std::int64_t start, end;
        std::int64_t count, sum;
        std::int64_t key;
        std::uint32_t earlier;
        bool fired;
        bool gone;
    };
    struct slot {
        std::int64_t key;
        std::uint32_t newest;
        bool used;
    };
    struct due {
        std::int64_t at;
        std::uint32_t of;
        bool operator<(due const& other) const { return at > other.at; }  // the least on top
    };

    std::int64_t gap_;
    std::vector<slot> slots_;
    std::vector<interval> pool_;
    std::vector<std::uint32_t> spare_;
    std::vector<due> heap_;
    std::int64_t watermark_ = std::numeric_limits<std::int64_t>::min();

public:
    session_books books;

    interval_sets(std::int64_t gap, std::size_t keys) : gap_(gap) {
        std::size_t size = 16;
        while (size < 2 * keys) size *= 2;
        slots_.resize(size);
    }

    template <class Removed>
    void add(std::int64_t key, std::int64_t at, std::int64_t cents, Removed const& removed) {
        if (watermark_ >= at + gap_) {
            ++books.late;
            return;
        }
        ++books.applied;
        slot& home = slot_of(key);
        std::uint32_t* link = &home.newest;
        while (*link != none && pool_[*link].start >= at + gap_) link = &pool_[*link].earlier;
        if (*link == none || pool_[*link].end <= at) {
            auto const made = take({at, at + gap_, 1, cents, key, *link, false, false});
            *link = made;
            push({at + gap_, made});
            return;
        }
        interval* into = &pool_[*link];
        while (into->earlier != none && pool_[into->earlier].end > at) {
            interval& part = pool_[into->earlier];
            if (part.fired) removed(part.key, part.start, part.count, part.sum);
            into->start = std::min(into->start, part.start);
            into->count += part.count;
            into->sum += part.sum;
            part.gone = true;
            into->earlier = part.earlier;
        }
        if (into->fired) {
            removed(into->key, into->start, into->count, into->sum);
            into->fired = false;
            push({std::max(into->end, at + gap_), *link});
        }
        into->start = std::min(into->start, at);
        into->end = std::max(into->end, at + gap_);
        ++into->count;
        into->sum += cents;
    }
    template <class Row>
    void advance(std::int64_t watermark, Row const& row) {
        watermark_ = watermark;
        while (!heap_.empty() && heap_.front().at <= watermark) {
            auto const [at, of] = heap_.front();
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
            interval& each = pool_[of];
            if (each.gone) {
                spare_.push_back(of);
            } else if (each.fired) {
                if (each.end + gap_ <= watermark) drop(each, of);
                else push({each.end + gap_, of});
            } else if (each.end > watermark) {
                push({each.end, of});
            } else {
                row(each.key, each.start, each.count, each.sum);
                each.fired = true;
                push({each.end + gap_, of});
            }
        }
    }

private:
    slot& slot_of(std::int64_t key) {
        auto x = static_cast<std::uint64_t>(key);
        x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15u;
        auto const mask = slots_.size() - 1;
        for (auto i = static_cast<std::size_t>(x >> 20) & mask;; i = (i + 1) & mask) {
            if (slots_[i].used && slots_[i].key == key) return slots_[i];
            if (slots_[i].used) continue;
            slots_[i] = {key, none, true};
            return slots_[i];
        }
    }
    std::uint32_t take(interval made) {
        if (spare_.empty()) {
            pool_.push_back(made);
            return static_cast<std::uint32_t>(pool_.size() - 1);
        }
        auto const at = spare_.back();
        spare_.pop_back();
        pool_[at] = made;
        return at;
    }
    void push(due entry) {
        heap_.push_back(entry);
        std::push_heap(heap_.begin(), heap_.end());
    }
    /// The slot of the key stays: the keys are few here.
    void drop(interval& each, std::uint32_t of) {
        std::uint32_t* link = &slot_of(each.key).newest;
        while (*link != of) link = &pool_[*link].earlier;
        *link = each.earlier;
        spare_.push_back(of);
    }
};
}  // namespace bench::by_hand
#endif
