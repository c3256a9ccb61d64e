// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_EXECUTOR_HPP
#define DRIFTLESS_CORE_EXECUTOR_HPP

#include <cstddef>

namespace driftless::inline v0 {

/// A piece of work for one worker of an executor.
class work_item {
public:
    work_item() = default;
    work_item(work_item const&) = delete;
    work_item& operator=(work_item const&) = delete;
    /// Runs on the worker. Must not throw: keep the exception and raise it after wait().
    virtual void work() noexcept = 0;

protected:
    ~work_item() = default;
};

/// The door through which stages use threads without knowing them.
///
/// A worker runs its items one at a time, in the order in which they were submitted. One thread
/// submits and waits. Everything written before submit() is seen by work(), everything written by
/// work() after wait().
class executor {
public:
    executor() = default;
    executor(executor const&) = delete;
    executor& operator=(executor const&) = delete;

    [[nodiscard]] virtual std::size_t workers() const noexcept = 0;
    /// Queues an item for worker w; it must stay alive until wait() returned for it.
    /// Returns its ticket: how many items that worker has been given so far.
    virtual std::size_t submit(std::size_t worker, work_item& item) = 0;
    /// Blocks until worker w is done with the item of that ticket. Several stages share the workers: each waits for
    /// its own.
    virtual void wait(std::size_t worker, std::size_t ticket) = 0;

protected:
    ~executor() = default;
};
}  // namespace driftless::inline v0
#endif
