// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SLICE_GRID_HPP
#define DRIFTLESS_OP_DETAIL_SLICE_GRID_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/window.hpp>

#include <cstdint>

namespace driftless::inline v0::detail {

/// Cuts time into slices where sliding windows begin and end, so that each window is a run of whole slices. A period
/// has one slice; two where the size is no multiple of it.
///
/// Time        Windows and slices are numbered from those that begin at the offset; numbers below 0 lie before it.
///             Spans saturate as those of sliding do.
/// Complexity  Everything is O(1): a division where a time is asked about.
/// Source      S. Krishnamurthy, C. Wu, M. Franklin, "On-the-Fly Sharing for Streamed Aggregation" (SIGMOD 2006).
class slice_grid {
    std::int64_t size_;
    std::int64_t period_;
    std::int64_t offset_;  // in [0, period)
    std::int64_t whole_;   // periods in a window
    std::int64_t cut_;     // what is left of it: where the second slice of a period begins; 0 if there is none

public:
    constexpr explicit slice_grid(sliding const& of) noexcept
        : size_(of.size.ns()),
          period_(of.period.ns() > 0 ? of.period.ns() : 1),  // a job refuses others, but makes its stages before that
          offset_(of.offset.ns() % period_ + (of.offset.ns() % period_ < 0 ? period_ : 0)),
          whole_(size_ / period_),
          cut_(size_ % period_) {}

    [[nodiscard]] constexpr std::int64_t period() const noexcept { return period_; }
    [[nodiscard]] constexpr std::int64_t cut() const noexcept { return cut_; }
    [[nodiscard]] constexpr std::int64_t slices_per_period() const noexcept { return cut_ == 0 ? 1 : 2; }
    /// The slices of the whole periods in a window; of one where it is shorter.
    [[nodiscard]] constexpr std::int64_t block() const noexcept {
        return slices_per_period() * (whole_ == 0 ? 1 : whole_);
    }

    /// The slice that holds a time.
    [[nodiscard]] constexpr std::int64_t slice_at(event_time at) const noexcept {
        auto const from_offset = int128{at.ns()} - offset_;
        auto const in = divided(from_offset);
        if (cut_ == 0) return in;
        return 2 * in + (from_offset - int128{in} * period_ >= cut_ ? 1 : 0);
    }
    [[nodiscard]] constexpr time_window span_of_slice(std::int64_t slice) const noexcept {
        return {start_of_slice(slice), start_of_slice(slice + 1)};
    }
    [[nodiscard]] constexpr event_time start_of_slice(std::int64_t slice) const noexcept {
        if (cut_ == 0) return narrowed(int128{slice} * period_ + offset_);
        auto const second = slice % 2 != 0;
        return narrowed(int128{slice - (second ? 1 : 0)} / 2 * period_ + offset_ + (second ? cut_ : 0));
    }

    [[nodiscard]] constexpr time_window window(std::int64_t number) const noexcept {
        auto const start = int128{number} * period_ + offset_;
        return {narrowed(start), narrowed(start + size_)};
    }
    /// A window is the slices [begin_of(number), end_of(number)).
    [[nodiscard]] constexpr std::int64_t begin_of(std::int64_t number) const noexcept {
        return saturating_multiply(slices_per_period(), number);
    }
    [[nodiscard]] constexpr std::int64_t end_of(std::int64_t number) const noexcept {
        return saturating_add(begin_of(saturating_add(number, whole_)), cut_ == 0 ? 0 : 1);
    }
    /// The windows that a slice lies in: [first_with(slice), last_with(slice)]; the last before the first if in none.
    [[nodiscard]] constexpr std::int64_t first_with(std::int64_t slice) const noexcept {
        if (cut_ == 0) return saturating_subtract(slice, whole_ - 1);
        // The first slice of a period is also the last one of a window, the second is not.
        auto const second = slice % 2 != 0;
        auto const in = (slice - (second ? 1 : 0)) / 2;
        return saturating_subtract(in, second ? whole_ - 1 : whole_);
    }
    [[nodiscard]] constexpr std::int64_t last_with(std::int64_t slice) const noexcept {
        if (cut_ == 0) return slice;
        return (slice - (slice % 2 != 0 ? 1 : 0)) / 2;
    }
    /// How many they are.
    [[nodiscard]] constexpr std::uint64_t windows_with(std::int64_t slice) const noexcept {
        return static_cast<std::uint64_t>(whole_ + (cut_ != 0 && slice % 2 == 0 ? 1 : 0));
    }
    /// The first window that a watermark does not close.
    [[nodiscard]] constexpr std::int64_t first_open(event_time watermark) const noexcept {
        if (watermark == event_time::max()) return int64_limits::max();
        return saturating_add(divided(int128{watermark.ns()} - offset_ - size_), 1);
    }

private:
    /// In whole periods, rounded towards -inf; saturates.
    [[nodiscard]] constexpr std::int64_t divided(int128 ns) const noexcept {
        auto const quotient = ns / period_ - (ns % period_ < 0 ? 1 : 0);
        if (quotient < int128{int64_limits::min()}) return int64_limits::min();
        if (quotient > int128{int64_limits::max()}) return int64_limits::max();
        return static_cast<std::int64_t>(quotient);
    }
    [[nodiscard]] static constexpr event_time narrowed(int128 ns) noexcept {
        if (ns < int128{int64_limits::min()}) return event_time::min();
        if (ns > int128{int64_limits::max()}) return event_time::max();
        return event_time{static_cast<std::int64_t>(ns)};
    }
};
}  // namespace driftless::inline v0::detail
#endif
