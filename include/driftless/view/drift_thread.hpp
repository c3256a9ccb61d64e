// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DRIFT_THREAD_HPP
#define DRIFTLESS_VIEW_DRIFT_THREAD_HPP

#include <driftless/core/time.hpp>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

namespace driftless::inline v0 {

/// Polls a drift_watch on a thread of its own, until it is destroyed.
///
/// Time        What is due says the clock of the watch; it is looked at every `look`, of real time, and at each wake().
/// Errors      What a callback throws ends the thread's round, is kept in failure(), and does not end the thread.
/// Threads     The sides and callbacks of the watch are called by that thread. They, and the watch, outlive this.
class drift_thread {
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    bool woken_ = false;
    std::string failure_;
    std::thread thread_;

public:
    template <class Watch>
    explicit drift_thread(Watch& watch, duration look = duration{100'000'000})
        : thread_([this, &watch, look] { work(watch, look); }) {}
    drift_thread(drift_thread const&) = delete;
    drift_thread& operator=(drift_thread const&) = delete;
    ~drift_thread() {
        {
            std::lock_guard const lock{mutex_};
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    /// The clock may have moved.
    void wake() {
        {
            std::lock_guard const lock{mutex_};
            woken_ = true;
        }
        changed_.notify_all();
    }
    /// What a callback threw last; empty if none did.
    [[nodiscard]] std::string failure() const {
        std::lock_guard const lock{mutex_};
        return failure_;
    }

private:
    template <class Watch>
    void work(Watch& watch, duration look) {
        std::unique_lock lock{mutex_};
        while (!ending_) {
            woken_ = false;
            lock.unlock();
            std::string problem;
            try {
                watch.poll();
            } catch (std::exception const& thrown) {
                problem = thrown.what();
            }
            lock.lock();
            if (!problem.empty()) failure_ = problem;
            changed_.wait_for(lock, std::chrono::nanoseconds{look.ns()}, [&] { return ending_ || woken_; });
        }
    }
};
}  // namespace driftless::inline v0
#endif
