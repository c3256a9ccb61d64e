// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_PANE_HPP
#define DRIFTLESS_CORE_PANE_HPP

#include <driftless/core/time.hpp>

#include <compare>
#include <cstdint>
#include <string_view>

namespace driftless::inline v0 {

/// The key of a stream that has none.
struct unkeyed {
    friend constexpr auto operator<=>(unkeyed, unkeyed) = default;
};

/// When a pane came out, relative to the watermark.
enum class timing : std::uint8_t {
    early,    ///< before the watermark reached the end of the window
    on_time,  ///< by the watermark move that reached it; at most one per (key, window)
    late,     ///< afterwards
};

constexpr std::string_view to_string(timing when) noexcept {
    return when == timing::early ? "early" : when == timing::on_time ? "on time"
                                                                     : "late";
}

/// Which of the panes of its (key, window) a pane is (SEMANTICS section 4).
struct pane_info {
    driftless::timing timing = driftless::timing::on_time;
    std::int32_t index = 0;                  ///< counts emitted panes from 0
    std::int32_t non_speculative_index = 0;  ///< -1 for early panes, then counts from 0
    bool first = true;
    bool last = true;  ///< no further pane can follow

    friend constexpr bool operator==(pane_info const&, pane_info const&) = default;
};

/// One result of one key and window.
///
/// State       Borrowed while it is pushed: a `text` in key or value is valid for the push only.
///             A range returned by `run` holds panes that own their data.
template <class Key, class Value>
struct pane {
    Key key{};
    time_window window{};
    Value value{};
    pane_info info{};
};

template <class T>
inline constexpr bool is_pane = false;
template <class Key, class Value>
inline constexpr bool is_pane<pane<Key, Value>> = true;

/// A value with its event time: what tests and hand-made logs are made of.
template <class T>
struct event {
    T value{};
    event_time at{};

    friend constexpr bool operator==(event const&, event const&) = default;
};
template <class T>
event(T, event_time) -> event<T>;

template <class T>
inline constexpr bool is_event = false;
template <class T>
inline constexpr bool is_event<event<T>> = true;
}  // namespace driftless::inline v0
#endif
