// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_METRICS_WATCHER_HPP
#define DRIFTLESS_METRICS_WATCHER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace driftless::inline v0 {

/// A thread that looks at something from time to time, beside the jobs.
///
///     watcher eyes{5_s, [&] { watch.look(metrics_of(job.metrics(), now()), now()); }};
///
/// Time        The first look is at once, the next `every` behind the end of the one before, by a steady clock; the
///             last one when it is stopped.
/// Errors      invalid_argument for a span that is not positive. A look that throws is counted, and the next one comes
///             all the same.
/// Threads     `look` is called by a thread of its own; it is gone when stop(), or the destructor, comes back.
class watcher {
    std::function<void()> look_;
    std::chrono::nanoseconds every_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::atomic<std::uint64_t> looks_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::thread thread_;

public:
    watcher(duration every, std::function<void()> look) : look_(std::move(look)), every_(every.ns()) {
        if (every <= duration{})
            throw error{error_code::invalid_argument, "a watcher looks every so often: in spans of more than 0"};
        thread_ = std::thread{[this] { run(); }};
    }
    watcher(watcher const&) = delete;
    watcher& operator=(watcher const&) = delete;
    ~watcher() { stop(); }

    /// Looks once more, and ends.
    void stop() {
        {
            std::lock_guard const lock{mutex_};
            stopped_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::uint64_t looks() const noexcept { return looks_.load(); }
    /// Looks that threw.
    [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(); }

private:
    void run() {
        for (bool last = false;;) {
            try {
                look_();
            } catch (...) {
                failures_.fetch_add(1);
            }
            looks_.fetch_add(1);
            if (last) return;
            std::unique_lock lock{mutex_};
            last = wake_.wait_for(lock, every_, [this] { return stopped_; });
        }
    }
};
}  // namespace driftless::inline v0
#endif
