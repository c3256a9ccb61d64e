// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TIMING_STAGES_HPP
#define DRIFTLESS_OP_DETAIL_TIMING_STAGES_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/detail/per_partition.hpp>
#include <driftless/time/watermark.hpp>

#include <concepts>
#include <cstdint>
#include <utility>

namespace driftless::inline v0::detail {
/// Keeps the event time that a record already has.
struct time_as_given {};

/// What both stages share: the function, and looking ahead where it reads a member.
template <class F, class Next>
class timing_stage : public forwarding<Next> {
protected:
    using forwarding<Next>::next_;
    [[no_unique_address]] F time_of_;
    operator_label label_;
    run_services* services_;

public:
    constexpr timing_stage(Next next, F time_of, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)), time_of_(std::move(time_of)), label_(label), services_(services) {}

    static constexpr bool can_look_ahead = Next::can_look_ahead && (names_member<F> || std::same_as<F, time_as_given>);
    [[nodiscard]] bool looks_ahead() const { return next_.looks_ahead(); }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        if constexpr (std::same_as<F, time_as_given>) next_.prefetch(ctx, record);
        else if constexpr (can_look_ahead) next_.prefetch(ctx.with_time(time_of_(record)), record);
    }
};

/// Batch with the exact watermark: only stamps the records.
template <class F, class Next>
class stamp_stage : public timing_stage<F, Next> {
    using timing_stage<F, Next>::next_;
    using timing_stage<F, Next>::time_of_;
    using timing_stage<F, Next>::label_;
    using timing_stage<F, Next>::services_;

public:
    using timing_stage<F, Next>::timing_stage;

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        event_time at{};
        if (!guarded(services_, label_, ctx,
                [&]() noexcept(noexcept(time_of_(record))) { at = time_of_(record); })) return;
        next_.on_record(ctx.with_time(at), record);
    }
    static constexpr bool guards_time = Next::guards_time;
    template <class T>
    [[nodiscard]] event_time merge_time(std::uint32_t partition, event_time at, T const& record) const {
        return next_.merge_time(partition, at, record);
    }
};

