// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_PROCESS_BARRIER_HPP
#define DRIFTLESS_LOG_DETAIL_PROCESS_BARRIER_HPP

#include <driftless/core/config.hpp>

#include <atomic>
#include <thread>

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace driftless::inline v0::detail {

#ifdef __linux__
/// True if process_barrier works here: Linux from 4.14 on, unless the call is forbidden.
inline bool has_process_barrier() noexcept {
    static bool const registered = ::syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    return registered;
}
/// Every thread of the process passes a full memory barrier: the expensive side of a pair whose other side, which runs
/// for every record, then needs none (an asymmetric Dekker handshake; membarrier(2)). Takes some microseconds.
inline void process_barrier() noexcept {
    if (::syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
    // A child that was forked may have to register by itself.
    ::syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    bool const done = ::syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    DRIFTLESS_ASSERT(done, "the system call membarrier worked before and does not any more");
    if (!done) __builtin_trap();
}
#else
constexpr bool has_process_barrier() noexcept { return false; }
inline void process_barrier() noexcept {}
#endif

/// What one thread may do alone without a lock, for as long as no other thread wants to: biased locking (Kawachiya,
/// Koseki, Onodera 2002). Everybody else holds the mutex that goes with it, and calls revoke() first.
///
/// State       A place for each of the first four threads that call: the fifth always takes the mutex.
class biased_entry {
    static constexpr unsigned calls_in_a_row = 32;  // by one thread, until it gets in without the mutex
    static constexpr int nobody = -1;

    struct place {
        std::atomic<void const*> thread{nullptr};  // set once
        std::atomic<bool> inside{false};
    };
    place places_[4];
    std::atomic<int> open_{nobody};  // whose place lets in
    int last_ = nobody;
    unsigned in_a_row_ = 0;

    static void const* this_thread() noexcept {
        static thread_local char const token = 0;
        return &token;
    }

public:
    /// The place of the caller, who is inside now: leave(it) must follow. Or a negative number.
    [[nodiscard]] int try_enter() noexcept {
        int const at = open_.load(std::memory_order_relaxed);
        if (at == nobody || places_[at].thread.load(std::memory_order_relaxed) != this_thread()) return nobody;
        places_[at].inside.store(true, std::memory_order_relaxed);
        // For the compiler; for the processor there is the process_barrier of revoke().
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (open_.load(std::memory_order_relaxed) == at) return at;
        leave(at);
        return nobody;
    }
    void leave(int at) noexcept { places_[at].inside.store(false, std::memory_order_release); }

    /// Nobody is inside any more, or gets in.
    void revoke() noexcept {
        auto const at = open_.load(std::memory_order_relaxed);
        if (at == nobody) return;
        open_.store(nobody, std::memory_order_relaxed);
        if (places_[at].thread.load(std::memory_order_relaxed) == this_thread()) return;
        in_a_row_ = 0;
        process_barrier();
        while (places_[at].inside.load(std::memory_order_acquire)) std::this_thread::yield();
    }
    /// The caller has done with the mutex what it would like to do without; often enough, and it gets in.
    void note_call() noexcept {
        auto const me = this_thread();
        int at = 0;
        while (at < 4) {
            auto const thread = places_[at].thread.load(std::memory_order_relaxed);
            if (thread == me) break;
            if (thread == nullptr) {
                places_[at].thread.store(me, std::memory_order_relaxed);
                break;
            }
            ++at;
        }
        if (at == 4) return;
        if (last_ != at) in_a_row_ = 0;
        last_ = at;
        if (++in_a_row_ >= calls_in_a_row && has_process_barrier()) open_.store(at, std::memory_order_relaxed);
    }
};
}  // namespace driftless::inline v0::detail
#endif
