// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_ASSIGN_TIME_HPP
#define DRIFTLESS_OP_ASSIGN_TIME_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/detail/timing_stages.hpp>
#include <driftless/time/watermark.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

namespace detail {
/// What may follow the strategy: as_declared, a guard (op/at_most_ahead.hpp), divert_to{...}, align (op/align.hpp).
template <class T>
concept time_option = std::same_as<T, as_declared_t> || requires { typename T::is_time_guard; }
    || requires { typename T::output_name; } || requires { typename T::is_alignment; };

/// No guard: every time is taken.
struct no_guard {
    static constexpr bool sees_order = false;
};
template <class... Options>
struct guard_among {
    using type = no_guard;
};
template <class First, class... Rest>
struct guard_among<First, Rest...> : guard_among<Rest...> {};
template <class First, class... Rest>
    requires requires { typename First::is_time_guard; }
struct guard_among<First, Rest...> {
    using type = First;
};
/// No align: how far partitions run ahead of one another is the merge's affair.
template <class... Options>
struct alignment_among {
    using type = void;
};
template <class First, class... Rest>
struct alignment_among<First, Rest...> : alignment_among<Rest...> {};
template <class First, class... Rest>
    requires requires { typename First::is_alignment; }
struct alignment_among<First, Rest...> {
    using type = First;
};
template <class... Options>
struct diverting_among {
    using type = void;
};
template <class First, class... Rest>
struct diverting_among<First, Rest...> : diverting_among<Rest...> {};
template <class First, class... Rest>
    requires requires { typename First::output_name; }
struct diverting_among<First, Rest...> {
    using type = typename First::output_name;
};

template <class T>
consteval bool decided_by_log() {
    if constexpr (requires { T::replayable; }) return T::replayable;
    else return true;
}
template <class T, class Record>
consteval bool reads_record() {
    if constexpr (requires { T::template fits<Record>; }) return T::template fits<Record>;
    else return true;
}
}  // namespace detail

/// Gives records their event time and the input its watermark. Made by assign_time().
template <class F, class Strategy, class... Options>
struct assign_time_op : operator_base<assign_time_op<F, Strategy, Options...>> {
    static constexpr std::string_view kind = "assign_time";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    static constexpr bool declared = (std::same_as<Options, as_declared_t> || ...);
    using time_function = F;
    using guard_type = typename detail::guard_among<Options...>::type;
    using diverting = typename detail::diverting_among<Options...>::type;
    using alignment = typename detail::alignment_among<Options...>::type;
    static constexpr bool is_aligned = !std::is_void_v<alignment>;
    static constexpr bool is_guarded = !std::same_as<guard_type, detail::no_guard>;
    static constexpr bool record_by_record = !is_guarded;
    /// The log alone decides the watermark, and what is refused.
    static constexpr bool replayable = detail::decided_by_log<Strategy>() && detail::decided_by_log<guard_type>();
    static constexpr bool sees_order = declared || guard_type::sees_order;

    [[no_unique_address]] F time_of;
    [[no_unique_address]] Strategy strategy;
    [[no_unique_address]] std::tuple<Options...> options;

    constexpr assign_time_op(F function, Strategy how, Options... o)
        : time_of(std::move(function)), strategy(std::move(how)), options(std::move(o)...) {}

    [[nodiscard]] constexpr guard_type const& guard() const { return std::get<guard_type>(options); }
    void validate() const {
        strategy.validate();
        if constexpr (is_guarded) guard().validate();
        if constexpr (is_aligned) std::get<alignment>(options).validate();
    }
    constexpr void describe(auto&& parameter) const {
        strategy.describe(parameter);
        if constexpr (declared) parameter("watermark", std::string_view{"as declared"});
        if constexpr (is_guarded) guard().describe(parameter);
        if constexpr (!std::is_void_v<diverting>) parameter("output", diverting::value);
        if constexpr (is_aligned) std::get<alignment>(options).describe(parameter);
    }

