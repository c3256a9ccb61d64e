// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_WAKEUP_HPP
#define DRIFTLESS_LOG_WAKEUP_HPP

#include <atomic>
#include <cstdint>

namespace driftless::inline v0 {

/// Lets one thread sleep until something happens in any of several logs.
///
/// State       A counter. Take `seen` before looking for work; wait(seen) returns at once if anything was
///             notified since, so that no wake-up is lost.
class wakeup {
    std::atomic<std::uint32_t> count_{0};

public:
    [[nodiscard]] std::uint32_t seen() const noexcept { return count_.load(std::memory_order_acquire); }
    void notify() noexcept {
        count_.fetch_add(1, std::memory_order_release);
        count_.notify_all();
    }
    void wait(std::uint32_t seen) const noexcept { count_.wait(seen, std::memory_order_acquire); }
};
}  // namespace driftless::inline v0
#endif
