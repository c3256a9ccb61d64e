// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_ZEROED_PAGES_HPP
#define DRIFTLESS_FILE_ZEROED_PAGES_HPP

#include <cstddef>
#include <new>

#include <sys/mman.h>

namespace driftless::inline v0::detail {

/// From so many bytes on it pays to have pages from the kernel, all at once: zeroing them is its work anyway, and a
/// fault for each costs more than filling it.
inline constexpr std::size_t worth_pages = std::size_t{4} << 20;

/// Errors      std::bad_alloc.
inline void* take_zeroed_pages(std::size_t size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_POPULATE
    flags |= MAP_POPULATE;
#endif
    void* const out = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (out == MAP_FAILED) throw std::bad_alloc{};
    return out;
}
inline void give_back_pages(void* pages, std::size_t size) noexcept { static_cast<void>(::munmap(pages, size)); }
}  // namespace driftless::inline v0::detail
#endif
