// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_CALL_EXECUTOR_HPP
#define DRIFTLESS_CORE_CALL_EXECUTOR_HPP

#include <driftless/core/executor.hpp>
#include <driftless/core/time.hpp>

#include <cstdint>
#include <utility>

namespace driftless::inline v0 {

/// Where calls to the outside run: the door through which enrich uses threads and a clock without knowing them.
///
/// One of yours may run them wherever it likes, for several operators at a time. What work() has written is seen by
/// whoever sees finished() grow.
class call_executor {
public:
    call_executor() = default;
    call_executor(call_executor const&) = delete;
    call_executor& operator=(call_executor const&) = delete;

    /// Has call.work() run, on a thread of its choice; does not wait. Does not touch the call once work() has returned.
    virtual void submit(work_item& call) = 0;
    /// How many calls have returned so far.
    [[nodiscard]] virtual std::uint64_t finished() const noexcept = 0;
    /// Blocks until finished() != seen, or `at_most` has passed.
    virtual void wait(std::uint64_t seen, duration at_most) = 0;
    /// What timeouts and pauses are measured by: time since whenever, which never goes back.
    [[nodiscard]] virtual duration now() const noexcept = 0;

protected:
    ~call_executor() = default;
};

namespace detail {
/// Owns a call_executor without knowing its type, or borrows one.
class call_executor_handle {
    call_executor* executor_ = nullptr;
    void (*destroy_)(call_executor*) = nullptr;

public:
    call_executor_handle() = default;
    call_executor_handle(call_executor* made, void (*destroy)(call_executor*)) : executor_(made), destroy_(destroy) {}
    call_executor_handle(call_executor_handle&& other) noexcept
        : executor_(std::exchange(other.executor_, nullptr)), destroy_(other.destroy_) {}
    call_executor_handle& operator=(call_executor_handle&&) = delete;
    ~call_executor_handle() {
        if (executor_ != nullptr && destroy_ != nullptr) destroy_(executor_);
    }
    [[nodiscard]] call_executor* operator->() const noexcept { return executor_; }
};

template <class Count>
struct call_pool_for;  // run/call_pool.hpp
template <class Count>
concept call_pool_included = requires { sizeof(call_pool_for<Count>); };
}  // namespace detail
}  // namespace driftless::inline v0
#endif
