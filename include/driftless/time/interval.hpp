// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_INTERVAL_HPP
#define DRIFTLESS_TIME_INTERVAL_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <string_view>

namespace driftless::inline v0 {

/// How far the right record of a join may be from the left one: right.at - left.at lies between `lo` and `hi`.
///
/// Time        Both bounds belong to it. interval{lo, hi}.open_below() leaves `lo` out, .open_above() leaves `hi` out.
///             Negative: the right record is the earlier one.
/// Errors      When the job starts: a bound that is infinite, an interval that holds nothing (invalid_argument).
struct interval {
    duration lo{};
    duration hi{};
    bool lo_is_out = false;
    bool hi_is_out = false;

    [[nodiscard]] constexpr interval open_below() const noexcept { return {lo, hi, true, hi_is_out}; }
    [[nodiscard]] constexpr interval open_above() const noexcept { return {lo, hi, lo_is_out, true}; }
    [[nodiscard]] constexpr interval open() const noexcept { return {lo, hi, true, true}; }

    /// The least and the greatest difference that belong to it.
    [[nodiscard]] constexpr duration least() const noexcept { return lo_is_out ? lo + duration{1} : lo; }
    [[nodiscard]] constexpr duration greatest() const noexcept { return hi_is_out ? hi - duration{1} : hi; }

    void validate() const {
        if (lo == duration::min() || lo == duration::max() || hi == duration::min() || hi == duration::max()) {
            throw error{error_code::invalid_argument,
                "interval needs finite bounds: records outside them are what a join may forget"};
        }
        if (greatest() < least()) {
            throw error{error_code::invalid_argument,
                detail::sentence({"interval holds nothing: it needs lo <= hi, not ", lo.ns(), " ns and ", hi.ns(),
                    lo_is_out || hi_is_out ? " ns with an open side" : " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("lo", lo);
        parameter("hi", hi);
        if (lo_is_out) parameter("open_below", true);
        if (hi_is_out) parameter("open_above", true);
    }
    friend constexpr bool operator==(interval const&, interval const&) = default;
};
}  // namespace driftless::inline v0
#endif
