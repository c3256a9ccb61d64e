// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_PANE_OPTIONS_HPP
#define DRIFTLESS_TIME_PANE_OPTIONS_HPP

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
}  // namespace driftless::inline v0
#endif
