// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_PANE_OPTIONS_HPP
#define DRIFTLESS_TIME_PANE_OPTIONS_HPP

#include <driftless/core/time.hpp>

#include <concepts>
#include <string_view>

// What window(...) takes beside its assigner, allowed_lateness{} and a trigger. All are types: what is not written
// costs nothing.

namespace driftless::inline v0 {
namespace detail {
/// An option that is a name alone.
template <class Self>
struct pane_option {
    using is_pane_option = void;
    constexpr void validate() const {}
    constexpr void describe(auto&& parameter) const { parameter("panes", Self::kind); }
    friend constexpr bool operator==(pane_option const&, pane_option const&) = default;
};
}  // namespace detail

/// A pane shows all of its window so far: the default. A sink keeps the last one.
struct accumulating : detail::pane_option<accumulating> {
    static constexpr std::string_view kind = "accumulating";
};
/// A pane shows what has come since the pane before it: a sink that adds panes up.
///
/// Shape       An encoding at the output: operators in between see changes (old, new) as ever. map, filter and key_by
///             are applied to what is shown as well; an aggregate that regroups the rows shows accumulating panes.
struct discarding : detail::pane_option<discarding> {
    static constexpr std::string_view kind = "discarding";
};
/// A pane is accumulating, and before it the sink is told to take back the one it replaces: retract(old pane).
struct retracting : detail::pane_option<retracting> {
    static constexpr std::string_view kind = "retracting";
};

/// Allows a trigger that may fire for the last time while its window still takes records: they are refused then, with
/// reason `closed`.
struct allow_data_loss : detail::pane_option<allow_data_loss> {
    static constexpr std::string_view kind = "allow_data_loss";
};
/// No on-time pane that shows nothing new. Without it there is one for every window that has seen a record.
struct on_time_if_new : detail::pane_option<on_time_if_new> {
    static constexpr std::string_view kind = "on_time_if_new";
};
/// A pane each time that the trigger fires, also where it shows nothing new.
///
/// Source      SEMANTICS case F-11; as Flink does.
struct show_unchanged : detail::pane_option<show_unchanged> {
    static constexpr std::string_view kind = "show_unchanged";
};
/// A last pane when a window closes, also where it shows nothing new.
struct always_close : detail::pane_option<always_close> {
    static constexpr std::string_view kind = "always_close";
};

/// The event time of a pane is the last instant of its window: the default.
struct end_of_window_timestamp : detail::pane_option<end_of_window_timestamp> {
    static constexpr std::string_view kind = "end_of_window_timestamp";
};
/// The event time of a pane is the earliest (latest) of the records that have come since the pane before it.
///
/// Time        The watermark behind the aggregate is held back to the least time of a pane that is still to come; it
///             moves on with the next watermark after the pane. A record that is behind that watermark, or behind the
///             end of its window, does not count, and a pane without any that counts, a late one also, has the last
///             instant of its window. Over sessions that go on, earliest_timestamp{} holds the watermark as long.
/// Source      Apache Beam, TimestampCombiner, WatermarkHold; SEMANTICS section 6.
struct earliest_timestamp : detail::pane_option<earliest_timestamp> {
    static constexpr std::string_view kind = "earliest_timestamp";
    static constexpr event_time combine(event_time a, event_time b) noexcept { return b < a ? b : a; }
};
struct latest_timestamp : detail::pane_option<latest_timestamp> {
    static constexpr std::string_view kind = "latest_timestamp";
    static constexpr event_time combine(event_time a, event_time b) noexcept { return a < b ? b : a; }
};
}  // namespace driftless::inline v0
#endif
