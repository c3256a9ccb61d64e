// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_ZEROED_PAGES_HPP
#define DRIFTLESS_FILE_ZEROED_PAGES_HPP

#include <cstddef>
#include <cstdint>
#include <new>

#include <sys/mman.h>

namespace driftless::inline v0::detail {

/// From so many bytes on it pays to have pages from the kernel, all at once: zeroing them is its work anyway, and a
/// fault for each costs more than filling it.
inline constexpr std::size_t worth_pages = std::size_t{4} << 20;

/// What the kernel does with zeroed pages that are taken: it brings them in, or waits until somebody comes to them.
enum class page_arrival : unsigned char {
    at_once,
    when_reached
};

/// Errors      std::bad_alloc.
inline void* take_zeroed_pages(std::size_t size, [[maybe_unused]] page_arrival when = page_arrival::at_once) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_POPULATE
    if (when == page_arrival::at_once) flags |= MAP_POPULATE;
#endif
    void* const out = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (out == MAP_FAILED) throw std::bad_alloc{};
    return out;
}
inline void give_back_pages(void* pages, std::size_t size) noexcept { static_cast<void>(::munmap(pages, size)); }

/// Pages that are walked through from the first to the last: those ahead are brought in, or those behind go, a step at
/// a time. So a table that moves into a larger one never needs the memory of both.
///
/// Errors      None: where the kernel cannot do it, pages come with their first use, and go with the last.
class page_walk {
public:
    enum class way : unsigned char {
        bring_ahead,
        drop_behind
    };

private:
    static constexpr std::uintptr_t step = std::uintptr_t{4} << 20;
    static constexpr std::uintptr_t page = std::uintptr_t{64} << 10;  // the largest there are: none goes half

    std::uintptr_t done_;  // up to here
    std::uintptr_t end_;
    way way_;

public:
    page_walk(void* pages, std::size_t size, way to) noexcept
        : done_(reinterpret_cast<std::uintptr_t>(pages)), end_(done_ + size), way_(to) {}

    /// Somebody is at `place`. Of pages that are dropped, nothing before it is read again but for zeros.
    void reach(void const* place) noexcept {
        auto const at = reinterpret_cast<std::uintptr_t>(place);
        if (way_ == way::bring_ahead) {
            while (at >= done_ && done_ < end_) advance(end_ - done_ < step ? end_ : done_ + step);
        } else if (at - done_ >= step && at < end_) {
            advance(at & ~(page - 1));
        }
    }
    /// All that is left.
    void finish() noexcept {
        if (way_ == way::bring_ahead && done_ < end_) advance(end_);
    }

private:
    void advance(std::uintptr_t to) noexcept {
        [[maybe_unused]] auto* const from = reinterpret_cast<void*>(done_);
        [[maybe_unused]] auto const size = static_cast<std::size_t>(to - done_);
        done_ = to;
#if defined(__linux__)
#if defined(MADV_POPULATE_WRITE)
        if (way_ == way::bring_ahead) static_cast<void>(::madvise(from, size, MADV_POPULATE_WRITE));
#endif
        if (way_ == way::drop_behind) static_cast<void>(::madvise(from, size, MADV_DONTNEED));
#endif
    }
};
}  // namespace driftless::inline v0::detail
#endif
