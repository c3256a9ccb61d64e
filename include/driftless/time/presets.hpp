// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_PRESETS_HPP
#define DRIFTLESS_TIME_PRESETS_HPP

#include <driftless/core/time.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/session.hpp>
#include <driftless/time/trigger.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

// What other engines do where they differ from us, each as one value: window(tumbling{1_h}, presets::flink,
// allowed_lateness{1_min}). A preset stands right behind the windows; what the options behind it say counts.
//
// What a preset does not change is said in docs/time.md: watermarks, idle inputs and timers are no part of window(...).

namespace driftless::inline v0 {

/// The windows of another assigner that do not begin before the epoch. A time that lies in none of them is counted as
/// `unassigned`, not as refused.
template <window_assigner W>
struct from_epoch {
    W assigner;

    static constexpr std::string_view kind = "from_epoch";

    template <class F>
    constexpr void assign_each(event_time at, F&& f) const {
        each_window(assigner, at, [&](time_window const& window) {
            if (window.start >= event_time{}) f(window);
        });
    }
    void validate() const { assigner.validate(); }
    constexpr void describe(auto&& parameter) const {
        parameter("of", W::kind);
        assigner.describe(parameter);
    }
    friend constexpr bool operator==(from_epoch const&, from_epoch const&) = default;
};
template <class W>
from_epoch(W) -> from_epoch<W>;

namespace detail {
template <class Option>
inline constexpr bool is_encoding = std::is_same_v<Option, accumulating> || std::is_same_v<Option, discarding>
    || std::is_same_v<Option, retracting>;
template <class... Options>
inline constexpr bool says_encoding = (is_encoding<Options> || ...);
template <class... Options>
inline constexpr bool says_trigger = (trigger<Options> || ...);

template <bool Given, class... Options>
constexpr auto options_if([[maybe_unused]] Options... options) {
    if constexpr (Given) return std::tuple<Options...>{options...};
    else return std::tuple<>{};
}
}  // namespace detail

namespace presets {
/// Apache Beam: panes are discarding. Sessions are collected at their end + allowed lateness, and the rows that a merge
/// swallows stay.
struct beam_t {
    using is_preset = void;
    template <class W>
    static constexpr W windows(W assigner) {
        return assigner;
    }
    template <class W, class... Options>
    static constexpr auto options(Options... given) {
        return std::tuple_cat(detail::options_if<!detail::says_encoding<Options...>>(discarding{}),
            detail::options_if<merging_windows<W>>(collect_at_end{}, keep_swallowed{}), std::tuple{given...});
    }
};
inline constexpr beam_t beam{};

/// Apache Flink: sessions that touch are one, are collected at their end + allowed lateness, lateness is asked of the
/// merged session, and the rows that a merge swallows stay. A trigger shows a pane also where nothing is new.
struct flink_t {
    using is_preset = void;
    template <class W>
    static constexpr auto windows(W assigner) {
        if constexpr (requires { assigner.joining_touching(); }) return assigner.joining_touching();
        else return assigner;
    }
    template <class W, class... Options>
    static constexpr auto options(Options... given) {
        constexpr bool merges = merging_windows<W>;
        return std::tuple_cat(detail::options_if<merges>(collect_at_end{}, keep_swallowed{}, merge_then_check{}),
            detail::options_if<detail::says_trigger<Options...>>(show_unchanged{}), std::tuple{given...});
    }
};
inline constexpr flink_t flink{};

/// Kafka Streams: every change is shown at once, there is no window before the epoch, and the gap of a session is
/// inclusive: records exactly one gap apart share one. Allowed lateness is its grace.
struct kafka_t {
    using is_preset = void;
    template <class W>
    static constexpr auto windows(W assigner) {
        if constexpr (requires { assigner.lengthened(duration{1}); }) return assigner.lengthened(duration{1});
        else if constexpr (assigns_one<W> || assigns_several<W>) return from_epoch<W>{assigner};
        else return assigner;
    }
    template <class W, class... Options>
    static constexpr auto options(Options... given) {
        constexpr bool says = detail::says_trigger<Options...>;
        return std::tuple_cat(detail::options_if<merging_windows<W>>(every_update{}, merge_then_check{}),
            detail::options_if < !merging_windows<W> && !says > (at_watermark().early(every(1)), on_time_if_new{}),
            std::tuple{given...});
    }
};
inline constexpr kafka_t kafka{};

/// Hazelcast Jet: a record behind the watermark is late, whatever its windows.
struct jet_t {
    using is_preset = void;
    template <class W>
    static constexpr W windows(W assigner) {
        return assigner;
    }
    template <class W, class... Options>
    static constexpr auto options(Options... given) {
        return std::tuple{element_level{}, given...};
    }
};
inline constexpr jet_t jet{};
}  // namespace presets
}  // namespace driftless::inline v0
#endif
