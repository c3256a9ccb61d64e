// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ENRICH_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_ENRICH_STAGE_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/detail/enrich_calls.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Holds records back until their answers are there, and whatever is said behind them; hands all of it on in order, or
/// each record when its answer is there.
///
/// Calls       owned by the job: the stage moves, and calls are under way meanwhile
template <class Calls, class Combine, class Row, class Next>
class enrich_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using saying = typename Calls::saying;
    using entry = typename Calls::entry;
    Calls* calls_;
    [[no_unique_address]] Combine combine_;

public:
    static constexpr bool deadline_moves = true;
    static constexpr bool tight = false;

    enrich_stage(Next next, Calls* calls, Combine combine)
        : forwarding<Next>(std::move(next)), calls_(calls), combine_(std::move(combine)) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        if (calls_->unsaid_partition()) say({.what = saying::partition, .partition = 0});
        calls_->pump();
        while (calls_->full_of_records()) hand_on_one();
        calls_->begin(ctx, record);
    }
    void on_watermark(event_time watermark) {
        say({.what = saying::watermark, .number = watermark.ns()});
        if (watermark == event_time::max()) hand_on_all();
    }
    void on_partition(std::uint32_t partition) { say({.what = saying::partition, .partition = partition}); }
    void on_partition_end(std::uint32_t partition) { say({.what = saying::partition_end, .partition = partition}); }
    void on_partition_idle(std::uint32_t partition, bool idle) {
        say({.what = saying::partition_idle, .flag = idle, .partition = partition});
    }
    void on_quiet(duration step) { say({.what = saying::quiet, .number = step.ns()}); }
    void on_epoch(std::uint64_t epoch) {
        // On the other ways of a diamond the record has arrived: it has to be together.
        if constexpr (Next::meets_others && Next::wants_epochs) hand_on_all();
        say({.what = saying::epoch, .number = static_cast<std::int64_t>(epoch)});
    }
    void on_idle(bool idle) { say({.what = saying::idle, .flag = idle}); }
    void on_clock(event_time now) { say({.what = saying::clock, .number = now.ns()}); }
    void on_chunk() {
        for (auto left = calls_->may_go(); left != 0; --left) hand_on_one();
        this->listener().on_chunk();
    }
    void on_end() {
        hand_on_all();
        this->listener().on_end();
    }
    /// What the successor waits for is not known before the records it has not seen: every watermark goes on.
    [[nodiscard]] event_time deadline() const { return calls_->empty() ? next_.deadline() : event_time::min(); }
    [[nodiscard]] event_time clock_deadline() const {
        return calls_->empty() ? next_.clock_deadline() : event_time::min();
    }
    void visit_state(auto&& visit) {
        visit("calls", *calls_);
        this->listener().visit_state(visit);
    }

private:
    void say(entry what) {
        if (calls_->unsaid_partition() && what.what != saying::partition) say({.what = saying::partition});
        if (calls_->empty()) return tell(what);
        calls_->say(what);
        while (calls_->full_of_words()) hand_on_one();
    }
    void hand_on_all() {
        while (!calls_->empty()) hand_on_one(true);
    }
    /// The record that is next, once its answer is there, and what is said before the one behind it.
    void hand_on_one(bool last = false) {
        if (auto const p = calls_->untold_partition()) tell({.what = saying::partition, .partition = *p});
        if (calls_->record_in_front()) {
            auto& each = calls_->take_next(last);
            if (calls_->account_for(each)) push(each);
            calls_->recycle(each);
        }
        while (!calls_->empty() && !calls_->record_in_front()) {
            auto const what = calls_->front();
            calls_->pop();
            tell(what);
        }
    }
    template <class Call>
    void push(Call& each) {
        auto const ctx = each.of.ctx();
        std::optional<Row> row;
        if (guarded(calls_->services(), calls_->label(), ctx,
                [&] { row.emplace(combine_(std::as_const(each.of.record), std::as_const(*each.answer))); })) {
            next_.on_record(ctx, *row);
        }
    }
    void tell(entry const& what) {
        auto& to = this->listener();
        switch (what.what) {
            case saying::record: return;
            case saying::watermark: return to.on_watermark(event_time{what.number});
            case saying::partition: calls_->told_partition(what.partition); return to.on_partition(what.partition);
            case saying::partition_end: return to.on_partition_end(what.partition);
            case saying::partition_idle: return to.on_partition_idle(what.partition, what.flag);
            case saying::quiet: return to.on_quiet(duration{what.number});
            case saying::epoch: return to.on_epoch(static_cast<std::uint64_t>(what.number));
            case saying::idle: return to.on_idle(what.flag);
            case saying::clock: return to.on_clock(event_time{what.number});
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
