// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_PINNED_SWITCH_HPP
#define DRIFTLESS_VIEW_DETAIL_PINNED_SWITCH_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace driftless::inline v0::detail {
/// One of several values is the current one: readers pin it without a lock, one thread switches. What nobody pins any
/// more is freed after it was dropped.
///
/// State       A place per value that ever was, some 64 bytes: a reader may look at the place of a value that has gone.
/// Threads     pin() and pin_of() any number; the others one at a time.
/// Source      M. Michael, "Hazard Pointers" (2004): say what you hold, then look whether it still stands.
template <class T>
class pinned_switch {
public:
    class place {
        friend class pinned_switch;
        alignas(64) std::atomic<std::uint32_t> readers_{0};
        std::unique_ptr<T> value_;
        bool dropped_ = false;  // guarded by mutex_

    public:
        [[nodiscard]] T& operator*() const noexcept { return *value_; }
        [[nodiscard]] T* operator->() const noexcept { return value_.get(); }
    };
    using line = std::atomic<place*>;

    /// Holds a value while it lives.
    class pin {
        place* held_ = nullptr;

    public:
        pin() = default;
        explicit pin(place* held) noexcept : held_(held) {}
        pin(pin&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
        pin& operator=(pin&& other) noexcept {
            std::swap(held_, other.held_);
            return *this;
        }
        ~pin() {
            if (held_ != nullptr) held_->readers_.fetch_sub(1, std::memory_order_release);
        }
        explicit operator bool() const noexcept { return held_ != nullptr; }
        [[nodiscard]] T& operator*() const noexcept { return **held_; }
        [[nodiscard]] T* operator->() const noexcept { return &**held_; }
    };

private:
    std::deque<place> places_;  // never move
    mutable std::mutex mutex_;

public:
    pinned_switch() = default;
    pinned_switch(pinned_switch const&) = delete;
    pinned_switch& operator=(pinned_switch const&) = delete;

    place* add(std::unique_ptr<T> value) {
        std::lock_guard const lock{mutex_};
        auto& made = places_.emplace_back();
        made.value_ = std::move(value);
        return &made;
    }
    /// What a line points to; nothing if it is null. Lock-free: it is tried again only when the line was switched in
    /// between.
    [[nodiscard]] static pin pin_current(line const& from) noexcept {
        for (;;) {
            auto* const found = from.load(std::memory_order_seq_cst);
            if (found == nullptr) return {};
            found->readers_.fetch_add(1, std::memory_order_seq_cst);
            pin held{found};
            if (from.load(std::memory_order_seq_cst) == found) return held;
        }
    }
    /// The first value for which that holds.
    template <class F>
    [[nodiscard]] pin find(F&& f) const {
        std::lock_guard const lock{mutex_};
        for (auto& each : places_) {
            if (each.dropped_ || !f(*each.value_)) continue;
            auto& found = const_cast<place&>(each);
            found.readers_.fetch_add(1, std::memory_order_seq_cst);
            return pin{&found};
        }
        return {};
    }
    /// No line points to it any more: it goes when the last reader has gone.
    void drop(place& gone) {
        std::lock_guard const lock{mutex_};
        gone.dropped_ = true;
        sweep();
    }
    /// Frees what was dropped and is not read any more.
    void collect() {
        std::lock_guard const lock{mutex_};
        sweep();
    }

private:
    void sweep() {
        for (auto& each : places_) {
            if (each.dropped_ && each.value_ && each.readers_.load(std::memory_order_seq_cst) == 0) each.value_.reset();
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