/// Makes the declared watermark, record by record. Pushes it on only when something can change, when the greatest mark
/// reaches `trip_`, which makes the deadline of what follows. One compare for a record whose mark is not the greatest.
template <class F, class Strategy, class Next>
class declare_stage : public timing_stage<F, Next> {
    using timing_stage<F, Next>::next_;
    using timing_stage<F, Next>::time_of_;
    using timing_stage<F, Next>::label_;
    using timing_stage<F, Next>::services_;
    [[no_unique_address]] Strategy strategy_;
    using states_t = per_partition<typename Strategy::partition_state>;
    [[no_unique_address]] states_t states_;
    event_time trip_ = event_time::min();
    event_time watermark_ = event_time::min();
    event_time newest_ = event_time::min();  // the greatest mark of the current partition
    /// Marks before this time change nothing: newest_, or -inf while trip_ is reached.
    event_time look_from_ = event_time::min();
    partition_clock clock_;

public:
    constexpr declare_stage(Next next, F time_of, Strategy strategy, operator_label label, run_services* services)
        : timing_stage<F, Next>(std::move(next), std::move(time_of), label, services),
          strategy_(std::move(strategy)) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        event_time at = ctx.at;
        if constexpr (!std::same_as<F, time_as_given>) {
            if (!guarded(services_, label_, ctx,
                    [&]() noexcept(noexcept(time_of_(record))) { at = time_of_(record); })) return;
        }
        event_time mark{};
        if (!guarded(services_, label_, ctx, [&]() noexcept(noexcept(strategy_.mark(states_.current(), at, record))) {
                mark = strategy_.mark(states_.current(), at, record);
            })) return;
        next_.on_record(ctx.with_time(at), record);
        if constexpr (forwarding<Next>::deadline_moves) {
            trip_ = strategy_.reached_at(next_.deadline());
            look_at(mark);
        } else {
            follow(mark);
        }
    }
    /// Somebody else may hand on the records, if they are told here: to find out how far time has come, nothing is
    /// called that may throw.
    template <class T>
    static constexpr bool can_leave_records = [] {
        constexpr bool named = names_member<F> || std::same_as<F, time_as_given>;
        return named && !forwarding<Next>::deadline_moves
            && noexcept(std::declval<Strategy const&>().mark(
                std::declval<typename Strategy::partition_state&>(), event_time{}, std::declval<T const&>()));
    }();
    /// As on_record, of a record that somebody else hands on: behind it comes the watermark that it causes.
    template <class T>
    DRIFTLESS_FUSED void leave_record(event_time at, T const& record) {
        if constexpr (!std::same_as<F, time_as_given>) at = time_of_(record);
        follow(strategy_.mark(states_.current(), at, record));
    }
    /// The input's own watermark says nothing here, except that it has ended.
    constexpr void on_watermark(event_time watermark) {
        if (watermark == event_time::max()) {
            watermark_ = watermark;
            next_.on_watermark(watermark);
        }
    }
    constexpr void on_partition(std::uint32_t partition) {
        clock_.set_newest(newest_);
        clock_.enter(partition);
        states_.enter(partition);
        newest_ = clock_.newest();
        ask_anew();
        next_.on_partition(partition);
    }
    constexpr void on_partition_end(std::uint32_t partition) {
        clock_.set_newest(newest_);
        clock_.end(partition);
        states_.enter(partition);
        newest_ = clock_.newest();
        advance();
        look_from_ = event_time::min();
        next_.on_partition_end(partition);
    }
    constexpr void on_partition_idle(std::uint32_t partition, bool idle) {
        clock_.set_newest(newest_);
        clock_.set_idle(partition, idle);
        advance();
        look_from_ = event_time::min();
        next_.on_partition_idle(partition, idle);
    }
    /// Nothing comes, and time goes on: from where the progress is.
    constexpr void on_quiet(duration step) {
        clock_.set_newest(newest_);
        auto const progress = clock_.least_newest();
        if (!progress.is_infinite()) {
            auto const to = strategy_.reached_at(strategy_.watermark_at(progress) + step);
            if (to < event_time::max()) clock_.raise(to);
            advance();
            look_from_ = event_time::min();
        }
        next_.on_quiet(step);
    }
    constexpr void visit_state(auto&& visit) {
        clock_.set_newest(newest_);
        visit("watermark", watermark_);
        visit("partitions", clock_);
        if constexpr (states_t::keeps) visit("marks", states_);
        newest_ = clock_.newest();
        ask_anew();
        next_.visit_state(visit);
    }

private:
    DRIFTLESS_INLINE constexpr void follow(event_time mark) {
        if (mark >= look_from_) {  // the one compare of a record whose mark is not the greatest
            look_at(mark);
            look_from_ = newest_ >= trip_ ? event_time::min() : newest_;
        }
    }
    DRIFTLESS_INLINE constexpr void look_at(event_time mark) {
        if (mark > newest_ && mark < event_time::max()) newest_ = mark;  // +inf is no time: it would end the partition
        if (newest_ >= trip_) advance();
    }
    /// The next record finds out anew what it changes.
    constexpr void ask_anew() noexcept {
        trip_ = event_time::min();
        look_from_ = event_time::min();
    }
    DRIFTLESS_NOINLINE constexpr void advance() {
        clock_.set_newest(newest_);
        auto const least = clock_.least_newest();
        // All partitions ended is not the end of the input: that is said by +inf alone.
        if (least == event_time::max()) return;
        if (least == event_time::min()) {
            // Until every partition has reported; one without a mark asks again at its next record.
            trip_ = clock_.held_by_others() ? event_time::max() : event_time::min();
            return;
        }
        auto const watermark = strategy_.watermark_at(least);
        if (watermark > watermark_) {
            watermark_ = watermark;
            next_.on_watermark(watermark);
        }
        // A partition that is ahead of another waits for it; on_partition looks again.
        trip_ = clock_.held_by_others() ? event_time::max() : strategy_.reached_at(next_.deadline());
    }
};
}  // namespace driftless::inline v0::detail
#endif
