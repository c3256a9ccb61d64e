// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_TIMER_HPP
#define DRIFTLESS_STATE_TIMER_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <vector>

// Timers are members of the state of a process function: plain times, saved by codec. They are set through the context
// of a callback, which checks them and sees to it that they fire.

namespace driftless::inline v0 {

/// A named timer: the member is its name, so that setting it again overwrites it. ByClock: of processing time.
template <bool ByClock>
class basic_timer {
    event_time at_ = event_time::max();

public:
    static constexpr bool by_clock = ByClock;
    static constexpr bool holds = false;
    using is_timer = void;

    [[nodiscard]] bool is_set() const noexcept { return at_ != event_time::max(); }
    /// When it fires; +inf if it is not set.
    [[nodiscard]] event_time at() const noexcept { return at_; }

    /// For the operator.
    [[nodiscard]] bool empty() const noexcept { return !is_set(); }
    [[nodiscard]] event_time next() const noexcept { return at_; }
    [[nodiscard]] event_time output_time() const noexcept { return at_; }
    void put(event_time at) noexcept { at_ = at; }
    void take() noexcept { at_ = event_time::max(); }
    void save(auto& out) const { out.write(at_); }
    void load(auto& in) { in.read(at_); }
};
/// Fires when the watermark has passed its time: watermark > at.
using event_timer = basic_timer<false>;
/// Fires when the clock has reached its time: clock >= at. A function with one is not replayable.
using clock_timer = basic_timer<true>;

/// A named timer of event time with an output time: what its callback emits has that time, and until it has fired the
/// watermark behind the operator does not pass it.
class holding_timer {
    event_time at_ = event_time::max();
    event_time output_ = event_time::max();

public:
    static constexpr bool by_clock = false;
    static constexpr bool holds = true;
    using is_timer = void;

    [[nodiscard]] bool is_set() const noexcept { return at_ != event_time::max(); }
    [[nodiscard]] event_time at() const noexcept { return at_; }

    [[nodiscard]] bool empty() const noexcept { return !is_set(); }
    [[nodiscard]] event_time next() const noexcept { return at_; }
    [[nodiscard]] event_time output_time() const noexcept { return output_; }
    void put(event_time at, event_time output) noexcept {
        at_ = at;
        output_ = output;
    }
    void take() noexcept { at_ = output_ = event_time::max(); }
    void save(auto& out) const { out.write(at_).write(output_); }
    void load(auto& in) {
        in.read(at_);
        in.read(output_);
    }
};

/// Timers by their times: each time once, any number of them.
template <bool ByClock>
class basic_timer_set {
    std::vector<event_time> all_{};  // the latest first

public:
    static constexpr bool by_clock = ByClock;
    static constexpr bool holds = false;
    using is_timer = void;
    using is_timer_set = void;

    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] bool contains(event_time at) const noexcept {
        auto const place = place_of(at);
        return place != all_.size() && all_[place] == at;
    }

    [[nodiscard]] event_time next() const noexcept { return all_.empty() ? event_time::max() : all_.back(); }
    [[nodiscard]] event_time output_time() const noexcept { return next(); }
    void put(event_time at) {
        auto const place = place_of(at);
        if (place != all_.size() && all_[place] == at) return;
        all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(place), at);
    }
    void remove(event_time at) {
        auto const place = place_of(at);
        if (place == all_.size() || all_[place] != at) return;
        all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(place));
    }
    void take() noexcept { all_.pop_back(); }
    void save(auto& out) const { out.write(all_); }
    void load(auto& in) { in.read(all_); }

private:
    /// The first place that is not later than `at`. (<algorithm> costs more to compile than this.)
    [[nodiscard]] std::size_t place_of(event_time at) const noexcept {
        std::size_t low = 0;
        std::size_t high = all_.size();
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            if (at < all_[middle]) low = middle + 1;
            else high = middle;
        }
        return low;
    }
};
using event_timer_set = basic_timer_set<false>;
using clock_timer_set = basic_timer_set<true>;

/// Which timer has fired: `if (fired.is(own.deadline))`.
struct fired_timer {
    event_time at;   ///< when it was set for
    void const* of;  ///< the member of the state

    template <class Timer>
    [[nodiscard]] bool is(Timer const& member) const noexcept {
        return of == static_cast<void const*>(&member);
    }
};
}  // namespace driftless::inline v0
#endif
