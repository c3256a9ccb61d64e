// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ENRICH_QUEUE_HPP
#define DRIFTLESS_OP_DETAIL_ENRICH_QUEUE_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {
/// First in, first out. Room is used again once half of it has been taken out.
template <class T>
class plain_queue {
    growing_array<T> all_;
    std::size_t first_ = 0;

public:
    [[nodiscard]] bool empty() const noexcept { return first_ == all_.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size() - first_; }
    [[nodiscard]] T& front() noexcept { return all_[first_]; }
    [[nodiscard]] T& back() noexcept { return all_.back(); }
    [[nodiscard]] T* begin() noexcept { return all_.begin() + first_; }
    [[nodiscard]] T* end() noexcept { return all_.end(); }
    [[nodiscard]] T const* begin() const noexcept { return all_.begin() + first_; }
    [[nodiscard]] T const* end() const noexcept { return all_.end(); }
    void push(T value) { all_.push_back(std::move(value)); }
    void pop() noexcept {
        if (++first_ * 2 < all_.size()) return;
        auto const left = size();
        for (std::size_t i = 0; i < left; ++i) all_[i] = std::move(all_[first_ + i]);
        while (all_.size() > left) all_.pop_back();
        first_ = 0;
    }
    /// Takes one out of the midst.
    void erase(T* at) noexcept {
        if (at == begin()) return pop();
        for (; at + 1 != end(); ++at) *at = std::move(at[1]);
        all_.pop_back();
    }
    void clear() noexcept {
        all_.clear();
        first_ = 0;
    }
};

/// How often, how long and how many at a time.
struct call_rules {
    std::size_t concurrency = 1;
    duration timeout = duration::max();
    std::uint64_t retries = 0;
    duration pause{};
    duration longest_pause = duration::max();
    bool in_order = true;

    [[nodiscard]] duration pause_after(std::uint64_t tries) const noexcept {
        auto wait = pause;
        for (; tries > 1 && wait < longest_pause; --tries) wait = wait + wait;
        return wait < longest_pause ? wait : longest_pause;
    }
};
}  // namespace driftless::inline v0::detail
#endif
