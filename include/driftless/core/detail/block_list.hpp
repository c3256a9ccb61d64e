// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_BLOCK_LIST_HPP
#define DRIFTLESS_CORE_DETAIL_BLOCK_LIST_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>

#include <cstddef>
#include <utility>

namespace driftless::inline v0::detail {
/// Elements that are appended, and then read in that order, once: in blocks, so that none moves when there are many.
template <class T>
class block_list {
    static constexpr std::size_t block_bytes = std::size_t{32} << 10;
    static constexpr std::size_t in_block = sizeof(T) < block_bytes ? block_bytes / sizeof(T) : 1;
    static constexpr std::size_t kept_blocks = 8;

    growing_array<growing_array<T>> blocks_;
    std::size_t filling_ = 0;  // blocks_[filling_] takes the next element
    std::size_t reading_ = 0;
    std::size_t at_ = 0;  // in blocks_[reading_]

public:
    T& push_back(T&& value) {
        if (filling_ == blocks_.size() || blocks_[filling_].size() == in_block) [[unlikely]]
            next_block();
        return blocks_[filling_].push_back(static_cast<T&&>(value));
    }
    /// The next one that has not been read; null: all have been.
    [[nodiscard]] T* front() noexcept {
        if (reading_ == blocks_.size() || at_ == blocks_[reading_].size()) return nullptr;
        return &blocks_[reading_][at_];
    }
    void pop_front() noexcept {
        if (++at_ < in_block) return;
        at_ = 0;
        ++reading_;
    }
    /// Keeps the memory of a few.
    void clear() noexcept {
        while (blocks_.size() > kept_blocks) blocks_.pop_back();
        for (auto& each : blocks_) each.clear();
        filling_ = reading_ = at_ = 0;
    }

private:
    DRIFTLESS_NOINLINE void next_block() {
        if (filling_ != blocks_.size()) ++filling_;
        if (filling_ != blocks_.size()) return;  // one that was kept
        growing_array<T> block;
        block.reserve(in_block);
        blocks_.push_back(std::move(block));
    }
};
}  // namespace driftless::inline v0::detail
#endif
