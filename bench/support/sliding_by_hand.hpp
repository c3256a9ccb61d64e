// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_SLIDING_BY_HAND_HPP
#define DRIFTLESS_BENCH_SUPPORT_SLIDING_BY_HAND_HPP

#include <support/tumbling_by_hand.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

// Sliding windows as somebody would write them who needs nothing else, and knows that the size is a multiple of the
// period: a dictionary of keys, a ring with a column of totals per slice, and over all of them a column that slices are
// added to and subtracted from; with a maximum, two stacks of columns shared by all keys. Rows come in the order of
// the dictionary.

namespace bench::by_hand {

/// What is kept of a key and slice, without and with a maximum.
struct sliding_sums {
    int128 sum = 0;
    std::int64_t count = 0;

    void add(std::int64_t amount) {
        sum += amount;
        ++count;
    }
    void combine(sliding_sums const& other) {
        sum += other.sum;
        count += other.count;
    }
    void subtract(sliding_sums const& other) {
        sum -= other.sum;
        count -= other.count;
    }
};
struct sliding_extremes : sliding_sums {
    std::int64_t most = std::numeric_limits<std::int64_t>::min();

    void add(std::int64_t amount) {
        sliding_sums::add(amount);
        most = std::max(most, amount);
    }
    void combine(sliding_extremes const& other) {
        sliding_sums::combine(other);
        most = std::max(most, other.most);
    }
};

/// Subtracts what leaves.
template <class Total>
class subtract_on_evict {
    std::vector<Total> running_;

public:
    subtract_on_evict(std::size_t keys, std::size_t) : running_(keys) {}
    void enter(std::vector<std::vector<Total>> const& ring, std::size_t at, std::size_t keys) {
        for (std::size_t k = 0; k < keys; ++k) running_[k].combine(ring[at][k]);
    }
    [[nodiscard]] Total total(std::size_t key) const { return running_[key]; }
    void leave(std::vector<std::vector<Total>> const& ring, std::size_t at, std::size_t keys) {
        for (std::size_t k = 0; k < keys; ++k) running_[k].subtract(ring[at][k]);
    }
};
/// The front stack replaces the slices of the ring by what they and all after them come to, when it has run empty.
template <class Total>
class two_stacks {
    std::vector<Total> back_;
    std::size_t slices_;
    std::size_t in_front_ = 0;  // slices left in the front stack; the oldest is the next to leave
    std::size_t oldest_ = 0;
    std::size_t in_back_ = 0;
    std::vector<std::vector<Total>>* ring_ = nullptr;

public:
    two_stacks(std::size_t keys, std::size_t slices) : back_(keys), slices_(slices) {}
    void enter(std::vector<std::vector<Total>>& ring, std::size_t at, std::size_t keys) {
        ring_ = &ring;
        for (std::size_t k = 0; k < keys; ++k) back_[k].combine(ring[at][k]);
        ++in_back_;
    }
    [[nodiscard]] Total total(std::size_t key) const {
        Total out = back_[key];
        if (in_front_ != 0) out.combine((*ring_)[oldest_][key]);
        return out;
    }
    void leave(std::vector<std::vector<Total>>& ring, std::size_t at, std::size_t keys) {
        if (in_front_ == 0) {
            auto const size = ring.size();
            for (std::size_t i = 1; i < in_back_; ++i) {
                auto const newer = (at + in_back_ - i) % size;
                auto const older = (at + in_back_ - i - 1) % size;
                for (std::size_t k = 0; k < keys; ++k) ring[older][k].combine(ring[newer][k]);
            }
            std::fill(back_.begin(), back_.end(), Total{});
            in_front_ = in_back_;
            in_back_ = 0;
        }
        --in_front_;
        oldest_ = (at + 1) % ring.size();
    }
};

/// Runs over records in which a time is at most `disorder` behind an earlier one; emit(key, window start, total).
template <class Total, template <class> class Plan, class Record, class KeyOf, class Emit>
books slide(std::span<Record const> records, std::size_t keys, std::int64_t size, std::int64_t period,
    std::int64_t disorder, KeyOf key_of, Emit const& emit) {
    books out;
    auto const slices = static_cast<std::size_t>(size / period);
    auto const open = static_cast<std::size_t>(disorder / period) + 2;
    typename dictionary_plan<integer_keys>::shared names{keys};
    std::vector<std::vector<Total>> ring(slices + open, std::vector<Total>(keys));
    Plan<Total> plan{keys, slices};
    auto const place = [&](std::int64_t slice) { return static_cast<std::size_t>(slice) % ring.size(); };

    std::int64_t next = 0;   // the first slice that no window that fired has
    std::int64_t first = 0;  // the first slice that is in the plan
    std::int64_t last = 0;   // behind the newest slice
    auto const fire_until = [&](std::int64_t slice) {
        for (; next < slice; ++next) {
            auto const n = names.keys.size();
            plan.enter(ring, place(next), n);
            auto const start = (next + 1 - static_cast<std::int64_t>(slices)) * period;
            for (std::size_t k = 0; k < n; ++k) {
                auto const total = plan.total(k);
                if (total.count != 0) emit(names.keys[k].key, start, total);
            }
            if (next + 1 - first < static_cast<std::int64_t>(slices)) continue;
            plan.leave(ring, place(first), n);
            std::fill(ring[place(first)].begin(), ring[place(first)].end(), Total{});
            ++first;
        }
    };
    std::int64_t trip = 0;
    std::int64_t low = 0, high = 0;  // of the slice at hand
    Total* at_hand = nullptr;
    for (auto const& record : records) {
        auto const at = record.at.ns();
        if (at >= trip) {
            auto const closed = (at - disorder) / period;
            if (closed > next) fire_until(closed);
            trip = (next + 1) * period + disorder;
        }
        if (at < low || at >= high) {
            auto const slice = at / period;
            low = slice * period;
            high = low + period;
            last = std::max(last, slice + 1);
            at_hand = ring[place(slice)].data();
        }
        at_hand[names.number_of(key_of(record))].add(record.cents);
        out.applied += slices;
    }
    fire_until(last + static_cast<std::int64_t>(slices) - 1);
    return out;
}
}  // namespace bench::by_hand
#endif
