// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_ORDER_FREE_HPP
#define DRIFTLESS_RUN_DETAIL_ORDER_FREE_HPP

#include <driftless/agg/function.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/time/window.hpp>

#include <tuple>
#include <type_traits>

// Whether anybody can see in which order a pipeline takes its records: a run that nobody can tell from another may take
// them as they come.

namespace driftless::inline v0::detail {
template <class Op>
    struct is_stateful : std::bool_constant < requires {
    typename Op::is_stateful;
}>{};
/// What becomes of a record may depend on those before it. What an operator does not promise is not relied on.
template <class Op>
struct may_remember {
    static constexpr bool value = [] {
        if constexpr (requires { typename Op::is_fan_in; } || requires { typename Op::element; }) return false;
        else if constexpr (requires { requires Op::record_by_record; }) return false;
        else if constexpr (requires { Op::remembers; }) return Op::remembers;
        else return true;
    }();
};
template <class Op>
    struct reads_arrival_order : std::bool_constant < requires {
    requires Op::sees_order;
}>{};

/// Which records share a window depends on their order.
template <class Window>
inline constexpr bool windows_by_order = false;
template <class Window>
    requires requires { typename Window::windowing::assigner_type; }
inline constexpr bool windows_by_order<Window> = counting_windows<typename Window::windowing::assigner_type>;

/// How freely the state of a stateful operator may be put together: what is not promised is not relied on.
template <class Op, class In>
consteval combine_class operator_combines() {
    if constexpr (windows_by_order<typename In::window>) return combine_class::sequential;
    else if constexpr (requires { typename Op::template pack_t<In>; }) return Op::template pack_t<In>::combines;
    else if constexpr (requires { Op::template combines<In>; }) return Op::template combines<In>;
    else return combine_class::sequential;
}
/// True if `Test` holds for every input of a fan-in.
template <class Op, class Test>
consteval bool every_input(Test test) {
    return [&]<class... I>(std::tuple<I...> const*) {
        return (test(static_cast<I const*>(nullptr)) && ...);
    }(static_cast<decltype(Op::inputs) const*>(nullptr));
}

/// `Gathered`: what P yields goes through an exact aggregate before anybody sees it.
template <class P, bool Gathered>
consteval bool find_order_free() {
    using op = typename P::op_type;
    if constexpr (is_stateful<op>::value && begins_with_fan_in<P>) {
        return false;  // it hands rows on in the order in which records met
    } else if constexpr (begins_with_fan_in<P>) {
        return every_input<op>([]<class I>(I const*) { return find_order_free<I, Gathered>(); });
    } else if constexpr (is_root<P>) {
        return Gathered;
    } else if constexpr (reads_arrival_order<op>::value) {
        return false;
    } else if constexpr (is_stateful<op>::value) {
        if constexpr (operator_combines<op, typename P::input_t>() != combine_class::exact) return false;
        else return find_order_free<typename P::prev_type, true>();
    } else if constexpr (may_remember<op>::value) {
        return false;
    } else {
        return find_order_free<typename P::prev_type, Gathered>();
    }
}
}  // namespace driftless::inline v0::detail
#endif
