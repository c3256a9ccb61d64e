// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_LATE_TO_HPP
#define DRIFTLESS_OP_LATE_TO_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/sink.hpp>

#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {

/// Names the output for refused records. Made by late_to().
template <class Name>
struct late_to_op : operator_base<late_to_op<Name>> {
    static constexpr std::string_view kind = "late_to";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    using late_output_name = Name;

    constexpr void describe(auto&& parameter) const { parameter("output", Name::value); }

    template <class In>
    static constexpr bool accepts = timestamped<In> && !In::window::carried && !changelog<In>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(accepts<In>,
            "driftless: late_to needs records that can be refused: put it between window(...) and the aggregate, or "
            "behind assign_time<&T::at>(...) and before sorted_by_time");
    }
    /// No stage: the stateful operator that follows sends its refused records there.
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return next;
    }
};

namespace detail {
/// The late_to that belongs to a stateful operator: between it and the stateful operator before it.
template <class P>
constexpr auto late_output_name() {
    using op = typename P::op_type;
    if constexpr (requires { typename op::late_output_name; }) {
        return typename op::late_output_name{};
    } else if constexpr (is_root<P> || requires { typename op::is_stateful; }) {
        return unnamed{};
    } else {
        return late_output_name<typename P::prev_type>();
    }
}
/// Where a stateful operator over the stream In sends what it refuses.
template <class In, class Place>
auto late_output(Place const& at) {
    using name = decltype(late_output_name<std::remove_cvref_t<decltype(at.upstream)>>());
    if constexpr (requires { name::output(at); }) return name::output(at);
    else if constexpr (name::named) return at.template side_output<name, In>();
    else return nowhere{};
}
}  // namespace detail

/// Sends the records that the next stateful operator refuses as late to the output `name`.
///
/// Shape       stream -> the same stream; the output bound with bind(name, sink) gets each refused record as
///             it reached the stateful operator, once per window that refused it.
/// Batch       Nothing is refused in batch unless the pipeline is as_declared.
/// Errors      Compile time: records without event time, or that nothing refuses; a name that nothing is bound to.
template <class Name>
constexpr auto late_to(Name) {
    return late_to_op<Name>{};
}
}  // namespace driftless::inline v0
#endif
