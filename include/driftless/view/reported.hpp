// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_REPORTED_HPP
#define DRIFTLESS_VIEW_REPORTED_HPP

#include <driftless/view/answer.hpp>
#include <driftless/view/served_at.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace driftless::inline v0 {

/// A version of a view by its number: view.as_of(view_version{7}).
struct view_version {
    std::uint64_t number = 0;
};

/// Why a view says something else than it said.
enum class change_cause : std::uint8_t {
    first_result,  ///< it had said nothing: the window had not fired, or the key had not come
    more_data,     ///< it had said something early: records in time have come since
    late_data,     ///< a record that came behind the watermark
    correction,    ///< the row was replaced: its records have changed, or more of them have come where nothing is late
    removed,       ///< the row was taken away: its session was merged with another, its records were taken back
    new_build,     ///< other logic wrote it
    corrected,     ///< a deployment has corrected it: other logic, for a reason that was given
    rolled_back,   ///< readers were given an earlier version again
};
constexpr std::string_view to_string(change_cause why) noexcept {
    constexpr std::string_view names[] = {"first result", "more data", "late data", "correction", "removed",
        "new build", "corrected", "rolled back"};
    return names[static_cast<std::size_t>(why)];
}

/// When a view began to say something else, and why.
struct row_change {
    served_at at;
    change_cause why;
};

/// What a view says of what it said: see view::reported.
template <class V>
struct report_then {
    answer<V> then;
    answer<V> now;
    std::optional<row_change> changed;  ///< the first change after that; nothing: it is still so
};
}  // namespace driftless::inline v0
#endif
