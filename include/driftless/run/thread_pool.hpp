// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_THREAD_POOL_HPP
#define DRIFTLESS_RUN_THREAD_POOL_HPP

#include <driftless/core/executor.hpp>
#include <driftless/op/detail/shards.hpp>
#include <driftless/run/detail/partition_workers.hpp>
#include <driftless/run/threads.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace driftless::inline v0 {

/// The executor with a thread per worker.
///
/// State       One queue per worker; what is in it is bounded by those who submit (stages keep a fixed number
///             of chunks under way).
/// Threads     submit and wait are for one thread, the one that runs the job.
/// Complexity  One lock per submit, take and wait.
class thread_pool final : public executor {
    struct worker {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<work_item*> queue;
        std::size_t submitted = 0;
        std::size_t done = 0;
        bool stop = false;
        std::thread thread;
    };
    std::vector<std::unique_ptr<worker>> workers_;

public:
    explicit thread_pool(std::size_t count) {
        workers_.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            workers_.push_back(std::make_unique<worker>());
            auto& one = *workers_.back();
            one.thread = std::thread{[&one] { serve(one); }};
        }
    }
    thread_pool(thread_pool const&) = delete;
    thread_pool& operator=(thread_pool const&) = delete;
    ~thread_pool() {
        for (auto const& each : workers_) {
            {
                std::lock_guard const lock{each->mutex};
                each->stop = true;
            }
            each->changed.notify_all();
        }
        for (auto const& each : workers_) {
            if (each->thread.joinable()) each->thread.join();
        }
    }

    [[nodiscard]] std::size_t workers() const noexcept override { return workers_.size(); }
    std::size_t submit(std::size_t index, work_item& item) override {
        auto& to = *workers_[index];
        std::size_t ticket = 0;
        {
            std::lock_guard const lock{to.mutex};
            to.queue.push_back(&item);
            ticket = ++to.submitted;
        }
        to.changed.notify_all();
        return ticket;
    }
    void wait(std::size_t index, std::size_t ticket) override {
        auto& on = *workers_[index];
        std::unique_lock lock{on.mutex};
        on.changed.wait(lock, [&] { return on.done >= ticket; });
    }

private:
    static void serve(worker& self) {
        std::unique_lock lock{self.mutex};
        for (;;) {
            self.changed.wait(lock, [&] { return self.stop || !self.queue.empty(); });
            if (self.queue.empty()) return;
            auto* const item = self.queue.front();
            self.queue.pop_front();
            lock.unlock();
            item->work();
            lock.lock();
            ++self.done;
            self.changed.notify_all();
        }
    }
};

namespace detail {
template <class Count>
struct thread_pool_for {
    static executor_handle start(std::size_t count) {
        return {new thread_pool{count}, [](executor* made) { delete static_cast<thread_pool*>(made); }};
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
