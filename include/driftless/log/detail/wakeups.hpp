// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_WAKEUPS_HPP
#define DRIFTLESS_LOG_DETAIL_WAKEUPS_HPP

#include <driftless/log/wakeup.hpp>

#include <mutex>
#include <vector>

namespace driftless::inline v0::detail {

/// Those that want to hear when a log grows.
///
/// Threads     Any number.
class wakeups {
    mutable std::mutex mutex_;
    std::vector<wakeup*> all_;

public:
    void add(wakeup& who) {
        std::lock_guard const lock{mutex_};
        all_.push_back(&who);
    }
    void remove(wakeup& who) {
        std::lock_guard const lock{mutex_};
        std::erase(all_, &who);
    }
    void notify() const {
        std::lock_guard const lock{mutex_};
        for (auto* const each : all_) each->notify();
    }
};
}  // namespace driftless::inline v0::detail
#endif
