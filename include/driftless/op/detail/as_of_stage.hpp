// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_AS_OF_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_AS_OF_STAGE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/join_kinds.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/state/record_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Joins records with the rows that a table had at their time: each waits until the table can tell.
///
/// Waits       until both inputs are past its time, whatever the pace: records come out by time, and one that is behind
///             the watermark of its input is refused. Otherwise until its own input is a grace past it, and one that is
///             further behind is joined at once.
/// Project     makes a row of two, of which one may be missing
template <class In, class Rows, class Kind, class Project, bool Waits, bool Exact, class LateLeft, class LateRight,
    class Next>
class as_of_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;
    using record_type = typename In::record;

    struct turn {
        event_time at;
        std::uint64_t place;
        std::size_t of;
        friend bool operator<(turn const& a, turn const& b) noexcept {
            return a.at != b.at ? a.at < b.at : a.place < b.place;
        }
    };

    Rows rows_;
    [[no_unique_address]] Project project_;
    duration wait_;                             // the allowed lateness of records, or the grace
    event_time left_ = event_time::min();       // the watermark of the records less that
    event_time passed_on_ = event_time::min();  // what both have reached
    record_pool<In> records_;
    nearly_sorted_queue<turn> turns_;
    account account_;
    [[no_unique_address]] LateLeft late_left_;
    [[no_unique_address]] LateRight late_right_;
    run_services* services_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;
    static constexpr bool deadline_moves = false;

    as_of_stage(Next next, Rows made, Project project, duration wait, operator_label label, LateLeft late_left,
        LateRight late_right, run_services* services)
        : forwarding<Next>(std::move(next)),
          rows_(std::move(made)),
          project_(std::move(project)),
          wait_(Waits && Exact ? duration{} : wait),
          account_{.label = label},
          late_left_(std::move(late_left)),
          late_right_(std::move(late_right)),
          services_(services) {}

    template <std::size_t I, class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        if constexpr (I == 1) {
            rows_.take(ctx, record, late_right_, services_, [](auto const*, auto const*) {});
        } else {
            if (Waits && !Exact && ctx.at < left_) {
                account_.refuse_late(left_ + wait_ - ctx.at);
                late_left_.on_record(ctx, record);
                return;
            }
            ++account_.applied;
            if (is_due(ctx.at)) return join(ctx, record);
            auto const index = records_.hold(ctx, record, 1);
            turns_.push(turn{ctx.at, records_[index].place(), index});
        }
    }
    void on_watermarks(input_watermarks const& now) {
        left_ = now.of[0] - wait_;
        rows_.on_watermark(now.of[1]);
        auto const both = left_ < rows_.takes_from() ? left_ : rows_.takes_from();
        bool const grown = passed_on_ < both;
        if (grown) passed_on_ = both;
        for (; !turns_.empty() && is_due(turns_.top().at); turns_.pop()) {
            auto const& each = records_[turns_.top().of];
            join(each.ctx(), each.record());
            records_.drop(turns_.top().of);
        }
        if (!grown) return;
        rows_.forget_before(passed_on_);
        next_.on_watermark(passed_on_);
    }
    /// Each watermark may make a record late, or let one go.
    [[nodiscard]] event_time deadline(std::size_t) const { return event_time::min(); }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void visit_state(auto&& visit) {
        visit("join", *this);
        next_.visit_state(visit);
    }

    /// For visitors: when the next record goes on, and the books of both inputs.
    [[nodiscard]] event_time next_due() const noexcept {
        if (turns_.empty()) return event_time::max();
        return Waits ? turns_.top().at + duration{1} : turns_.top().at + wait_;
    }
    [[nodiscard]] account books() const noexcept {
        auto sum = account_;
        sum.add(rows_.books());
        return sum;
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return records_.bytes() + turns_.size() * sizeof(turn) + rows_.versions().bytes();
    }
    /// The records that wait in the order in which they came.
    void save_state(auto& out) {
        out.write(account_.applied);
        for (auto const each : account_.refused) out.write(each);
        out.write(left_).write(passed_on_);
        rows_.save_state(out);
        binary_heap<arrival, earlier> arrivals;
        records_.for_each([&](std::size_t index) { arrivals.push({records_[index].place(), index}); });
        out.write(static_cast<std::uint64_t>(arrivals.size()));
        while (!arrivals.empty()) {
            auto const& each = records_[arrivals.pop().of];
            auto const ctx = each.ctx();
            out.write(ctx.at).write(*ctx.key);
            out.write(ctx.from.offset).write(ctx.from.partition).write(ctx.from.input);
            out.write(each.record());
        }
    }
    void load_state(auto& in) {
        in.read(account_.applied);
        for (auto& each : account_.refused) in.read(each);
        in.read(left_).read(passed_on_);
        rows_.load_state(in);
        records_.clear();
        turns_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            context<key_type> ctx;
            key_type key{};
            ctx.key = &key;
            in.read(ctx.at).read(key);
            in.read(ctx.from.offset).read(ctx.from.partition).read(ctx.from.input);
            auto const record = in.template read<record_type>();
            if (left_out::drops(key)) continue;
            auto const index = records_.hold(ctx, record, 1);
            turns_.push(turn{ctx.at, records_[index].place(), index});
        }
    }

private:
    struct arrival {
        std::uint64_t nth;
        std::size_t of;
    };
    struct earlier {
        bool operator()(arrival const& a, arrival const& b) const noexcept { return a.nth < b.nth; }
    };

    [[nodiscard]] bool is_due(event_time at) const noexcept {
        if constexpr (Waits) return at < passed_on_ || passed_on_ == event_time::max();
        else return at <= left_;
    }
    template <class Ctx>
    void join(Ctx const& ctx, record_type const& record) {
        auto const* const row = is_null_key(*ctx.key) ? nullptr : rows_.versions().as_of(*ctx.key, ctx.at).value;
        bool const wanted = row != nullptr ? !std::is_same_v<Kind, left_anti> : Kind::alone[0];
        if (!wanted) return;
        std::optional<typename Project::type> made;
        if (!guarded(services_, account_.label, ctx,
                [&]() noexcept(Project::safe) { made.emplace(project_(&record, row)); })) {
            return;
        }
        next_.on_record(ctx, *made);
        if (++since_settled_ == burst_limit) settle();
    }
};
}  // namespace driftless::inline v0::detail
#endif
