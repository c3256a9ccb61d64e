// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WINDOW_HPP
#define DRIFTLESS_TIME_WINDOW_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Windows of one size that follow one another: [k * size + offset, (k + 1) * size + offset).
///
/// Time        Half open; counted from the epoch, also before it. `offset` may be negative or larger
///             than the size. Bounds saturate at -inf and +inf.
/// Errors      A size <= 0 is refused when the job starts (code invalid_argument).
/// Complexity  assign is O(1) with one division; stages cache the current window.
struct tumbling {
    duration size{};
    duration offset{};

    static constexpr std::string_view kind = "tumbling";

    /// The window that holds `at`.
    [[nodiscard]] constexpr time_window assign(event_time at) const noexcept {
        auto const floor_mod = [&](std::int64_t n) {
            auto const r = n % size.ns();
            return r < 0 ? r + size.ns() : r;
        };
        auto past_start = floor_mod(at.ns()) - floor_mod(offset.ns());
        if (past_start < 0) past_start += size.ns();
        return {event_time{detail::saturating_subtract(at.ns(), past_start)},
            event_time{detail::saturating_add(at.ns(), size.ns() - past_start)}};
    }
    void validate() const {
        if (size <= duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"tumbling needs a size > 0, not ", size.ns(), " ns: write tumbling{1_h}"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("size", size);
        parameter("offset", offset);
    }
    friend constexpr bool operator==(tumbling const&, tumbling const&) = default;
};

/// One window for all of time, which closes with the input.
struct global {
    static constexpr std::string_view kind = "global";

    [[nodiscard]] constexpr time_window assign(event_time) const noexcept { return {}; }
    void validate() const {}
    constexpr void describe(auto&&) const {}
    friend constexpr bool operator==(global const&, global const&) = default;
};

/// How long after its end a window still takes records.
///
/// Time        A record is refused for a window iff watermark >= window end + bound; its state is
///             collected at the same moment.
struct allowed_lateness {
    duration bound{};

    void validate() const {
        if (bound < duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"allowed_lateness needs a bound >= 0, not ", bound.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const { parameter("allowed lateness", bound); }
    friend constexpr bool operator==(allowed_lateness const&, allowed_lateness const&) = default;
};

/// A window assigner: what may stand first in window(...).
template <class W>
concept window_assigner = requires(W const& w, event_time at) {
    { w.assign(at) } -> std::same_as<time_window>;
    W::kind;
};
}  // namespace driftless::inline v0
#endif
