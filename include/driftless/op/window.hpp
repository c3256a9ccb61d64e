// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_WINDOW_HPP
#define DRIFTLESS_OP_WINDOW_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/time/pane_options.hpp>
#include <driftless/time/trigger_base.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

namespace detail {
template <class T>
concept window_option = std::same_as<T, allowed_lateness> || trigger<T> || requires { typename T::is_pane_option; }
    || requires { typename T::is_window_policy; };
template <class T>
concept window_argument = window_option<T> || requires { typename T::is_preset; };

template <class Option>
inline constexpr bool changes_panes = trigger<Option> || requires { typename Option::is_pane_option; };
template <>
inline constexpr bool changes_panes<end_of_window_trigger> = false;
template <>
inline constexpr bool changes_panes<accumulating> = false;
template <>
inline constexpr bool changes_panes<end_of_window_timestamp> = false;
/// An option that says which event time panes have, other than the end of their window.
template <class T>
concept timestamp_option = requires(event_time at) { T::combine(at, at); };
template <timestamp_option Option>
inline constexpr bool changes_panes<Option> = false;
template <class... Options>
struct timestamps_among {
    using type = end_of_window_timestamp;
};
template <class First, class... Rest>
struct timestamps_among<First, Rest...> : timestamps_among<Rest...> {};
template <timestamp_option First, class... Rest>
struct timestamps_among<First, Rest...> {
    using type = First;
};

/// The trigger among the options; without one, what at_watermark() means by itself.
template <class... Options>
struct trigger_among {
    using type = end_of_window_trigger;
};
template <class First, class... Rest>
struct trigger_among<First, Rest...> : trigger_among<Rest...> {};
template <trigger First, class... Rest>
struct trigger_among<First, Rest...> {
    using type = First;
};
/// Rows came out of windows that give them a time of their own.
template <class Window>
inline constexpr bool stamped_rows = false;
template <class Window>
    requires Window::carried
inline constexpr bool stamped_rows<Window> = Window::windowing::stamps;
}  // namespace detail

/// Says by which windows the next stateful operator groups. Made by window().
template <class Assigner, class... Options>
struct window_op : operator_base<window_op<Assigner, Options...>> {
    static constexpr std::string_view kind = "window";
    static constexpr bool record_by_record = true;
    static constexpr bool keeps_record = true;
    template <class Option>
    static constexpr bool has = (std::is_same_v<Options, Option> || ...);
    static constexpr bool has_lateness = has<allowed_lateness>;
    /// When windows fire, or how that is shown, is said here: the state of each (key, window) carries a trigger.
    /// at_watermark() and accumulating{} alone say what holds anyway.
    static constexpr bool triggered = (detail::changes_panes<Options> || ...);
    static constexpr bool discards = has<discarding>;
    static constexpr bool retracts = has<retracting>;
    using named_trigger = typename detail::trigger_among<Options...>::type;
    using trigger_type = typename detail::whole_trigger<named_trigger>::type;
    /// The log alone decides what comes out.
    static constexpr bool replayable = trigger_type::replayable;
    using assigner_type = Assigner;
    using timestamps = typename detail::timestamps_among<Options...>::type;
    /// Panes have a time of their own.
    static constexpr bool stamps = detail::timestamp_option<timestamps>;
    using is_windowing = void;

    Assigner assigner;
    [[no_unique_address]] std::tuple<Options...> options;

    constexpr explicit window_op(Assigner a, Options... o) : assigner(a), options(o...) {}

    /// The allowed lateness; 0 without allowed_lateness{}.
    [[nodiscard]] constexpr duration lateness() const {
        if constexpr (has_lateness) return std::get<allowed_lateness>(options).bound;
        else return {};
    }
    /// So long behind its end a window may still be reached by a record.
    [[nodiscard]] constexpr duration kept_behind_end() const {
        if constexpr (merging_windows<Assigner> && !has<collect_at_end>) return lateness() + assigner.reach();
        else return lateness();
    }
    [[nodiscard]] constexpr trigger_type trigger() const {
        if constexpr ((driftless::trigger<Options> || ...)) {
            return detail::whole_trigger<named_trigger>::of(std::get<named_trigger>(options));
        } else {
            return detail::whole_trigger<named_trigger>::of({});
        }
    }
    void validate() const {
        assigner.validate();
        std::apply([](Options const&... each) { (each.validate(), ...); }, options);
    }
    constexpr void describe(auto&& parameter) const {
        parameter("windows", Assigner::kind);
        assigner.describe(parameter);
        std::apply([&](Options const&... each) { (each.describe(parameter), ...); }, options);
    }

