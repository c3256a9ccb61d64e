// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_PROPERTIES_HPP
#define DRIFTLESS_RUN_PROPERTIES_HPP

#include <driftless/agg/function.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/detail/order_free.hpp>
#include <driftless/state/bound.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace driftless::inline v0 {

/// What bounds the state of a pipeline, the weakest bound of its operators.
///
/// stateless   No state but watermarks and counters.
/// windowed    What the watermark has not passed: window + allowed lateness + disorder.
/// max_keys    A number of entries: max_keys{n}; one for a total without key and window.
/// unbounded   Grows with the keys of the input: unbounded_state{}, or keys in a global window.
enum class state_class : std::uint8_t {
    stateless,
    windowed,
    max_keys,
    unbounded
};

constexpr std::string_view to_string(state_class c) noexcept {
    constexpr std::string_view names[] = {"stateless", "windowed", "max_keys", "unbounded"};
    return names[static_cast<std::uint8_t>(c)];
}

namespace detail {
/// An operator (or trigger) whose answer the log alone does not decide says `static constexpr bool replayable = false`.
template <class Op>
    struct not_replayable : std::bool_constant < requires {
    requires !Op::replayable;
}>{};
/// ... and where it is the clock that decides, and not others outside.
template <class Op>
        struct asks_clock : std::bool_constant < not_replayable<Op>::value
    && !requires {
    typename Op::asks_outside;
}>{};
template <class P>
inline constexpr bool told_the_clock = any_operator<asks_clock, P>();

template <class Op, class In>
consteval bool operator_combinable() {
    if constexpr (requires { typename Op::template pack_t<In>; }) return Op::template pack_t<In>::combinable;
    else return false;
}

template <class Window>
inline constexpr bool closes = false;
template <class Window>
    requires Window::assigned
inline constexpr bool closes<Window> = [] {
    if constexpr (requires { typename Window::windowing::assigner_type; }) {
        return closed_by_watermark<typename Window::windowing::assigner_type>;
    } else {
        return true;
    }
}();

template <class Op, class In>
consteval state_class operator_state() {
    if constexpr (!is_stateful<Op>::value) return state_class::stateless;
    else if constexpr (requires { typename Op::template bounded_by<In>; }) {
        using bound = typename Op::template bounded_by<In>;
        if constexpr (std::same_as<bound, unbounded_state>) return state_class::unbounded;
        else return std::same_as<bound, max_keys> ? state_class::max_keys : state_class::windowed;
    } else if constexpr (requires { Op::template watermark_bounds<In>; })
        return Op::template watermark_bounds<In> ? state_class::windowed : state_class::unbounded;
    else if constexpr (closes<typename In::window>) return state_class::windowed;
    else if constexpr (!keyed<In>) return state_class::max_keys;
    else if constexpr (requires(Op const& op) { op.parameters; }) {
        return says_max_keys<decltype(Op::parameters)> ? state_class::max_keys : state_class::unbounded;
    } else return state_class::unbounded;
}

/// A stateful fan-in says itself whether the watermarks of its inputs bound what it keeps.
template <class Op>
consteval state_class fan_in_state() {
    if constexpr (!is_stateful<Op>::value) return state_class::stateless;
    else if constexpr (Op::watermark_bounds) return state_class::windowed;
    else if constexpr (requires { requires says_max_keys<decltype(Op::parameters)>; }) return state_class::max_keys;
    else return state_class::unbounded;
}

template <class P>
consteval state_class find_state() {
    if constexpr (begins_with_fan_in<P>) {
        auto weakest = fan_in_state<typename P::op_type>();
        [&]<class... I>(std::tuple<I...> const*) {
            ((weakest = weakest < find_state<I>() ? find_state<I>() : weakest), ...);
        }(static_cast<decltype(P::op_type::inputs) const*>(nullptr));
        return weakest;
    } else if constexpr (is_root<P>) {
        return state_class::stateless;
    } else {
        constexpr auto own = [] {
            using op = typename P::op_type;
            auto weakest = operator_state<op, typename P::input_t>();
            if constexpr (requires { typename op::is_fork; }) {
                op::template each_step<typename P::input_t>([&]<class Step, class In>() {
                    auto const state = operator_state<Step, In>();
                    weakest = weakest < state ? state : weakest;
                });
            }
            return weakest;
        }();
        constexpr auto before = find_state<typename P::prev_type>();
        return own < before ? before : own;
    }
}

/// Records before an offset and behind it share a window that neither part would make: sessions, windows per record.
template <class Window>
inline constexpr bool windows_by_records = false;
template <class Window>
    requires requires { typename Window::windowing::assigner_type; }
inline constexpr bool windows_by_records<Window> = merging_windows<typename Window::windowing::assigner_type>
    || record_windows<typename Window::windowing::assigner_type>;

template <class P>
consteval bool find_lambda_additive() {
    using op = typename P::op_type;
    if constexpr (is_root<P>) {
        return false;
    } else if constexpr (is_stateful<op>::value) {
        using in = typename P::input_t;
        return operator_combinable<op, in>() && !windows_by_records<typename in::window>
            && operator_combines<op, in>() != combine_class::sequential
            && !any_operator<is_stateful, typename P::prev_type>()
            && !any_operator<may_remember, typename P::prev_type>();
    } else {
        return find_lambda_additive<typename P::prev_type>();
    }
}

/// Asks about P; the sentence about an ill-formed pipeline has been said, nothing is added to it.
template <class P>
struct properties_of {
    static constexpr bool replayable = !any_operator<not_replayable, P>();
    static constexpr bool order_free = find_order_free<P, false>();
    static constexpr bool single_pane = !changelog<output_of<P>>;
    static constexpr state_class state = find_state<P>();
    static constexpr bool lambda_additive = find_lambda_additive<P>();
};
template <>
struct properties_of<ill_formed> {
    static constexpr bool replayable = true;
    static constexpr bool order_free = true;
    static constexpr bool single_pane = true;
    static constexpr state_class state = state_class::stateless;
    static constexpr bool lambda_additive = true;
};
}  // namespace detail

/// The log alone decides the answer of P: nothing in it asks a clock or the outside world.
template <class P>
inline constexpr bool is_replayable = detail::properties_of<std::remove_cvref_t<P>>::replayable;

/// Nobody can see in which order P took its records: every row of the result went through an aggregate,
/// every aggregate is exact, and no declared watermark (as_declared) decides what is late.
template <class P>
inline constexpr bool is_order_free = detail::properties_of<std::remove_cvref_t<P>>::order_free;

/// P yields each (key, window) once and never corrects it: its result is records, not changes.
template <class P>
inline constexpr bool single_pane = detail::properties_of<std::remove_cvref_t<P>>::single_pane;

/// What bounds the state of P: static_assert(state_bound<P> == state_class::windowed).
template <class P>
inline constexpr state_class state_bound = detail::properties_of<std::remove_cvref_t<P>>::state;

/// The accumulators of two runs of P, over what lies before an offset and after it, add up to those of one:
/// P has one stateful operator on the way to the result, an aggregate whose functions are combinable, exact or
/// ordered, in windows that records do not make (no sessions: one may lie on both sides). (A second one would count the
/// rows of the first twice, once from either side.)
template <class P>
inline constexpr bool lambda_additive = detail::properties_of<std::remove_cvref_t<P>>::lambda_additive;
}  // namespace driftless::inline v0
#endif
