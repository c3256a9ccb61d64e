// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_BLOCK_POOL_HPP
#define DRIFTLESS_VIEW_DETAIL_BLOCK_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Memory in blocks of multiples of 64 bytes, aligned to that, which is taken again when it has been given back.
///
/// State       What was once taken, until the pool goes. Blocks of more than 4 KiB come from the heap and return there.
/// Threads     One.
/// Complexity  O(1).
class block_pool {
    static constexpr std::size_t line = 64;
    static constexpr std::size_t classes = 65;  // up to 4 KiB
    static constexpr std::size_t slab = std::size_t{128} << 10;

    struct free_block {
        free_block* next;
    };
    free_block* free_[classes] = {};
    std::vector<void*> slabs_;
    char* at_ = nullptr;
    std::size_t left_ = 0;
    std::size_t bytes_ = 0;

public:
    block_pool() = default;
    block_pool(block_pool const&) = delete;
    block_pool& operator=(block_pool const&) = delete;
    ~block_pool() {
        for (auto* const each : slabs_) ::operator delete(each, std::align_val_t{line});
    }

    [[nodiscard]] void* take(std::size_t size) {
        auto const lines = (size + line - 1) / line;
        if (lines >= classes) {
            bytes_ += size;
            return ::operator new(size, std::align_val_t{line});
        }
        if (auto* const found = free_[lines]) {
            free_[lines] = found->next;
            return found;
        }
        auto const bytes = lines * line;
        if (left_ < bytes) {
            slabs_.reserve(slabs_.size() + 1);
            at_ = static_cast<char*>(::operator new(slab, std::align_val_t{line}));
            slabs_.push_back(at_);
            left_ = slab;
            bytes_ += slab;
        }
        left_ -= bytes;
        return std::exchange(at_, at_ + bytes);
    }
    /// The size is the one that was asked for.
    void give(void* block, std::size_t size) noexcept {
        auto const lines = (size + line - 1) / line;
        if (lines >= classes) {
            bytes_ -= size;
            ::operator delete(block, std::align_val_t{line});
            return;
        }
        free_[lines] = ::new (block) free_block{free_[lines]};
    }
    /// Held from the heap.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
};

/// Something that readers of earlier versions may still see.
struct retired_block {
    void* block;
    std::uint64_t born;  // the version it was made for
    std::uint32_t size;
    std::uint8_t kind;   // what is to be done with it; 0: given back to the pool
};

/// What a writer makes its versions of: the pool, the version that is being made, and what it replaces.
///
/// A block that was made for this version is changed in place; one that was not is copied, and retired.
struct version_maker {
    block_pool pool;
    std::uint64_t version = 0;
    std::vector<retired_block> retired;

    void retire(void* block, std::uint64_t born, std::size_t size, std::uint8_t kind = 0) {
        if (kind == 0 && born == version) return pool.give(block, size);
        retired.push_back({block, born, static_cast<std::uint32_t>(size), kind});
    }
};
}  // namespace driftless::inline v0::detail
#endif
