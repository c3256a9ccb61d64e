// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_WINDOW_HPP
#define DRIFTLESS_OP_WINDOW_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says by which windows the next stateful operator groups. Made by window().
template <class Assigner, class... Options>
struct window_op : operator_base<window_op<Assigner, Options...>> {
    static constexpr std::string_view kind = "window";
    static constexpr bool keeps_record = true;
    static constexpr bool has_lateness = (std::is_same_v<Options, allowed_lateness> || ...);
    using assigner_type = Assigner;
    using is_windowing = void;

    Assigner assigner;
    [[no_unique_address]] std::tuple<Options...> options;

    constexpr explicit window_op(Assigner a, Options... o) : assigner(a), options(o...) {}

    /// The allowed lateness; 0 without allowed_lateness{}.
    [[nodiscard]] constexpr duration lateness() const {
        if constexpr (has_lateness) return std::get<allowed_lateness>(options).bound;
        else return {};
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

    template <class In>
    static constexpr bool accepts = timestamped<In>;
    template <class In>
    using output_t = typename In::template with_window<assigned_window<window_op>>;
    template <class In>
    static constexpr void refuse() {
        static_assert(timestamped<In>,
            "driftless: window needs records with an event time: put assign_time<&T::at>(...) before it");
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

/// The nearest window(...) upstream, or null.
constexpr auto const* windowing_of(auto const& upstream) { return nearest<is_windowing>(upstream); }
}  // namespace detail

/// Groups what follows by windows of event time.
///
/// Shape       stream -> the same stream; the next aggregate (join, ...) groups by key and window. After an
///             aggregate it re-assigns: a result belongs to the window that holds `window.end - 1 ns`.
/// Time        Windows are half open. Allowed lateness 0 unless allowed_lateness{} is given.
/// State       None of its own.
/// Batch       Nothing is late in batch (unless as_declared), lateness is compiled out.
/// Errors      Compile time: records without event time. When the job starts: sizes or bounds out of range.
/// Source      T. Akidau et al., "The Dataflow Model" (VLDB 2015).
template <window_assigner Assigner, class... Options>
constexpr auto window(Assigner assigner, Options... options) {
    return window_op<Assigner, Options...>{assigner, options...};
}
}  // namespace driftless::inline v0
#endif
