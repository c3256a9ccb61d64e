// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_PARTITION_PLAN_HPP
#define DRIFTLESS_RUN_DETAIL_PARTITION_PLAN_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/run/detail/bindings.hpp>
#include <driftless/run/detail/graph_builder.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/detail/order_free.hpp>
#include <driftless/run/input.hpp>
#include <driftless/state/bound.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Who reads partitions on threads of their own: run/detail/partition_workers.hpp, which comes with the modes that have
/// workers.
template <class Plan>
class partition_workers;

/// The pipeline up to its first stateful operator; void if it has none.
template <class P>
struct first_stateful {
    using before = typename first_stateful<typename P::prev_type>::type;
    using type = std::conditional_t<!std::is_void_v<before>, before,
        std::conditional_t<is_stateful<typename P::op_type>::value, P, void>>;
};
template <class Root>
struct first_stateful<root_link<Root>> {
    using type = void;
};
/// How many operators of P give a time.
template <class P>
consteval int times_given() {
    if constexpr (is_root<P>) return 0;
    else return times_given<typename P::prev_type>() + (assigns_time<typename P::op_type> ? 1 : 0);
}
/// The part of a pipeline that has the type Part.
template <class Part, class P>
constexpr Part const& part_of(P const& p) {
    if constexpr (std::is_same_v<Part, P>) return p;
    else return part_of<Part>(p.prev);
}

/// What the engine holds of its argument number A, which is an input.
template <class Args, std::size_t A>
using input_at = input_of<std::remove_cvref_t<decltype(target_of(std::get<A>(std::declval<Args&>())))>>;

/// The stage of an aggregate, as far as it does not matter what follows it.
template <class Aggregate, class Mode, class Builder>
using first_stage = decltype(std::declval<typename Aggregate::op_type const&>()
        .template bind<typename Aggregate::input_t, Mode>(std::declval<nowhere>(),
            std::declval<place<typename Aggregate::prev_type, Builder> const&>()));
template <class P>
concept aggregates_first = requires { typename first_stateful<P>::type::op_type::functions; }
    && record_by_record<typename first_stateful<P>::type::prev_type>();
/// Whether the partitions of the input may be read by threads of their own, and by what: all that comes before the
/// first aggregate takes records one by one, and the aggregate may be put together from parts.
template <bool Possible, class Mode, class P, class Chain, class HeadTime, class Args, std::size_t A>
struct partition_plan {
    static constexpr bool possible = false;
};
template <class Mode, class P, class Chain, class HeadTime, class Args, std::size_t A>
struct partition_plan<true, Mode, P, Chain, HeadTime, Args, A> {
    using input = input_at<Args, A>;
    using log = std::remove_cvref_t<decltype(*std::declval<input const&>())>;
    using record = typename stream_t<typename log::value_type>::record;
    using chain = Chain;
    using head_time = HeadTime;
    using builder = graph_builder<Args>;
    using front = typename first_stateful<P>::type::prev_type;
    using host = first_stage<typename first_stateful<P>::type, Mode, builder>;
    static constexpr bool streams = Mode::stream;
    static constexpr bool possible = [] {
        if constexpr (!host::takes_partials || says_max_keys<decltype(first_stateful<P>::type::op_type::parameters)>)
            return false;
        else if constexpr (!Mode::stream) return true;
        else if constexpr (!HeadTime::known || times_given<front>() != 1) return false;
        else if constexpr (requires { Chain::template can_leave_records<record>; }) {
            return Chain::template can_leave_records<record>;
        } else return false;
    }();
};
}  // namespace driftless::inline v0::detail
#endif
