// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_SLIDING_PER_RECORD_HPP
#define DRIFTLESS_TIME_SLIDING_PER_RECORD_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <string_view>

namespace driftless::inline v0 {

/// Windows that slide from record to record: all sets of records of a key that lie within `difference` of each other.
///
/// Time        A record at t makes the window that ends with it, [t - difference, t + 1 ns), and the one that starts
///             behind it, [t + 1 ns, t + difference + 2 ns), if that holds a record. Records exactly `difference`
///             apart share a window.
///             A record is judged by the window that ends with it, and stands in the books once: refused as late iff
///             watermark >= t + 1 ns + allowed lateness. A refused one still counts for windows that are open, of
///             which the last closes at t + difference + 1 ns + allowed lateness.
/// State       A record is kept until watermark >= t + difference + 2 ns + allowed lateness.
/// Errors      A difference < 0 is refused when the job starts (code invalid_argument).
/// Source      Apache Kafka, SlidingWindows (KIP-450); case W-10.
struct sliding_per_record {
    duration difference{};

    static constexpr std::string_view kind = "sliding_per_record";
    using windows_per_record = void;

    /// The window that ends with a record at `at`, and the one that starts behind it.
    [[nodiscard]] constexpr time_window ending_with(event_time at) const noexcept {
        return {at - difference, at + duration{1}};
    }
    [[nodiscard]] constexpr time_window starting_behind(event_time at) const noexcept {
        return {at + duration{1}, at + difference + duration{2}};
    }
    void validate() const {
        if (difference >= duration{}) return;
        throw error{error_code::invalid_argument,
            detail::sentence({"sliding_per_record needs a difference >= 0, not ", difference.ns(),
                " ns: write sliding_per_record{5_min}"})};
    }
    constexpr void describe(auto&& parameter) const { parameter("difference", difference); }
    friend constexpr bool operator==(sliding_per_record const&, sliding_per_record const&) = default;
};
}  // namespace driftless::inline v0
#endif
