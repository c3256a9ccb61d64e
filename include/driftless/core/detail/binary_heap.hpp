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
    void push(T value) {
        all_.push_back(value);
        std::size_t at = all_.size() - 1;
        for (; at != 0 && Before{}(value, all_[(at - 1) / 2]); at = (at - 1) / 2) all_[at] = all_[(at - 1) / 2];
        all_[at] = value;
    }
    T pop() {
        T const least = all_[0];
        T const last = all_.back();
        all_.pop_back();
        std::size_t const n = all_.size();
        for (std::size_t at = 0; n != 0;) {
            std::size_t child = 2 * at + 1;
            if (child + 1 < n && Before{}(all_[child + 1], all_[child])) ++child;
            if (child >= n || !Before{}(all_[child], last)) {
                all_[at] = last;
                break;
            }
            all_[at] = all_[child];
            at = child;
        }
        return least;
    }
    /// Gives the memory back as well.
    void release() { all_ = growing_array<T>{}; }
    void clear() noexcept { all_.clear(); }
};
}  // namespace driftless::inline v0::detail
#endif
