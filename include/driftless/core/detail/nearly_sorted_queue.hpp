// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_NEARLY_SORTED_QUEUE_HPP
#define DRIFTLESS_CORE_DETAIL_NEARLY_SORTED_QUEUE_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/growing_array.hpp>

#include <cstddef>

namespace driftless::inline v0::detail {
/// A priority queue for what comes nearly in order: the least element by `<` is at the top. What is not before the last
/// of the run is appended to it, in O(1); only the others go through a heap.
template <class T>
class nearly_sorted_queue {
    struct before {
        bool operator()(T const& a, T const& b) const noexcept { return a < b; }
    };
    growing_array<T> run_;   // from first_ on, in order
    std::size_t first_ = 0;
    binary_heap<T, before> stragglers_;

public:
    [[nodiscard]] std::size_t size() const noexcept { return run_.size() - first_ + stragglers_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] T const& top() const noexcept { return from_run() ? run_[first_] : stragglers_.top(); }
    DRIFTLESS_INLINE void push(T const& value) {
        if (first_ == run_.size()) {
            run_.clear();
            first_ = 0;
        } else if (value < run_.back()) {
            stragglers_.push(value);
            return;
        } else if (first_ >= 1024 && 2 * first_ >= run_.size()) [[unlikely]] {
            close_gap();
        }
        run_.push_back(value);
    }
    DRIFTLESS_INLINE void pop() {
        if (from_run()) ++first_;
        else stragglers_.pop();
    }
    void clear() noexcept {
        run_.clear();
        first_ = 0;
        stragglers_.clear();
    }

private:
    [[nodiscard]] bool from_run() const noexcept {
        if (stragglers_.empty()) return true;
        return first_ != run_.size() && run_[first_] < stragglers_.top();
    }
    DRIFTLESS_NOINLINE void close_gap() {
        auto const left = run_.size() - first_;
        for (std::size_t i = 0; i < left; ++i) run_[i] = run_[first_ + i];
        while (run_.size() != left) run_.pop_back();
        first_ = 0;
    }
};
}  // namespace driftless::inline v0::detail
#endif
