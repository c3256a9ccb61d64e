// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_PIPELINE_HPP
#define DRIFTLESS_CORE_PIPELINE_HPP

#include <driftless/core/ill_formed.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stream.hpp>

#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A pipeline that ends in `Op`, after the pipeline `Prev`.
///
/// A description: a small literal value that holds the operators by value, nested to the left.
/// (A flat tuple of operators makes composing n stages quadratic in compile time.)
template <class Prev, class Op>
struct link {
    using is_pipeline = void;
    using prev_type = Prev;
    using op_type = Op;
    using input_t = typename Prev::output;
    using output = typename Op::template output_t<input_t>;

    Prev prev;
    Op op;

    /// Names the last operator.
    template <class Name>
    constexpr auto id(Name name) const {
        return link<Prev, identified<Op, Name>>{prev, op.id(name)};
    }
};

/// A pipeline that begins: `Root` is a source (from) or a fan-in (merge).
template <class Root>
struct root_link {
    using is_pipeline = void;
    using op_type = Root;
    using output = typename Root::output;

    Root op;

    template <class Name>
    constexpr auto id(Name name) const {
        return root_link<identified<Root, Name>>{op.id(name)};
    }
};

/// Any pipeline, well-formed or not.
template <class P>
concept pipeline = requires { typename P::is_pipeline; };

namespace detail {
template <class P>
concept is_root = std::is_same<P, root_link<typename P::op_type>>::value;

/// Every operator of P takes its records one by one: threads may share them.
template <class P>
consteval bool record_by_record() {
    using op = typename P::op_type;
    if constexpr (is_root<P>) return !requires { typename op::is_fan_in; };
    else if constexpr (requires { requires op::record_by_record; }) return record_by_record<typename P::prev_type>();
    else return false;
}
}  // namespace detail

/// Appends an operator. An operator that cannot follow says so in one sentence, and the result is
/// `ill_formed`.
template <class Prev, class Op>
    requires pipeline<Prev> && detail::operator_description<Op> && (!is_ill_formed<Prev>)
constexpr auto operator|(Prev prev, Op op) {
    using in = typename Prev::output;
    if constexpr (Op::template accepts<in>) {
        return link<Prev, Op>{std::move(prev), std::move(op)};
    } else {
        Op::template refuse<in>();
        return ill_formed{};
    }
}

/// What the pipeline yields: a stream_of<...>.
template <class P>
using output_of = typename std::remove_cvref_t<P>::output;
}  // namespace driftless::inline v0
#endif
