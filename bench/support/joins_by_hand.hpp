// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_JOINS_BY_HAND_HPP
#define DRIFTLESS_BENCH_SUPPORT_JOINS_BY_HAND_HPP

#include <support/sales.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

// An interval join as somebody would write it who needs nothing else: a flat table from key to two deques of records,
// each sorted by time; a record is matched with the other deque and put into its own, what can meet nobody any more is
// dropped from the front when its key comes up. The watermark of each side is its newest time less the bound.

namespace bench::by_hand {
/// A deque in one piece: at the front records go, at the back they come, nearly in order.
class sorted_deque {
    std::vector<sale> all_;
    std::size_t first_ = 0;

public:
    [[nodiscard]] sale const* begin() const { return all_.data() + first_; }
    [[nodiscard]] sale const* end() const { return all_.data() + all_.size(); }
    void drop_before(std::int64_t at) {
        while (first_ != all_.size() && all_[first_].at.ns() < at) ++first_;
        if (first_ == all_.size()) {
            all_.clear();
            first_ = 0;
        }
    }
    void insert(sale const& record) {
        if (all_.size() == all_.capacity() && first_ != 0 && first_ >= all_.size() / 2) {
            all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        all_.push_back(record);
        auto at = all_.end() - 1;
        auto const front = all_.begin() + static_cast<std::ptrdiff_t>(first_);
        for (; at != front && record.at < at[-1].at; --at) *at = at[-1];
        *at = record;
    }
};

class interval_join {
    struct slot {
        std::int64_t key;
        bool used;
        sorted_deque side[2];
    };
    std::int64_t lo_, hi_, bound_;
    std::vector<slot> slots_;
    std::int64_t late_before_[2] = {least, least};
    std::int64_t gone_before_[2] = {least, least};
    static constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

public:
    std::uint64_t applied = 0;
    std::uint64_t late = 0;

    interval_join(std::int64_t lo, std::int64_t hi, std::int64_t bound, std::size_t keys)
        : lo_(lo), hi_(hi), bound_(bound) {
        std::size_t size = 16;
        while (size < 2 * keys) size *= 2;
        slots_.resize(size);
    }

    template <int Side, class Pair>
    void add(sale const& record, Pair const& pair) {
        auto const at = record.at.ns();
        if (at < late_before_[Side]) {
            ++late;
            return;
        }
        ++applied;
        slot& of = slot_of(record.user);
        auto& theirs = of.side[1 - Side];
        auto& mine = of.side[Side];
        theirs.drop_before(gone_before_[1 - Side]);
        auto const first = Side == 0 ? at + lo_ : at - hi_;
        auto const last = Side == 0 ? at + hi_ : at - lo_;
        auto const* each = theirs.begin();
        while (each != theirs.end() && each->at.ns() < first) ++each;
        for (; each != theirs.end() && each->at.ns() <= last; ++each) {
            if constexpr (Side == 0) pair(record, *each);
            else pair(*each, record);
        }
        mine.drop_before(gone_before_[Side]);
        if (at >= gone_before_[Side]) mine.insert(record);
        if (auto const watermark = at - bound_; watermark > late_before_[Side]) {
            late_before_[Side] = watermark;
            auto const reach = Side == 1 ? hi_ : -lo_;
            gone_before_[1 - Side] = watermark - std::max(reach, std::int64_t{0});
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
            slots_[i].key = key;
            slots_[i].used = true;
            return slots_[i];
        }
    }
};
}  // namespace bench::by_hand
#endif
