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

/// Of a view.
struct view_options {
    std::string name = "view";  ///< in errors
    freshness fresh{};
    /// Rows of windows that ended so long before the watermark are dropped; duration::max(): none is. Rows without a
    /// window stay.
    duration keep = duration::max();
    event_time (*clock)() = nullptr;  ///< for `published` and staleness; without one, the system's
};
}  // namespace driftless::inline v0
#endif
