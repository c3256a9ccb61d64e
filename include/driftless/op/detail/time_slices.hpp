// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TIME_SLICES_HPP
#define DRIFTLESS_OP_DETAIL_TIME_SLICES_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/detail/session_state.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {

/// The records of a key at one time, and what is known of the two windows they make.
template <class Pack>
struct time_slice {
    event_time at;
    session_state<Pack> kept;
    std::uint32_t panes_ending = 0;  // shown of the window that ends with it
    std::uint32_t panes_behind = 0;  // and of the one that starts behind it
    bool ends_window = true;         // false: that window had closed before the first of them came
};

/// The slices of one key, by time.
template <class Pack>
class time_slices {
    growing_array<time_slice<Pack>> all_;
    std::size_t first_ = 0;

public:
    [[nodiscard]] std::size_t size() const noexcept { return all_.size() - first_; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] time_slice<Pack>& operator[](std::size_t i) noexcept { return all_[first_ + i]; }
    [[nodiscard]] time_slice<Pack> const& operator[](std::size_t i) const noexcept { return all_[first_ + i]; }

    /// The first slice that is not before `at`; size() if there is none.
    [[nodiscard]] std::size_t from(event_time at) const noexcept {
        std::size_t low = 0;
        std::size_t high = size();
        if (high != 0 && (*this)[high - 1].at < at) return high;
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            if ((*this)[middle].at < at) low = middle + 1;
            else high = middle;
        }
        return low;
    }
    [[nodiscard]] bool holds(std::size_t i, event_time at) const noexcept { return i < size() && (*this)[i].at == at; }

    /// Puts a slice before the i-th.
    void insert(std::size_t i, time_slice<Pack> slice) {
        all_.push_back(std::move(slice));
        for (auto k = size() - 1; k > i; --k) std::swap((*this)[k], (*this)[k - 1]);
    }
    void erase(std::size_t i) noexcept {
        for (; i + 1 < size(); ++i) std::swap((*this)[i], (*this)[i + 1]);
        all_.pop_back();
        if (empty()) clear();
    }
    void drop_front(Pack const& pack) {
        (*this)[0].kept = session_state<Pack>{pack};
        ++first_;
        if (empty()) return clear();
        if (first_ < 16 || 2 * first_ < all_.size()) return;
        auto const left = size();
        for (std::size_t i = 0; i < left; ++i) std::swap(all_[i], all_[first_ + i]);
        while (all_.size() != left) all_.pop_back();
        first_ = 0;
    }
    void clear() noexcept {
        all_.clear();
        first_ = 0;
    }
};

/// A key with its slices, at a fixed address.
template <class Pack, class Key>
struct sliced_key {
    time_slices<Pack> slices;
    std::uint64_t hash = 0;
    std::uint64_t next_place = 0;          // in the log of the key
    event_time armed = event_time::min();  // the least time under which it stands in the index; -inf: under none
    std::uint32_t entries = 0;             // how many entries of the index name it
    bool gone = false;                     // it has no slices; free when the index has let go of it
    kept_key<Key> key;
};

/// A window of a key that is to be shown, with what decides when.
template <class Node>
struct ready_window {
    time_window window;
    std::uint64_t hash;
    Node* of;
    event_time at;  // of the slice that makes it
    bool behind;    // it starts behind the slice
};
}  // namespace driftless::inline v0::detail
#endif
