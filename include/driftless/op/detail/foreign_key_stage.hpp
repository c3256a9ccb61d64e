// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_FOREIGN_KEY_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_FOREIGN_KEY_STAGE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/table_join_stage.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/value_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Joins the rows of a table with those that they refer to in another one. A row that is referred to, or may be, has a
/// place in a list by which its changes reach the rows that refer to it, in the order in which they came to do so.
///
/// ForeignKey  the key of the right row from a left one, or an optional of it
template <class Left, class Right, class ForeignKey, class Kind, class Project, class Next>
class foreign_key_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using left_key = typename Left::key;
    using right_key = typename Right::key;
    using left_record = typename Left::record;
    using right_record = typename Right::record;
    using row_type = typename Project::type;

    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct nothing {};
    struct index_of {
        std::uint32_t of;
    };
    /// A left row, beside its key.
    struct referring {
        std::uint32_t row;
        event_time at;  // of what was handed on last
        std::uint32_t to = none;
        std::uint32_t before = none;
        std::uint32_t behind = none;
    };
    /// What left rows refer to, beside its key: there is a row, or there is none yet, or none any more.
    struct referred {
        std::uint32_t row = none;
        event_time at = event_time::min();
        std::uint32_t first = none;
        std::uint32_t last = none;
    };

    keyed_table<left_key, index_of> left_keys_;
    keyed_table<right_key, index_of> right_keys_;
    value_pool<left_key, referring> left_;
    value_pool<right_key, referred> right_;
    value_pool<left_record, nothing> left_rows_;
    value_pool<right_record, nothing> right_rows_;
    touched_pairs<left_key, left_record, right_record> touched_;
    [[no_unique_address]] ForeignKey foreign_key_;
    [[no_unique_address]] Project project_;
    account account_;
    run_services* services_;
    event_time passed_on_ = event_time::min();
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = true;
    static constexpr bool deadline_moves = Next::deadline_moves;

    foreign_key_stage(
        Next next, ForeignKey foreign_key, Project project, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)),
          foreign_key_(std::move(foreign_key)),
          project_(std::move(project)),
          account_{.label = label},
          services_(services) {}

    template <std::size_t I, class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        ++account_.applied;
        if constexpr (I == 0) left_changed(ctx, row);
        else right_changed(ctx, row);
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
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void visit_state(auto&& visit) {
        visit("join", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return left_keys_.bytes() + right_keys_.bytes() + left_.bytes() + right_.bytes() + left_rows_.bytes()
            + right_rows_.bytes();
    }
    /// What is referred to, each with the rows that do; then the rows that refer to nothing.
    void save_state(auto& out) {
        out.write(account_.applied).write(passed_on_).write(static_cast<std::uint64_t>(right_keys_.size()));
        right_keys_.for_each_ordered([&](auto const& key, index_of const& index, std::uint64_t) {
            auto const& of = right_.beside(index.of);
            out.write(key).write(of.at).write(of.row != none);
            if (of.row != none) out.write(right_rows_[of.row]);
            for (auto each = of.first; each != none; each = left_.beside(each).behind) {
                out.write(true);
                save_left(out, each);
            }
            out.write(false);
        });
        std::uint64_t alone = 0;
        left_keys_.for_each_ordered([&](auto const&, index_of const& index, std::uint64_t) {
            alone += left_.beside(index.of).to == none ? 1 : 0;
        });
        out.write(alone);
        left_keys_.for_each_ordered([&](auto const&, index_of const& index, std::uint64_t) {
            if (left_.beside(index.of).to == none) save_left(out, index.of);
        });
    }
    void load_state(auto& in) {
        left_keys_.clear();
        right_keys_.clear();
        left_.clear();
        right_.clear();
        left_rows_.clear();
        right_rows_.clear();
        touched_.clear();
        in.read(account_.applied).read(passed_on_);
        for (auto count = in.template read<std::uint64_t>(); count != 0; --count) {
            auto const key = in.template read<right_key>();
            auto const to = right_of(key, canonical_hash(key), true);
            bool const drop = left_out::drops(key);  // what refers to it stays, as to something that is not there
            in.read(right_.beside(to).at);
            if (in.template read<bool>()) {
                auto const row = in.template read<right_record>();
                if (!drop) right_.beside(to).row = right_rows_.hold(row, {});
            }
            while (in.template read<bool>()) {
                if (auto const left = load_left(in); left != none) refer(left, to);
            }
            forget_if_empty(to);
        }
        for (auto alone = in.template read<std::uint64_t>(); alone != 0; --alone) load_left(in);
    }

private:
    void save_left(auto& out, std::uint32_t index) {
        auto const& of = left_.beside(index);
        out.write(left_[index]).write(of.at).write(left_rows_[of.row]);
    }
    std::uint32_t load_left(auto& in) {
        auto const key = in.template read<left_key>();
        auto const at = in.template read<event_time>();
        auto const row = in.template read<left_record>();
        return left_out::drops(key) ? none : new_left(key, canonical_hash(key), row, at);
    }
    std::uint32_t new_left(left_key const& key, std::uint64_t hash, left_record const& row, event_time at) {
        auto const made = left_.hold(key, referring{left_rows_.hold(row, {}), at});
        static_cast<void>(left_keys_.insert(key, hash, [&] { return index_of{made}; }));
        return made;
    }
    /// Where the right key is, made if asked for; else none.
    std::uint32_t right_of(right_key const& key, std::uint64_t hash, bool make) {
        if (auto const* const found = right_keys_.find(key, hash)) return found->of;
        if (!make) return none;
        auto const made = right_.hold(key, referred{});
        static_cast<void>(right_keys_.insert(key, hash, [&] { return index_of{made}; }));
        return made;
    }
    void refer(std::uint32_t from, std::uint32_t to) {
        auto& of = left_.beside(from);
        auto& list = right_.beside(to);
        of.to = to;
        of.before = list.last;
        of.behind = none;
        (list.last == none ? list.first : left_.beside(list.last).behind) = from;
        list.last = from;
    }
    /// `from` refers to nothing any more; what it referred to is forgotten if it is not there.
    void let_go(std::uint32_t from) {
        auto& of = left_.beside(from);
        if (of.to == none) return;
        auto& list = right_.beside(of.to);
        (of.before == none ? list.first : left_.beside(of.before).behind) = of.behind;
        (of.behind == none ? list.last : left_.beside(of.behind).before) = of.before;
        auto const to = std::exchange(of.to, none);
        forget_if_empty(to);
    }
    void forget_if_empty(std::uint32_t to) {
        auto const& list = right_.beside(to);
        if (list.row != none || list.first != none) return;
        right_keys_.erase(right_[to], canonical_hash(right_[to]));
        right_.drop(to);
    }
    [[nodiscard]] right_record const* row_at(std::uint32_t to) const noexcept {
        if (to == none || right_.beside(to).row == none) return nullptr;
        return &right_rows_[right_.beside(to).row];
    }
    /// What a left row refers to; nothing where its function throws: then the row is absent.
    template <class Ctx>
    bool find_foreign(Ctx const& ctx, left_record const& row, std::optional<right_key>& into) {
        return guarded(services_, account_.label, ctx,
            [&]() noexcept(noexcept(foreign_key_(row))&& std::is_nothrow_copy_constructible_v<right_key>) {
                into = foreign_key_(row);
            });
    }

    template <class Ctx>
    void left_changed(Ctx const& ctx, change<left_record> const& row) {
        auto const hash = canonical_hash(*ctx.key);
        auto const* const found = left_keys_.find(*ctx.key, hash);
        auto const from = found == nullptr ? none : found->of;
        std::optional<right_key> foreign;
        auto const* const now = row.after != nullptr && find_foreign(ctx, *row.after, foreign) ? row.after : nullptr;
        if (from == none && now == nullptr) return;

        auto const old_to = from == none ? none : left_.beside(from).to;
        bool const refers = now != nullptr && foreign && !is_null_key(*foreign);
        auto const to = refers ? right_of(*foreign, canonical_hash(*foreign), true) : none;
        auto at = ctx.at;
        if (from != none && at < left_.beside(from).at) at = left_.beside(from).at;
        if (to != none && at < right_.beside(to).at) at = right_.beside(to).at;
        auto const* const was = from == none ? nullptr : &left_rows_[left_.beside(from).row];
        touched_.note(*ctx.key, at, was, row_at(old_to), true);

        if (now == nullptr) {
            let_go(from);
            left_rows_.drop(left_.beside(from).row);
            left_keys_.erase(*ctx.key, hash);
            left_.drop(from);
            return;
        }
        if (from == none) {
            auto const made = new_left(*ctx.key, hash, *now, at);
            if (to != none) refer(made, to);
            return;
        }
        left_rows_.set(left_.beside(from).row, *now);
        left_.beside(from).at = at;
        if (old_to == to) return;
        let_go(from);
        if (to != none) refer(from, to);
    }
    template <class Ctx>
    void right_changed(Ctx const& ctx, change<right_record> const& row) {
        auto const to = right_of(*ctx.key, canonical_hash(*ctx.key), row.after != nullptr);
        if (to == none) return;
        if (right_.beside(to).at < ctx.at) right_.beside(to).at = ctx.at;
        auto const* const was = row_at(to);
        for (auto each = right_.beside(to).first; each != none; each = left_.beside(each).behind) {
            auto& of = left_.beside(each);
            if (of.at < ctx.at) of.at = ctx.at;
            touched_.note(left_[each], of.at, &left_rows_[of.row], was, false);
        }
        auto& place = right_.beside(to).row;
        if (row.after == nullptr) {
            if (place != none) right_rows_.drop(std::exchange(place, none));
            forget_if_empty(to);
        } else if (place == none) {
            place = right_rows_.hold(*row.after, {});
        } else {
            right_rows_.set(place, *row.after);
        }
    }
    /// How the rows have changed that the epoch has touched.
    void tell() {
        touched_.take([&](auto const& each) {
            auto const* const found = left_keys_.find(each.key, each.hash);
            left_record const* left = nullptr;
            right_record const* right = nullptr;
            if (found != nullptr) {
                left = &left_rows_[left_.beside(found->of).row];
                right = row_at(left_.beside(found->of).to);
            }
            bool const pushed =
                push_joined_change<Kind>(project_, services_, account_.label, each, next_, left, right);
            if (pushed && ++since_settled_ == burst_limit) settle();
        });
    }
};
}  // namespace driftless::inline v0::detail
#endif
