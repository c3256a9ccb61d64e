// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TABLE_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_TABLE_STAGE_HPP

#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/state/versioned_table.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// No record deletes the row of its key.
struct deletes_nothing {
    template <class T>
    constexpr bool operator()(T const&) const noexcept {
        return false;
    }
};

/// The rows of a table as records make them: which of them are taken, and what is kept of them.
///
/// Exact       nothing is late
template <class In, class Deletes, bool Exact>
class table_rows {
    using key_type = typename In::key;
    using record_type = typename In::record;

    versioned_table<key_type, record_type> rows_;
    event_time takes_from_ = event_time::min();
    [[no_unique_address]] Deletes deletes_;
    duration history_;
    std::uint64_t max_keys_;
    account account_;

public:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    table_rows(Deletes deletes, duration history, std::uint64_t max_keys, operator_label label)
        : deletes_(std::move(deletes)),
          history_(Exact ? duration{} : history),
          max_keys_(max_keys),
          account_{.label = label} {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] auto& versions() noexcept { return rows_; }
    [[nodiscard]] auto const& versions() const noexcept { return rows_; }
    [[nodiscard]] duration history() const noexcept { return history_; }
    /// What is older is refused.
    [[nodiscard]] event_time takes_from() const noexcept { return takes_from_; }

    /// Takes a record; before it is kept, `changes(old, new)` is called if it changes the latest row of its key.
    template <class Ctx, class Late, class Changes>
    void take(Ctx const& ctx, record_type const& record, Late& late, run_services* services, Changes&& changes) {
        if (!Exact && ctx.at < takes_from_) {
            account_.refuse_late(takes_from_ + history_ - ctx.at);
            late.on_record(ctx, record);
            return;
        }
        bool deleted = false;
        if (!guarded(services, account_.label, ctx, [&]() noexcept(noexcept(deletes_(record))) {
                deleted = deletes_(record);
            })) {
            account_.refuse(reason::failed);
            return;
        }
        auto const hash = canonical_hash(*ctx.key);
        if (max_keys_ != no_limit && rows_.keys() >= max_keys_ && !rows_.knows(*ctx.key, hash)) {
            account_.refuse(reason::capacity);
            return;
        }
        ++account_.applied;
        auto const* const now = deleted ? nullptr : &record;
        auto const old = rows_.latest(*ctx.key, hash);
        if (old.from <= ctx.at && (old.value != nullptr || now != nullptr)) changes(old.value, now);
        rows_.put(*ctx.key, hash, ctx.at, now);
    }
    void on_watermark(event_time watermark) { takes_from_ = watermark - history_; }
    /// No row is read as of a time before `t` any more.
    void forget_before(event_time t) { rows_.forget_before(t < takes_from_ ? t : takes_from_); }

    void save_state(auto& out) {
        out.write(account_.applied);
        for (auto const each : account_.refused) out.write(each);
        out.write(takes_from_);
        rows_.save(out);
    }
    void load_state(auto& in) {
        in.read(account_.applied);
        for (auto& each : account_.refused) in.read(each);
        in.read(takes_from_);
        rows_.load(in);
    }
};

/// Hands on how the latest row of each key changes.
template <class In, class Rows, bool Exact, class Late, class Next>
class table_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    Rows rows_;
    [[no_unique_address]] Late late_;
    run_services* services_;

public:
    static constexpr bool tight = false;
    static constexpr bool evolves_state = evolves<typename In::record>;

    table_stage(Next next, Rows made, Late late, run_services* services)
        : forwarding<Next>(std::move(next)), rows_(std::move(made)), late_(std::move(late)), services_(services) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        rows_.take(ctx, record, late_, services_,
            [&](T const* before, T const* after) { next_.on_change(ctx, change<T>{before, after}); });
    }
    void on_watermark(event_time watermark) {
        rows_.on_watermark(watermark);
        rows_.forget_before(rows_.takes_from());
        next_.on_watermark(rows_.takes_from());
    }
    [[nodiscard]] event_time deadline() const {
        if constexpr (!Exact) return event_time::min();  // any move decides what is late
        auto const theirs = next_.deadline();
        auto const own = rows_.versions().next_to_forget();
        return (own < theirs ? own : theirs) + rows_.history();
    }
    void visit_state(auto&& visit) {
        visit("table", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return rows_.books(); }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return rows_.versions().bytes(); }
    void save_state(auto& out) { rows_.save_state(out); }
    void load_state(auto& in) { rows_.load_state(in); }
};
}  // namespace driftless::inline v0::detail
#endif
