// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_BATCH_MODE_HPP
#define DRIFTLESS_RUN_DETAIL_BATCH_MODE_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/state/bound.hpp>

#include <type_traits>

namespace driftless::inline v0::detail {
template <class Op>
struct asks_to_align : std::false_type {};
template <class Op>
    requires requires { requires Op::is_aligned; }
struct asks_to_align<Op> : std::true_type {};

/// Operators before an aggregate through which somebody sees in which order records come.
template <class Op>
struct shows_order : std::false_type {};
template <class Op>
    requires requires { requires Op::shows_order; }
struct shows_order<Op> : std::true_type {};
template <class Op>
    requires requires(Op const& op) { op.parameters; }
struct shows_order<Op> : std::bool_constant<says_max_keys<decltype(Op::parameters)>> {};

template <class Op>
    struct declares_watermark : std::bool_constant < requires {
    requires Op::declared;
}>{};

/// What the operator does depends on when the watermark moves: every assign_time makes its own, as in a stream.
template <class Op>
    struct follows_watermark : std::bool_constant < requires {
    requires Op::follows_watermark;
}>{};

/// The mode a batch of this pipeline runs in.
template <class P, bool Threads>
using batch_mode = std::conditional_t<any_operator<follows_watermark, P>(), run_mode<false, true, Threads>,
    std::conditional_t<any_operator<declares_watermark, P>(), declared_batch<Threads>, exact_batch<Threads>>>;
}  // namespace driftless::inline v0::detail
#endif