    /// A trigger that may fire for the last time while records are still taken has to be allowed to.
    static constexpr bool loses_data = trigger_type::may_finish && !has<allow_data_loss>;
    /// Windows that count records fire when they are full, and nothing is late for them.
    static constexpr bool fires_by_itself = !counting_windows<Assigner> || sizeof...(Options) == 0;
    static constexpr bool judges_elements = !has<element_level> || !(has_lateness || record_windows<Assigner>);
    static constexpr bool stamps_known_windows = !stamps || !record_windows<Assigner>;
    /// A row that changes is taken back from where it was put: rows that change with their time have no such place.
    template <class In>
    static constexpr bool rows_stay =
        !changelog<In> || (In::window::assigned && !detail::stamped_rows<typename In::window>);
    template <class In>
    static constexpr bool accepts =
        timestamped<In> && !loses_data && fires_by_itself && stamps_known_windows && rows_stay<In>
        && judges_elements;
    template <class In>
    using output_t = typename In::template with_window<assigned_window<window_op>>;
    template <class In>
    static constexpr void refuse() {
        static_assert(timestamped<In>,
            "driftless: window needs records with an event time: put assign_time<&T::at>(...) before it");
        static_assert(!loses_data,
            "driftless: window has a trigger that may fire for the last time while its window still takes records: "
            "write repeat(...) around it, or allow_data_loss{} behind it");
        static_assert(judges_elements,
            "driftless: window is element_level{}: whatever is behind the watermark is refused, and allowed_lateness{} "
            "would keep windows for nobody: leave one of them out (sliding_per_record{...} knows no element_level{})");
        static_assert(stamps_known_windows,
            "driftless: window(sliding_per_record{...}) has rows at the end of their window only: leave "
            "earliest_timestamp{} and latest_timestamp{} out of it");
        static_assert(rows_stay<In>,
            "driftless: window would put rows that change into windows by their time, and that changes as well where "
            "they come out of a table, or of windows with earliest_timestamp{} or latest_timestamp{}: put window(...) "
            "before table(...), or leave the timestamps, or lateness and triggers, out of the window before");
        static_assert(fires_by_itself,
            "driftless: window(count_window{n}) fires when a window is full, and takes every record: leave lateness, "
            "triggers and pane options out of it");
    }
    friend constexpr bool operator==(window_op const& a, window_op const& b)
        requires std::equality_comparable<Assigner>
    {
        return a.assigner == b.assigner && a.options == b.options;
    }
    /// No stage: the stateful operator that follows reads this description.
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return next;
    }
};

namespace detail {
template <class Op>
    struct is_windowing : std::bool_constant < requires {
    typename Op::is_windowing;
}>{};

/// Windows that the watermark closes bound the state; window(global{}) does not.
template <class Window>
inline constexpr bool closes_windows = false;
template <class Window>
    requires Window::assigned
inline constexpr bool closes_windows<Window> = closed_by_watermark<typename Window::windowing::assigner_type>;

/// The nearest window(...) upstream, or null.
constexpr auto const* windowing_of(auto const& upstream) { return nearest<is_windowing>(upstream); }
}  // namespace detail

/// Groups what follows by windows of event time.
///
/// Shape       stream -> the same stream; the next aggregate (join, ...) groups by key and window. After an
///             aggregate it re-assigns: a result belongs to the window that holds `window.end - 1 ns`, or the time
///             that earliest_timestamp{} and the like gave it.
/// Time        Windows are half open. Allowed lateness 0 unless allowed_lateness{} is given.
/// State       None of its own.
/// Batch       Nothing is late in batch (unless as_declared), lateness is compiled out.
/// Errors      Compile time: records without event time. When the job starts: sizes or bounds out of range.
/// Source      T. Akidau et al., "The Dataflow Model" (VLDB 2015).
///
/// Options      allowed_lateness{d}; a trigger (time/trigger.hpp), such as at_watermark().early(every(100)); how
///              panes are shown (time/pane_options.hpp): accumulating{} (default), discarding{}, retracting{},
///              on_time_if_new{}, always_close{}; allow_data_loss{}. With a trigger or one of these, panes come out
///              as the trigger says, in both modes. Which time they have: end_of_window_timestamp{} (default),
///              earliest_timestamp{}, latest_timestamp{}.
template <window_assigner Assigner, detail::window_option... Options>
constexpr auto window(Assigner assigner, Options... options) {
    return window_op<Assigner, Options...>{assigner, options...};
}
/// The same with a preset (time/presets.hpp), which says what the options behind it leave open.
template <window_assigner Assigner, class Preset, detail::window_option... Options>
    requires requires { typename Preset::is_preset; }
constexpr auto window(Assigner assigner, Preset, Options... options) {
    return std::apply([&](auto... all) { return window(Preset::windows(assigner), all...); },
        Preset::template options<Assigner>(options...));
}
/// Whatever else is written there is a mistake, told in one sentence.
template <class Assigner, class... Options>
    requires(!window_assigner<Assigner> || !(detail::window_argument<Options> && ...))
constexpr auto window(Assigner assigner, Options...) {
    static_assert(window_assigner<Assigner>,
        "driftless: window needs windows: give it tumbling{1_min}, sliding{60_s, 1_s}, session{30_s}, global{} or "
        "windows of your own (time/window.hpp)");
    static_assert((detail::window_argument<Options> && ...),
        "driftless: what stands behind the windows is no option of theirs: give window allowed_lateness{1_min}, a "
        "trigger such as every_interval(5_s) or every(100) records, a pane option or a preset");
    if constexpr (window_assigner<Assigner>) return window_op<Assigner>{assigner};
    else return window_op<global>{global{}};
}
}  // namespace driftless::inline v0
#endif
