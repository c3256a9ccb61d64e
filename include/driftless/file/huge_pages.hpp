// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_HUGE_PAGES_HPP
#define DRIFTLESS_FILE_HUGE_PAGES_HPP

#include <cstddef>

#include <sys/mman.h>

namespace driftless::inline v0::detail {

/// What memory from `at_least` bytes on is aligned to, so that the kernel may back it with huge pages.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;
inline constexpr std::size_t worth_huge_pages = 2 * huge_page;

/// Asks for huge pages for memory that will be touched as a whole: a fault for each 4 KiB of it costs more than filling
/// it. A wish: where it is not granted nothing changes.
inline void want_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
    static_cast<void>(::madvise(memory, size, MADV_HUGEPAGE));
#endif
}
}  // namespace driftless::inline v0::detail
#endif
