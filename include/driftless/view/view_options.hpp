// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_OPTIONS_HPP
#define DRIFTLESS_VIEW_VIEW_OPTIONS_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace driftless::inline v0 {

/// What a view does with a question when its job has not been heard of for longer than `max`.
struct freshness {
    enum class action : std::uint8_t {
        serve,  ///< answers, and marks the answer stale
        error   ///< throws error_code::stale
    };
    duration max = duration::max();  ///< inclusive; duration::max(): never too old, and the clock is not asked
    action then = action::serve;
};

/// Which earlier versions a view keeps, to be asked by as_of() and reported(). A version goes when it has been replaced
/// for longer than `keep`, or when there are more than `versions`, oldest first.
///
/// State       What a version has and the next one has not: some 16 rows for each that changed.
struct view_history {
    duration keep{};  ///< by the clock of the view; 0: no history
    std::size_t versions = ~std::size_t{0};  ///< at most so many
    duration every{};  ///< not more often than that; 0: each version, so that what readers saw is known exactly
};

/// Of a view.
struct view_options {
    std::string name = "view";  ///< in errors
    freshness fresh{};
    /// Rows of windows that ended so long before the watermark are dropped; duration::max(): none is. Rows without a
    /// window stay.
    duration keep = duration::max();
    view_history history{};
    std::uint64_t build = 0;  ///< of the logic that writes it: a greater one for a corrected program
    event_time (*clock)() = nullptr;  ///< for `published` and staleness; without one, the system's
};
}  // namespace driftless::inline v0
#endif
