// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TABLE_JOIN_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_TABLE_JOIN_STAGE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/value_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Whether a join of this kind has a row where its sides have one, or none.
template <class Kind>
constexpr bool has_row(bool left, bool right) noexcept {
    if (left && right) return !std::is_same_v<Kind, left_anti>;
    return left ? Kind::alone[0] : right && Kind::alone[1];
}

/// Joins the rows of two tables: keeps the row of each side, and says how what they make together changes.
template <class Left, class Right, class Kind, class Project, class Next>
class table_join_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename Left::key;
    using left_record = typename Left::record;
    using right_record = typename Right::record;
    using row_type = typename Project::type;

    struct nothing {};
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct entry {
        std::uint32_t row[2] = {none, none};
        event_time at[2] = {event_time::min(), event_time::min()};  // also of a row that has gone
    };

    keyed_table<key_type, entry> keys_;
    value_pool<left_record, nothing> left_;
    value_pool<right_record, nothing> right_;
    [[no_unique_address]] Project project_;
    account account_;
    run_services* services_;

public:
    static constexpr bool tight = false;
    static constexpr bool deadline_moves = Next::deadline_moves;

    table_join_stage(Next next, Project project, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)),
          project_(std::move(project)),
          account_{.label = label},
          services_(services) {}

    template <std::size_t I, class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        auto const hash = canonical_hash(*ctx.key);
        entry* of = keys_.find(*ctx.key, hash);
        ++account_.applied;
        if (of == nullptr) {
            if (row.after == nullptr) return;
            of = &keys_.insert(*ctx.key, hash, [] { return entry{}; });
        }
        if (of->at[I] < ctx.at) of->at[I] = ctx.at;
        auto const at = of->at[0] < of->at[1] ? of->at[1] : of->at[0];
        auto const* const left = of->row[0] == none ? nullptr : &left_[of->row[0]];
        auto const* const right = of->row[1] == none ? nullptr : &right_[of->row[1]];
        if constexpr (I == 0) hand_on(ctx.with_time(at), left, right, row.after, right);
        else hand_on(ctx.with_time(at), left, right, left, row.after);
        keep(of->row[I], side<I>(), row.after);
        if (of->row[0] == none && of->row[1] == none) keys_.erase(*ctx.key, hash);
    }
    void on_watermarks(input_watermarks const& now) {
        if (passed_on_ == now.both) return;
        passed_on_ = now.both;
        next_.on_watermark(now.both);
    }
    [[nodiscard]] event_time deadline(std::size_t) const { return next_.deadline(); }
    void visit_state(auto&& visit) {
        visit("join", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return keys_.bytes() + left_.bytes() + right_.bytes(); }
    void save_state(auto& out) {
        out.write(account_.applied).write(passed_on_).write(static_cast<std::uint64_t>(keys_.size()));
        keys_.for_each_ordered([&](auto const& key, entry const& of, std::uint64_t) {
            out.write(key).write(of.at[0]).write(of.at[1]);
            out.write(of.row[0] != none).write(of.row[1] != none);
            if (of.row[0] != none) out.write(left_[of.row[0]]);
            if (of.row[1] != none) out.write(right_[of.row[1]]);
        });
    }
    void load_state(auto& in) {
        keys_.clear();
        left_.clear();
        right_.clear();
        in.read(account_.applied).read(passed_on_);
        for (auto count = in.template read<std::uint64_t>(); count != 0; --count) {
            auto const key = in.template read<key_type>();
            entry of;
            bool there[2];
            in.read(of.at[0]).read(of.at[1]).read(there[0]).read(there[1]);
            if (there[0]) of.row[0] = left_.hold(in.template read<left_record>(), {});
            if (there[1]) of.row[1] = right_.hold(in.template read<right_record>(), {});
            static_cast<void>(keys_.insert(key, canonical_hash(key), [&] { return of; }));
        }
    }

private:
    event_time passed_on_ = event_time::min();

    template <std::size_t I>
    auto& side() noexcept {
        if constexpr (I == 0) return left_;
        else return right_;
    }
    template <class Pool, class T>
    static void keep(std::uint32_t& at, Pool& rows, T const* row) {
        if (row == nullptr) {
            if (at != none) rows.drop(at);
            at = none;
        } else if (at == none) {
            at = rows.hold(*row, {});
        } else {
            rows.set(at, *row);
        }
    }
    /// The old row is taken away before the new one is there. A side that cannot be made is absent.
    template <class Ctx>
    void hand_on(Ctx const& ctx, left_record const* old_left, right_record const* old_right, left_record const* left,
        right_record const* right) {
        bool const was = has_row<Kind>(old_left != nullptr, old_right != nullptr);
        bool const is = has_row<Kind>(left != nullptr, right != nullptr);
        if constexpr (yields_left<Kind>) {
            if (was && is && old_left == left) return;  // which right row it has met is not shown
        }
        std::optional<row_type> before;
        std::optional<row_type> after;
        if (was) make(ctx, before, old_left, old_right);
        if (is) make(ctx, after, left, right);
        if (!before && !after) return;
        next_.on_change(ctx, change<row_type>{before ? &*before : nullptr, after ? &*after : nullptr});
    }
    template <class Ctx>
    void make(Ctx const& ctx, std::optional<row_type>& into, left_record const* left, right_record const* right) {
        guarded(services_, account_.label, ctx,
            [&]() noexcept(Project::safe) { into.emplace(project_(left, right)); });
    }
};
}  // namespace driftless::inline v0::detail
#endif
