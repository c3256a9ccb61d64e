// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_AGG_DETAIL_SORTED_BAG_HPP
#define DRIFTLESS_AGG_DETAIL_SORTED_BAG_HPP

#include <cstddef>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Values in the order of `Before`, equal ones several times: what can be looked at from the front, and any of them
/// taken away again.
///
/// State       Blocks of up to 128 values, in order: two levels of a B-tree, which is enough for what a group holds.
/// Complexity  insert and erase: two binary searches, moves within one block, and rarely of the list of blocks.
template <class T, class Before>
class sorted_bag {
    static constexpr std::size_t most = 128;
    using block = std::vector<T>;
    std::vector<block> blocks_;  // none is empty
    std::size_t size_ = 0;

public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T const& front() const noexcept { return blocks_.front().front(); }
    [[nodiscard]] T const& back() const noexcept { return blocks_.back().back(); }
    void clear() noexcept {
        blocks_.clear();
        size_ = 0;
    }

    /// Behind those that are equal to it.
    void insert(T value) {
        if (blocks_.empty()) blocks_.emplace_back();
        std::size_t b = first_block([&](T const& last) { return Before{}(value, last); });
        if (b == blocks_.size()) --b;
        if (blocks_[b].size() == most) {
            split(b);
            if (!Before{}(value, blocks_[b].back())) ++b;
        }
        block& in = blocks_[b];
        std::size_t low = 0;
        std::size_t high = in.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (Before{}(value, in[middle])) high = middle;
            else low = middle + 1;
        }
        in.insert(in.begin() + static_cast<std::ptrdiff_t>(low), std::move(value));
        ++size_;
    }
    /// The first that is equal to `like`, or null. It may be changed in what Before does not look at.
    [[nodiscard]] T* find(T const& like) noexcept {
        auto const at = place_of(like);
        return at.found ? &blocks_[at.block][at.index] : nullptr;
    }
    /// Takes out the first that is equal to `like`; false if there is none.
    bool erase(T const& like) noexcept {
        auto const at = place_of(like);
        if (!at.found) return false;
        block& in = blocks_[at.block];
        in.erase(in.begin() + static_cast<std::ptrdiff_t>(at.index));
        if (in.empty()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at.block));
        --size_;
        return true;
    }
    /// The value at a place, counted from 0.
    [[nodiscard]] T const& operator[](std::size_t i) const noexcept {
        std::size_t b = 0;
        for (; i >= blocks_[b].size(); ++b) i -= blocks_[b].size();
        return blocks_[b][i];
    }
    /// How many come before `like`.
    [[nodiscard]] std::size_t count_before(T const& like) const noexcept {
        auto const at = place_of(like);
        std::size_t sum = at.index;
        for (std::size_t b = 0; b < at.block; ++b) sum += blocks_[b].size();
        return sum;
    }
    /// Calls f(value) in order, until it says false.
    template <class F>
    void each_while(F&& f) const {
        walk({0, 0, false}, f);
    }
    /// The same from the first that does not come before `like`.
    template <class F>
    void each_from(T const& like, F&& f) const {
        walk(place_of(like), f);
    }

private:
    struct place {
        std::size_t block;
        std::size_t index;
        bool found;
    };
    /// The first block whose last value passes.
    template <class Test>
    [[nodiscard]] std::size_t first_block(Test test) const {
        std::size_t low = 0;
        std::size_t high = blocks_.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (!blocks_[middle].empty() && test(blocks_[middle].back())) high = middle;
            else low = middle + 1;
        }
        return low;
    }
    [[nodiscard]] place place_of(T const& like) const noexcept {
        auto const b = first_block([&](T const& last) { return !Before{}(last, like); });
        if (b == blocks_.size()) return {b, 0, false};
        block const& in = blocks_[b];
        std::size_t low = 0;
        std::size_t high = in.size();
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (Before{}(in[middle], like)) low = middle + 1;
            else high = middle;
        }
        return {b, low, low < in.size() && !Before{}(like, in[low])};
    }
    template <class F>
    void walk(place from, F& f) const {
        for (auto i = from.index; from.block < blocks_.size(); ++from.block, i = 0) {
            for (block const& in = blocks_[from.block]; i < in.size(); ++i) {
                if (!f(in[i])) return;
            }
        }
    }
    void split(std::size_t b) {
        block half;
        half.reserve(most);
        for (std::size_t i = most / 2; i < most; ++i) half.push_back(std::move(blocks_[b][i]));
        blocks_[b].erase(blocks_[b].begin() + most / 2, blocks_[b].end());
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(b) + 1, std::move(half));
    }
};
}  // namespace driftless::inline v0::detail
#endif
