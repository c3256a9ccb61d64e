// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_READERS_HPP
#define DRIFTLESS_VIEW_DETAIL_READERS_HPP

#include <driftless/core/config.hpp>
#include <driftless/log/detail/process_barrier.hpp>

#include <atomic>
#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define DRIFTLESS_SEES_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DRIFTLESS_SEES_THREADS 1
#endif
#endif

// Who reads what a writer is about to throw away: epoch-based reclamation (K. Fraser, "Practical lock-freedom", 2004),
// with the barrier on the side of the writer (membarrier(2)) where the system has it. A reader writes one line of its
// own, and waits for nobody; neither does the writer, who keeps what may still be read.

namespace driftless::inline v0::detail {

/// Where a thread says that it reads.
struct alignas(64) reader_place {
    std::atomic<std::uint64_t> since{0};  // 0: it does not
    std::atomic<bool> taken{true};
    reader_place* next = nullptr;  // set once
    unsigned depth = 0;            // of the thread alone
    bool must_fence = true;
};

/// The places of all threads of this process, for all views.
class reader_registry {
    std::atomic<reader_place*> first_{nullptr};
    std::atomic<std::uint64_t> now_{1};

public:
    constexpr reader_registry() noexcept = default;

    [[nodiscard]] std::uint64_t now() const noexcept { return now_.load(std::memory_order_acquire); }
    /// What has been hidden from readers before the call may be dropped when oldest() is greater than this.
    [[nodiscard]] std::uint64_t stamp() noexcept { return now_.fetch_add(1, std::memory_order_seq_cst); }
    /// The least time since which somebody reads; all ones if nobody does.
    [[nodiscard]] std::uint64_t oldest() noexcept {
        if (has_process_barrier()) process_barrier();
        auto least = ~std::uint64_t{0};
        for (auto* at = first_.load(std::memory_order_seq_cst); at != nullptr; at = at->next) {
            auto const since = at->since.load(std::memory_order_seq_cst);
            if (since != 0 && since < least) least = since;
        }
        return least;
    }
    /// Places are never freed: threads that come take those of threads that went.
    [[nodiscard]] DRIFTLESS_NOINLINE reader_place* enter() {
        for (auto* at = first_.load(std::memory_order_acquire); at != nullptr; at = at->next) {
            bool taken = false;
            if (at->taken.compare_exchange_strong(taken, true, std::memory_order_acq_rel)) return at;
        }
        auto* const fresh = new reader_place;
#if !defined(DRIFTLESS_SEES_THREADS)
        fresh->must_fence = !has_process_barrier();
#endif
        fresh->next = first_.load(std::memory_order_relaxed);
        while (!first_.compare_exchange_weak(fresh->next, fresh, std::memory_order_seq_cst)) {}
        return fresh;
    }
};
inline constinit reader_registry all_readers;
inline constinit thread_local reader_place* my_reader_place = nullptr;

/// Gives the place of a thread back when the thread ends.
struct reader_place_owner {
    ~reader_place_owner() {
        my_reader_place->taken.store(false, std::memory_order_release);
        my_reader_place = nullptr;
    }
};
DRIFTLESS_NOINLINE inline void take_reader_place() {
    my_reader_place = all_readers.enter();
    static thread_local reader_place_owner const owner;
    static_cast<void>(owner);
}

/// While it lives, nothing that this thread finds through a root that it loads afterwards is dropped.
class reading {
    reader_place* place_;

public:
    DRIFTLESS_INLINE reading() {
        if (my_reader_place == nullptr) [[unlikely]]
            take_reader_place();
        place_ = my_reader_place;
        if (place_->depth++ != 0) return;
        auto const now = all_readers.now();
        if (place_->must_fence) [[unlikely]] {
            place_->since.exchange(now, std::memory_order_seq_cst);
        } else {
            place_->since.store(now, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst);  // for the processor: oldest()
        }
    }
    reading(reading const&) = delete;
    reading& operator=(reading const&) = delete;
    DRIFTLESS_INLINE ~reading() {
        if (--place_->depth == 0) place_->since.store(0, std::memory_order_release);
    }
};
}  // namespace driftless::inline v0::detail
#endif
