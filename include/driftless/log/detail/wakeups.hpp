// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_WAKEUPS_HPP
#define DRIFTLESS_LOG_DETAIL_WAKEUPS_HPP

#include <driftless/core/config.hpp>
#include <driftless/log/detail/process_barrier.hpp>
#include <driftless/log/wakeup.hpp>

#include <atomic>
#include <mutex>
#include <vector>

namespace driftless::inline v0::detail {

/// Those that want to hear when a log grows.
///
/// Threads     Any number. While there are none, notify() costs a load.
class wakeups {
    std::atomic<bool> any_{false};
    bool const barrier_ = has_process_barrier();
    alignas(64) mutable std::mutex mutex_;  // apart from what readers of the log look at
    std::vector<wakeup*> all_;

public:
    void add(wakeup& who) {
        std::lock_guard const lock{mutex_};
        all_.push_back(&who);
        any_.store(true, std::memory_order_seq_cst);
        if (barrier_) process_barrier();  // whoever appends sees it, or the caller sees what was appended
    }
    void remove(wakeup& who) {
        std::lock_guard const lock{mutex_};
        std::erase(all_, &who);
        any_.store(!all_.empty(), std::memory_order_relaxed);
    }
    DRIFTLESS_INLINE void notify() const {
        if (barrier_) std::atomic_signal_fence(std::memory_order_seq_cst);
        else std::atomic_thread_fence(std::memory_order_seq_cst);
        if (any_.load(std::memory_order_relaxed)) notify_all();
    }

private:
    DRIFTLESS_NOINLINE void notify_all() const {
        std::lock_guard const lock{mutex_};
        for (auto* const each : all_) each->notify();
    }
};
}  // namespace driftless::inline v0::detail
#endif