    template <class In>
    static constexpr bool yields_time = [] {
        if constexpr (std::same_as<F, detail::time_as_given>) {
            return timestamped<In>;
        } else if constexpr (detail::projects<F, typename In::record>) {
            return std::same_as<detail::projected_t<F, typename In::record>, event_time>;
        } else {
            return false;
        }
    }();
    template <class In>
    static constexpr bool fits_strategy = detail::reads_record<Strategy, typename In::record>();
    template <class In>
    static constexpr bool fits_guard = detail::reads_record<guard_type, typename In::record>();
    static constexpr bool can_declare = detail::decided_by_log<Strategy>() || !declared;
    static constexpr bool can_divert = is_guarded || std::is_void_v<diverting>;
    template <class In>
    static constexpr bool accepts = yields_time<In> && fits_strategy<In> && fits_guard<In> && can_declare && can_divert
        && !changelog<In> && !In::window::assigned;
    template <class In>
    using output_t = typename In::with_time;
    template <class In>
    static constexpr void refuse() {
        static_assert(!changelog<In> && !In::window::assigned,
            "driftless: assign_time needs plain records: put it before window(...) and aggregate(...)");
        static_assert(yields_time<In>,
            "driftless: assign_time needs an event_time of the record: write assign_time<&T::member>(...) with "
            "a member of type event_time, or give it a function event_time(T const&)");
        static_assert(fits_strategy<In>,
            "driftless: assign_time has a strategy that cannot read the record: punctuated needs a member or a "
            "function that yields event_time or std::optional<event_time>");
        static_assert(fits_guard<In>,
            "driftless: assign_time has a guard that cannot read the record: at_most_ahead_of needs a member or a "
            "function that yields event_time");
        static_assert(can_declare,
            "driftless: assign_time cannot make a clock_driven watermark as_declared: it is no function of the log, "
            "and batch has no clock; leave as_declared out");
        static_assert(can_divert,
            "driftless: assign_time has nothing to divert: beside divert_to{...} give it at_most_ahead{...} "
            "(op/at_most_ahead.hpp)");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        if constexpr (!Mode::stream && !declared) {
            return stamped<In>(std::move(next), at);
        } else if constexpr (requires { strategy.bind(std::move(next)); }) {
            return stamped<In>(strategy.bind(std::move(next)), at);
        } else if constexpr (is_guarded || is_aligned) {
            return stamped<In>(declaring(detail::time_as_given{}, std::move(next), at), at);
        } else {
            return declaring(time_of, std::move(next), at);
        }
    }

private:
    template <class TimeOf, class Next>
    constexpr auto declaring(TimeOf of, Next next, auto const& at) const {
        return detail::declare_stage<TimeOf, Strategy, Next>{std::move(next), std::move(of), strategy, at.label,
            at.services()};
    }
    /// The stages that give the time, guard it and tell how far it has got, before `next`.
    template <class In, class Next>
    constexpr auto stamped(Next next, auto const& at) const {
        if constexpr (is_aligned) return guarded<In>(std::get<alignment>(options).bind(std::move(next)), at);
        else return guarded<In>(std::move(next), at);
    }
    template <class In, class Next>
    constexpr auto guarded(Next next, auto const& at) const {
        if constexpr (!is_guarded) {
            return stamp(std::move(next), at);
        } else if constexpr (std::is_void_v<diverting>) {
            return stamp(guard().bind(std::move(next), detail::nowhere{}, at.label, at.services()), at);
        } else {
            auto diverted = at.template side_output<diverting, output_t<In>>();
            return stamp(guard().bind(std::move(next), std::move(diverted), at.label, at.services()), at);
        }
    }
    template <class Next>
    constexpr auto stamp(Next next, auto const& at) const {
        if constexpr (std::same_as<F, detail::time_as_given>) return next;
        else return detail::stamp_stage<F, Next>{std::move(next), time_of, at.label, at.services()};
    }
};

/// Gives each record the event time in its member, and declares how the watermark follows from the records.
///
/// Shape       record stream -> the same stream, with event time; one out per record.
/// Time        The declared watermark is exclusive and follows the record that causes it. Without a strategy the input
///             is monotone: the watermark is the newest time seen. Others: bounded_disorder{d}, punctuated<&T::mark>()
///             (time/punctuated.hpp), quantile_disorder{...} (time/quantile_disorder.hpp), in_frames{strategy, d}
///             (time/frames.hpp), clock_driven{lag} (time/clock_driven.hpp), or the user's own (watermark_strategy).
///             Over several partitions it is the least of theirs; one that has not reported yet holds it back.
/// State       The progress of each partition and the watermark, and what the strategy remembers; part of the snapshot.
/// Batch       Batch needs no promise: it uses the exact watermark of the log's block statistics where the
///             member is named in the type and only filter, tap and the like stand before it, and +inf at
///             the end otherwise. With `as_declared` it makes the declared watermark, as a stream does.
/// Errors      Compile time: a member or function that yields no event_time; a strategy that does not fit the record.
///             When the job starts: a parameter out of range, such as a bound < 0.
/// Complexity  O(1) per record: one compare, two with disorder.
/// Source      T. Akidau et al., "Watermarks in Stream Processing Systems" (VLDB 2021).
///
/// Options      as_declared; a guard against times in the future, at_most_ahead{d} or another (op/at_most_ahead.hpp),
///              and beside it divert_to{"name"_name}, the output for what it refuses; align(max_drift), which keeps
///              inputs and partitions from running ahead of one another (op/align.hpp).
template <auto Member, watermark_strategy Strategy = bounded_disorder, detail::time_option... Options>
constexpr auto assign_time(Strategy strategy = {}, Options... options) {
    return assign_time_op<detail::member_projection<Member>, Strategy, Options...>{{}, std::move(strategy),
        std::move(options)...};
}
/// The same with a function or a run-time member pointer.
template <class F, watermark_strategy Strategy = bounded_disorder, detail::time_option... Options>
    requires(!watermark_strategy<F>)
constexpr auto assign_time(F function, Strategy strategy = {}, Options... options) {
    using f = decltype(detail::make_projection(function));
    return assign_time_op<f, Strategy, Options...>{detail::make_projection(std::move(function)), std::move(strategy),
        std::move(options)...};
}
/// Declares the watermark of records that have their event time already (from<event<T>>).
template <watermark_strategy Strategy, detail::time_option... Options>
constexpr auto assign_time(Strategy strategy, Options... options) {
    return assign_time_op<detail::time_as_given, Strategy, Options...>{{}, std::move(strategy), std::move(options)...};
}
}  // namespace driftless::inline v0
#endif
