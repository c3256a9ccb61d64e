// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_COUNTED_STAGE_HPP
#define DRIFTLESS_RUN_DETAIL_COUNTED_STAGE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Stands behind a stateful operator and counts what it hands on. Behind stateless ones nobody counts: a counter per
/// record there keeps a compiler from vectorizing the chain.
///
/// State       No part of a snapshot: a job counts from its start.
template <class Next>
class counted_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    operator_label label_;
    std::uint64_t rows_ = 0;

public:
    DRIFTLESS_INLINE constexpr counted_stage(Next next, operator_label label)
        : looking_through<Next>(std::move(next)), label_(label) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        ++rows_;
        next_.on_record(ctx, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        ++rows_;
        next_.on_change(ctx, row);
    }
    constexpr void visit_state(auto&& visit) {
        if constexpr (requires { visit.rows_out(label_, rows_); }) visit.rows_out(label_, rows_);
        this->listener().visit_state(visit);
    }
};
}  // namespace driftless::inline v0::detail
#endif
