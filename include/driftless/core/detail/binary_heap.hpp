// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_BINARY_HEAP_HPP
#define DRIFTLESS_CORE_DETAIL_BINARY_HEAP_HPP

#include <driftless/core/detail/growing_array.hpp>

#include <cstddef>
#include <utility>

namespace driftless::inline v0::detail {
/// A binary heap: the least element by `Before` is at the top. (<algorithm> costs more to compile than this.)
template <class T, class Before>
class binary_heap {
    growing_array<T> all_;

public:
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] T const& top() const noexcept { return all_[0]; }
    void push(T const& value) {
        all_.push_back(value);
        rise(all_.size() - 1, value);
    }
    /// Takes the top away. The hole goes down to a leaf, along the lesser children, and what was last rises from there:
    /// it came from the bottom and mostly belongs there, so that one comparison per level will do.
    T pop() {
        T const least = all_[0];
        T const last = all_.back();
        all_.pop_back();
        std::size_t const n = all_.size();
        if (n == 0) return least;
        T* const all = all_.begin();
        std::size_t hole = 0;
        std::size_t child = 1;
        for (; child + 1 < n; child = 2 * hole + 1) {
            child += Before{}(all[child + 1], all[child]) ? 1 : 0;
            all[hole] = all[child];
            hole = child;
        }
        if (child < n) {
            all[hole] = all[child];
            hole = child;
        }
        rise(hole, last);
        return least;
    }
    /// Gives the memory back as well.
    void release() { all_ = growing_array<T>{}; }
    void clear() noexcept { all_.clear(); }

private:
    void rise(std::size_t at, T const& value) {
        T* const all = all_.begin();
        for (; at != 0 && Before{}(value, all[(at - 1) / 2]); at = (at - 1) / 2) all[at] = all[(at - 1) / 2];
        all[at] = value;
    }
};
}  // namespace driftless::inline v0::detail
#endif
