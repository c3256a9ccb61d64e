// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_ASSIGN_TIME_HPP
#define DRIFTLESS_OP_ASSIGN_TIME_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/detail/timing_stages.hpp>
#include <driftless/time/watermark.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Gives records their event time and the input its watermark. Made by assign_time().
template <class F, class Strategy, bool AsDeclared>
struct assign_time_op : operator_base<assign_time_op<F, Strategy, AsDeclared>> {
    static constexpr std::string_view kind = "assign_time";
    static constexpr bool keeps_record = true;
    static constexpr bool declared = AsDeclared;
    using time_function = F;
    /// The log alone decides the watermark.
    static constexpr bool replayable = [] {
        if constexpr (requires { Strategy::replayable; }) return Strategy::replayable;
        else return true;
    }();

    [[no_unique_address]] F time_of;
    [[no_unique_address]] Strategy strategy;

    constexpr assign_time_op(F function, Strategy how) : time_of(std::move(function)), strategy(std::move(how)) {}

    void validate() const { strategy.validate(); }
    constexpr void describe(auto&& parameter) const {
        strategy.describe(parameter);
        if constexpr (AsDeclared) parameter("watermark", std::string_view{"as declared"});
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
    static constexpr bool fits_strategy = [] {
        if constexpr (requires { Strategy::template fits<typename In::record>; }) {
            return Strategy::template fits<typename In::record>;
        } else {
            return true;
        }
    }();
    static constexpr bool can_declare = replayable || !AsDeclared;
    template <class In>
    static constexpr bool accepts =
        yields_time<In> && fits_strategy<In> && can_declare && !changelog<In> && !In::window::assigned;
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
        static_assert(can_declare,
            "driftless: assign_time cannot make a clock_driven watermark as_declared: it is no function of the log, "
            "and batch has no clock; leave as_declared out");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        if constexpr (!Mode::stream && !AsDeclared) {
            return stamped(std::move(next), at);
        } else if constexpr (requires { strategy.bind(std::move(next)); }) {
            return stamped(strategy.bind(std::move(next)), at);
        } else {
            return detail::declare_stage<F, Strategy, Next>{std::move(next), time_of, strategy, at.label,
                at.services()};
        }
    }

private:
    template <class Next>
    constexpr auto stamped(Next next, auto const& at) const {
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
template <auto Member, watermark_strategy Strategy = bounded_disorder>
constexpr auto assign_time(Strategy strategy = {}) {
    return assign_time_op<detail::member_projection<Member>, Strategy, false>{{}, std::move(strategy)};
}
template <auto Member, watermark_strategy Strategy = bounded_disorder>
constexpr auto assign_time(Strategy strategy, as_declared_t) {
    return assign_time_op<detail::member_projection<Member>, Strategy, true>{{}, std::move(strategy)};
}
/// The same with a function or a run-time member pointer.
template <class F, watermark_strategy Strategy = bounded_disorder>
    requires(!watermark_strategy<F>)
constexpr auto assign_time(F function, Strategy strategy = {}) {
    using f = decltype(detail::make_projection(function));
    return assign_time_op<f, Strategy, false>{detail::make_projection(std::move(function)), std::move(strategy)};
}
template <class F, watermark_strategy Strategy = bounded_disorder>
    requires(!watermark_strategy<F>)
constexpr auto assign_time(F function, Strategy strategy, as_declared_t) {
    using f = decltype(detail::make_projection(function));
    return assign_time_op<f, Strategy, true>{detail::make_projection(std::move(function)), std::move(strategy)};
}
/// Declares the watermark of records that have their event time already (from<event<T>>).
template <watermark_strategy Strategy>
constexpr auto assign_time(Strategy strategy) {
    return assign_time_op<detail::time_as_given, Strategy, false>{{}, std::move(strategy)};
}
template <watermark_strategy Strategy>
constexpr auto assign_time(Strategy strategy, as_declared_t) {
    return assign_time_op<detail::time_as_given, Strategy, true>{{}, std::move(strategy)};
}
}  // namespace driftless::inline v0
#endif
