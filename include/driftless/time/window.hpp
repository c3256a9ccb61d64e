// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WINDOW_HPP
#define DRIFTLESS_TIME_WINDOW_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

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

/// Windows of one size that begin every `period`: [k * period + offset, k * period + offset + size). They overlap where
/// the period is smaller than the size; where it is larger, times between two windows belong to none.
///
/// Time        Half open; counted from the epoch, also before it. Bounds saturate at -inf and +inf.
/// Errors      A size or period <= 0 is refused when the job starts (code invalid_argument).
/// Complexity  assign_each is O(size / period), with one division. An aggregate asks it only where it cannot cut the
///             windows into slices.
/// Source      SEMANTICS section 1; cases W-01, W-04.
struct sliding {
    duration size{};
    duration period{};
    duration offset{};

    static constexpr std::string_view kind = "sliding";

    /// Calls f(window) for every window that holds `at`, the earliest first.
    template <class F>
    constexpr void assign_each(event_time at, F&& f) const {
        auto const floor_mod = [&](std::int64_t n) {
            auto const r = n % period.ns();
            return r < 0 ? r + period.ns() : r;
        };
        auto past_start = floor_mod(at.ns()) - floor_mod(offset.ns());
        if (past_start < 0) past_start += period.ns();
        if (past_start >= size.ns()) return;
        // The earliest window that holds `at` began this long before it.
        auto back = past_start + (size.ns() - 1 - past_start) / period.ns() * period.ns();
        for (;; back -= period.ns()) {
            f(time_window{event_time{detail::saturating_subtract(at.ns(), back)},
                event_time{detail::saturating_add(at.ns(), size.ns() - back)}});
            if (back < period.ns()) return;
        }
    }
    void validate() const {
        if (size > duration{} && period > duration{}) return;
        throw error{error_code::invalid_argument,
            detail::sentence({"sliding needs a size and a period > 0, not ", size.ns(), " ns every ", period.ns(),
                " ns: write sliding{1_h, 5_min}"})};
    }
    constexpr void describe(auto&& parameter) const {
        parameter("size", size);
        parameter("period", period);
        parameter("offset", offset);
    }
    friend constexpr bool operator==(sliding const&, sliding const&) = default;
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

/// Assigns each time one window: W::assign(at).
template <class W>
concept assigns_one = requires(W const& w, event_time at) {
    { w.assign(at) } -> std::same_as<time_window>;
    W::kind;
};
/// Assigns each time any number of windows: W::assign_each(at, f) calls f(window) by ascending (end, start).
template <class W>
concept assigns_several = !assigns_one<W> && requires(W const& w, event_time at, void (&f)(time_window)) {
    w.assign_each(at, f);
    W::kind;
};
/// Windows that each record makes for itself and that merge: session.
template <class W>
concept merging_windows = requires { typename W::merges_windows; };
/// Windows that count the records of a key, and that no time closes: count_window.
template <class W>
concept counting_windows = requires { typename W::counts_records; };
/// Windows that the records of a key make together, one or two each: sliding_per_record.
template <class W>
concept record_windows = requires { typename W::windows_per_record; };
/// A window assigner: what may stand first in window(...).
template <class W>
concept window_assigner =
    assigns_one<W> || assigns_several<W> || merging_windows<W> || counting_windows<W> || record_windows<W>;
/// The watermark closes these windows, the last one of a key included.
template <class W>
inline constexpr bool closed_by_watermark = !std::is_same_v<W, global> && !counting_windows<W>;

/// Calls f(window) for every window that an assigner gives to a time, by ascending (end, start); returns how many.
template <window_assigner W, class F>
constexpr std::size_t each_window(W const& assigner, event_time at, F&& f) {
    std::size_t windows = 0;
    auto const count = [&](time_window const& window) {
        ++windows;
        f(window);
    };
    if constexpr (assigns_one<W>) count(assigner.assign(at));
    else assigner.assign_each(at, count);
    return windows;
}

namespace detail {
/// The first end of a window that holds a time; the time itself where none does: then every move of a watermark counts.
template <window_assigner W>
constexpr event_time first_end_after(W const& assigner, event_time at) {
    auto first = at;
    each_window(assigner, at, [&](time_window const& window) {
        if (first == at || window.end < first) first = window.end;
    });
    return first;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
