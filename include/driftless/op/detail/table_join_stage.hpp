// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TABLE_JOIN_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_TABLE_JOIN_STAGE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/touched_pairs.hpp>
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

/// Hands on how a joined row has changed in an epoch, the old one and the new one, of which either may be absent; false
/// if there is nothing to tell. A side that cannot be made is absent.
template <class Kind, class Project, class Next, class Pair, class L, class R>
bool push_joined_change(Project const& project, run_services* services, operator_label label, Pair const& of,
    Next& next, L const* left, R const* right) {
    using row_type = typename Project::type;
    if (of.stays(left, right)) return false;
    auto const* const old_left = of.old_left();
    auto const* const old_right = of.old_right();
    bool const was = has_row<Kind>(old_left != nullptr, old_right != nullptr);
    bool const is = has_row<Kind>(left != nullptr, right != nullptr);
    if constexpr (yields_left<Kind>) {
        if (was && is && !of.left_changed) return false;  // which right row it has met is not shown
    }
    context<std::remove_cvref_t<decltype(of.key)>> const ctx{of.at, &of.key, {}, {}, {}};
    std::optional<row_type> before;
    std::optional<row_type> after;
    auto const make = [&](std::optional<row_type>& into, L const* of_left, R const* of_right) {
        guarded(services, label, ctx, [&]() noexcept(Project::safe) { into.emplace(project(of_left, of_right)); });
    };
    if (was) make(before, old_left, old_right);
    if (is) make(after, left, right);
    if (!before && !after) return false;
    next.on_change(ctx, change<row_type>{before ? &*before : nullptr, after ? &*after : nullptr});
    return true;
}

/// Joins the rows of two tables: keeps the row of each side, and says how what they make together changes.
template <class Left, class Right, class Kind, class Project, class Next>
class table_join_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename Left::key;
    using left_record = typename Left::record;
    using right_record = typename Right::record;
    struct nothing {};
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct entry {
        std::uint32_t row[2] = {none, none};
        event_time at[2] = {event_time::min(), event_time::min()};  // also of a row that has gone
    };

    keyed_table<key_type, entry> keys_;
    value_pool<left_record, nothing> left_;
    value_pool<right_record, nothing> right_;
    touched_pairs<key_type, left_record, right_record> touched_;
    [[no_unique_address]] Project project_;
    account account_;
    run_services* services_;

public:
    static constexpr bool tight = false;
    static constexpr bool evolves_state = evolves<left_record> && evolves<right_record>;
    static constexpr bool wants_epochs = true;
    static constexpr bool deadline_moves = Next::deadline_moves;

    table_join_stage(Next next, Project project, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)),
          project_(std::move(project)),
          account_{.label = label},
          services_(services) {}

    template <std::size_t I, class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        if (is_null_key(*ctx.key)) {
            ++account_.unassigned;
            return;
        }
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
        touched_.note(*ctx.key, at, left, right, I == 0);
        keep(of->row[I], side<I>(), row.after);
    }
    void on_epoch(std::uint64_t epoch) {
        tell();
        next_.on_epoch(epoch);
    }
    void on_watermarks(input_watermarks const& now) {
        if (passed_on_ == now.both) return;
        tell();  // what comes before the watermark goes on before it
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
        out.write(account_.applied).write(account_.unassigned).write(passed_on_);
        out.write(static_cast<std::uint64_t>(keys_.size()));
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
        touched_.clear();
        in.read(account_.applied).read(account_.unassigned).read(passed_on_);
        for (auto count = in.template read<std::uint64_t>(); count != 0; --count) {
            auto const key = in.template read<key_type>();
            entry of;
            bool there[2];
            in.read(of.at[0]).read(of.at[1]).read(there[0]).read(there[1]);
            if (left_out::drops(key)) {
                if (there[0]) static_cast<void>(in.template read<left_record>());
                if (there[1]) static_cast<void>(in.template read<right_record>());
                continue;
            }
            if (there[0]) of.row[0] = left_.hold(in.template read<left_record>(), {});
            if (there[1]) of.row[1] = right_.hold(in.template read<right_record>(), {});
            static_cast<void>(keys_.insert(key, canonical_hash(key), [&] { return of; }));
        }
    }

private:
    event_time passed_on_ = event_time::min();

    /// How the rows have changed that the epoch has touched.
    void tell() {
        touched_.take([&](auto const& each) {
            entry const& of = *keys_.find(each.key, each.hash);
            auto const* const left = of.row[0] == none ? nullptr : &left_[of.row[0]];
            auto const* const right = of.row[1] == none ? nullptr : &right_[of.row[1]];
            push_joined_change<Kind>(project_, services_, account_.label, each, next_, left, right);
            if (left == nullptr && right == nullptr) keys_.erase(each.key, each.hash);
        });
    }
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
};
}  // namespace driftless::inline v0::detail
#endif
