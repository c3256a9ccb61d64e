// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_THREADS_HPP
#define DRIFTLESS_RUN_THREADS_HPP

#include <driftless/core/executor.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class Count>
struct thread_pool_for;  // run/thread_pool.hpp

/// Owns an executor without knowing its type.
class executor_handle {
    executor* executor_ = nullptr;
    void (*destroy_)(executor*) = nullptr;

public:
    executor_handle() = default;
    executor_handle(executor* made, void (*destroy)(executor*)) : executor_(made), destroy_(destroy) {}
    executor_handle(executor_handle&& other) noexcept
        : executor_(std::exchange(other.executor_, nullptr)), destroy_(other.destroy_) {}
    executor_handle& operator=(executor_handle&&) = delete;
    ~executor_handle() {
        if (executor_ != nullptr) destroy_(executor_);
    }
    [[nodiscard]] executor* get() const noexcept { return executor_; }
};

template <class Count>
concept thread_pool_included = requires { sizeof(thread_pool_for<Count>); };
}  // namespace detail

/// One thread, said by the type: what is needed for more is not even compiled.
struct one_thread {
    [[nodiscard]] static detail::executor_handle start() { return {}; }
};

/// How many threads a run uses for keyed state: batch{.threads = 2}.
///
/// One thread needs nothing. More need the header with the thread pool, which the light headers leave
/// out: <driftless/run/thread_pool.hpp> (part of <driftless/driftless.hpp>).
///
/// Threads     Rows, their order, books and snapshots are those of one thread. From 2 on, functions given to aggregates
///             and joins are called by several threads at once; so are those of the operators before the first
///             aggregate (filter, map, flat_map, key_by, assign_time) where threads read the log themselves, which
///             docs/running.md tells. They have to be pure, or safe to be called so. Sinks and side outputs are called
///             by the thread that runs the job.
class thread_count {
    std::size_t count_ = 1;
    detail::executor_handle (*start_)(std::size_t) = nullptr;

public:
    constexpr thread_count() = default;
    template <std::integral Count>
    constexpr thread_count(Count count)  // NOLINT(google-explicit-constructor): batch{.threads = 2}
        : count_(count < 1 ? 1 : static_cast<std::size_t>(count)) {
        static_assert(detail::thread_pool_included<Count>,
            "driftless: .threads needs the thread pool: #include <driftless/run/thread_pool.hpp> (or "
            "<driftless/driftless.hpp>)");
        if constexpr (detail::thread_pool_included<Count>) start_ = &detail::thread_pool_for<Count>::start;
    }

    [[nodiscard]] constexpr std::size_t count() const noexcept { return count_; }
    [[nodiscard]] detail::executor_handle start() const {
        return count_ > 1 ? start_(count_) : detail::executor_handle{};
    }
};
namespace detail {
/// What a mode can be given as `.threads`: a number, or nothing.
template <class Threads>
using thread_count_of = std::conditional_t<std::is_same_v<Threads, one_thread>, one_thread, thread_count>;
}  // namespace detail
}  // namespace driftless::inline v0
#endif
