// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_COUNT_WINDOW_HPP
#define DRIFTLESS_TIME_COUNT_WINDOW_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <cstdint>
#include <string_view>

namespace driftless::inline v0 {

/// Windows of so many records of a key, in the order of the log: the first n, the n after them, and so on.
///
/// Time        Event times do not matter: no record is late, and the watermark closes nothing. A window is named by the
///             places of its records among those of its key, from 0: [0, n), [n, 2n), as if they were nanoseconds. Its
///             row comes out with its last record, and has the greatest event time of its records. The last window
///             of a key, if it is not full, comes out when the input ends, at +inf as rows of global{} do.
/// Errors      A size of 0 is refused when the job starts (code invalid_argument).
/// Source      Apache Flink, countWindow(size), which drops a last window that is not full.
/// Example     examples/in_order.cpp
struct count_window {
    std::uint64_t size{};

    static constexpr std::string_view kind = "count_window";
    using counts_records = void;

    void validate() const {
        if (size != 0 && size <= static_cast<std::uint64_t>(detail::int64_limits::max())) return;
        throw error{error_code::invalid_argument,
            detail::sentence({"count_window needs a size > 0, not ", size, ": write count_window{100}"})};
    }
    constexpr void describe(auto&& parameter) const { parameter("size", size); }
    friend constexpr bool operator==(count_window const&, count_window const&) = default;
};
}  // namespace driftless::inline v0
#endif
