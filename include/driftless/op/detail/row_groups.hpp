// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ROW_GROUPS_HPP
#define DRIFTLESS_OP_DETAIL_ROW_GROUPS_HPP

#include <driftless/agg/function.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>

#include <cstdint>
#include <tuple>
#include <type_traits>

// Which rows an operator over groups (top, distinct) takes for one group, and what it calls the rows that it yields.

namespace driftless::inline v0::detail {
/// A key was given since the last stateful operator: groups are not the rows of an aggregate any more.
template <class P>
consteval bool keyed_anew() {
    using op = typename P::op_type;
    if constexpr (requires(op const& o) { o.key_of; }) return true;
    else if constexpr (is_root<P> || requires { typename op::is_stateful; }) return false;
    else return keyed_anew<typename P::prev_type>();
}
/// The last stateful operator yields one row per key and window.
template <class P>
consteval bool behind_aggregate() {
    using op = typename P::op_type;
    if constexpr (requires { typename op::functions; }) return true;
    else if constexpr (is_root<P> || requires { typename op::is_stateful; }) return false;
    else return behind_aggregate<typename P::prev_type>();
}
/// Leaves the key out: what follows sees one group per window.
template <class Next>
class keyless_stage : public forwarding<Next> {
    using forwarding<Next>::next_;

public:
    using records_only = void;
    using forwarding<Next>::forwarding;
    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        next_.on_record(context<>{ctx.at, nullptr, ctx.window, ctx.info, ctx.from}, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_change(Ctx const& ctx, change<T> const& row) {
        next_.on_change(context<>{ctx.at, nullptr, ctx.window, ctx.info, ctx.from}, row);
    }
};

/// What names a row behind top. Numbered ones: their place in the group. Rows of an aggregate: the key they have.
/// Records that come once: the key of the group. Records that may go again: what is in them.
template <class GroupKey, class R, bool Numbered, bool Changes>
struct row_name {
    static constexpr auto find() {
        if constexpr (Numbered && std::is_same_v<GroupKey, unkeyed>) return type_of<std::int64_t>{};
        else if constexpr (Numbered) return type_of<std::tuple<GroupKey, std::int64_t>>{};
        else if constexpr (is_pane<R>) return type_of<decltype(R::key)>{};
        else if constexpr (Changes) return type_of<R>{};
        else return type_of<GroupKey>{};
    }
    template <class T>
    static T inner(type_of<T>);
    using type = decltype(inner(find()));
};
}  // namespace driftless::inline v0::detail
#endif
