// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_WRITE_BEHIND_HPP
#define DRIFTLESS_LOG_DETAIL_WRITE_BEHIND_HPP

#include <driftless/core/time.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace driftless::inline v0::detail {

/// A thread that works when it is woken, and by the clock of the computer every so often.
///
/// Threads     Any number wake it; one starts and stops it.
class write_behind {
    std::mutex mutex_;
    std::condition_variable changed_;
    bool work_ = false;
    bool stop_ = false;
    std::thread thread_;

public:
    write_behind() = default;
    write_behind(write_behind const&) = delete;
    write_behind& operator=(write_behind const&) = delete;
    ~write_behind() { stop(); }

    /// Calls turn(due) from now on, until stop(); `due` says that the interval has passed. `turn` must not throw.
    ///
    /// interval    duration::max(): never due
    template <class F>
    void start(duration interval, F turn) {
        thread_ = std::thread{[this, interval, turn = std::move(turn)] { run(interval, turn); }};
    }
    void wake() {
        {
            std::lock_guard const lock{mutex_};
            work_ = true;
        }
        changed_.notify_one();
    }
    /// Waits for the turn that is going on.
    void stop() {
        if (!thread_.joinable()) return;
        {
            std::lock_guard const lock{mutex_};
            stop_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

private:
    template <class F>
    void run(duration interval, F const& turn) {
        using clock = std::chrono::steady_clock;
        bool const timed = interval != duration::max();
        auto const pause = std::chrono::nanoseconds{timed ? interval.ns() : 0};
        auto next = clock::now() + pause;
        std::unique_lock lock{mutex_};
        auto const woken = [this] { return work_ || stop_; };
        while (!stop_) {
            bool due = false;
            if (timed) due = !changed_.wait_until(lock, next, woken) || clock::now() >= next;
            else changed_.wait(lock, woken);
            if (stop_) return;
            work_ = false;
            lock.unlock();
            turn(due);
            if (due) next = clock::now() + pause;
            lock.lock();
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
