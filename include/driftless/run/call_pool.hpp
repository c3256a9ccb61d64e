// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_CALL_POOL_HPP
#define DRIFTLESS_RUN_CALL_POOL_HPP

#include <driftless/core/call_executor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace driftless::inline v0 {

/// Threads that call the outside for enrich: each call has one to itself while it runs.
///
/// State       At most `count` threads, started when a call finds none free; a queue, bounded by those who submit.
/// Threads     All of it may be called from any thread, by several operators. It has to outlive them.
/// Errors      std::system_error where the first thread cannot be started; with fewer than `count` it goes on.
/// Complexity  One lock to submit, one to begin and one to end a call.
class call_pool final : public call_executor {
    std::size_t const most_;
    std::mutex mutex_;
    std::condition_variable queued_;
    std::condition_variable returned_;
    std::deque<work_item*> queue_;
    std::size_t free_ = 0;
    bool stop_ = false;
    std::atomic<std::uint64_t> finished_{0};
    std::vector<std::thread> threads_;

public:
    explicit call_pool(std::size_t count) : most_(count < 1 ? 1 : count) {}
    call_pool(call_pool const&) = delete;
    call_pool& operator=(call_pool const&) = delete;
    /// Waits for the calls that have been submitted.
    ~call_pool() {
        {
            std::lock_guard const lock{mutex_};
            stop_ = true;
        }
        queued_.notify_all();
        for (auto& each : threads_) each.join();
    }

    void submit(work_item& call) override {
        {
            std::lock_guard const lock{mutex_};
            if (queue_.size() >= free_ && threads_.size() < most_) start_thread();
            queue_.push_back(&call);
        }
        queued_.notify_one();
    }
    [[nodiscard]] std::uint64_t finished() const noexcept override {
        return finished_.load(std::memory_order_acquire);
    }
    void wait(std::uint64_t seen, duration at_most) override {
        // The clock of the condition variable cannot count to +inf.
        auto const most = std::chrono::nanoseconds{std::clamp<std::int64_t>(at_most.ns(), 0, 3'600'000'000'000)};
        std::unique_lock lock{mutex_};
        returned_.wait_for(lock, most, [&] { return finished() != seen; });
    }
    [[nodiscard]] duration now() const noexcept override {
        auto const since = std::chrono::steady_clock::now().time_since_epoch();
        return duration{std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
    }

private:
    /// With the lock held.
    void start_thread() {
        try {
            threads_.reserve(threads_.size() + 1);
            threads_.emplace_back([this] { serve(); });
            ++free_;
        } catch (...) {
            if (threads_.empty()) throw;
        }
    }
    void serve() {
        std::unique_lock lock{mutex_};
        for (;;) {
            queued_.wait(lock, [&] { return stop_ || !queue_.empty(); });
            if (queue_.empty()) return;
            auto* const call = queue_.front();
            queue_.pop_front();
            --free_;
            lock.unlock();
            call->work();
            lock.lock();
            ++free_;
            finished_.fetch_add(1, std::memory_order_release);
            returned_.notify_all();
        }
    }
};

namespace detail {
template <class Count>
struct call_pool_for {
    static call_executor_handle start(std::size_t count) {
        return {new call_pool{count}, [](call_executor* made) { delete static_cast<call_pool*>(made); }};
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
