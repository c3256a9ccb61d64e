// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_ASSIGN_TIME_HPP
#define DRIFTLESS_OP_ASSIGN_TIME_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/time/watermark.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
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
};

/// Makes the declared watermark, record by record. Pushes it on only when something can change, when the newest time
/// reaches `trip_` = the deadline of what follows + the bound. One compare for each record that is not the newest.
template <class F, class Next>
class declare_stage : public timing_stage<F, Next> {
    using timing_stage<F, Next>::next_;
    using timing_stage<F, Next>::time_of_;
    using timing_stage<F, Next>::label_;
    using timing_stage<F, Next>::services_;
    duration bound_;
    event_time trip_ = event_time::min();
    event_time watermark_ = event_time::min();
    event_time newest_ = event_time::min();  // of the current partition
    /// Records before this time change nothing: newest_, or -inf while trip_ is reached.
    event_time look_from_ = event_time::min();
    partition_clock clock_;

public:
    constexpr declare_stage(Next next, F time_of, duration bound, operator_label label, run_services* services)
        : timing_stage<F, Next>(std::move(next), std::move(time_of), label, services), bound_(bound) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        event_time at = ctx.at;
        if constexpr (!std::same_as<F, time_as_given>) {
            if (!guarded(services_, label_, ctx,
                    [&]() noexcept(noexcept(time_of_(record))) { at = time_of_(record); })) return;
        }
        next_.on_record(ctx.with_time(at), record);
        if constexpr (forwarding<Next>::deadline_moves) {
            trip_ = next_.deadline() + bound_;
            look_at(at);
        } else if (at >= look_from_) {  // the one compare of a record that is not the newest
            look_at(at);
            look_from_ = newest_ >= trip_ ? event_time::min() : newest_;
        }
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
        newest_ = clock_.newest();
        ask_anew();
        next_.on_partition(partition);
    }
    constexpr void on_partition_end(std::uint32_t partition) {
        clock_.set_newest(newest_);
        clock_.end(partition);
        newest_ = clock_.newest();
        advance();
        look_from_ = event_time::min();
        next_.on_partition_end(partition);
    }
    constexpr void visit_state(auto&& visit) {
        clock_.set_newest(newest_);
        visit("watermark", watermark_);
        visit("partitions", clock_);
        newest_ = clock_.newest();
        ask_anew();
        next_.visit_state(visit);
    }

private:
    DRIFTLESS_INLINE constexpr void look_at(event_time at) {
        if (at > newest_ && at < event_time::max()) newest_ = at;  // +inf is no time: it would end the partition
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
            // Until every partition has reported; one whose newest time is -inf itself asks again at its next record.
            trip_ = clock_.held_by_others() ? event_time::max() : event_time::min();
            return;
        }
        auto const watermark = least - bound_;
        if (watermark > watermark_) {
            watermark_ = watermark;
            next_.on_watermark(watermark);
        }
        // A partition that is ahead of another waits for it; on_partition looks again.
        trip_ = clock_.held_by_others() ? event_time::max() : next_.deadline() + bound_;
    }
};
}  // namespace detail

/// Gives records their event time and the input its watermark. Made by assign_time().
template <class F, bool AsDeclared>
struct assign_time_op : operator_base<assign_time_op<F, AsDeclared>> {
    static constexpr std::string_view kind = "assign_time";
    static constexpr bool keeps_record = true;
    static constexpr bool declared = AsDeclared;
    using time_function = F;

    [[no_unique_address]] F time_of;
    bounded_disorder disorder;

    constexpr assign_time_op(F function, bounded_disorder bound) : time_of(std::move(function)), disorder(bound) {}

    void validate() const { disorder.validate(); }
    constexpr void describe(auto&& parameter) const {
        disorder.describe(parameter);
        if constexpr (AsDeclared) parameter("watermark", std::string_view{"as declared"});
    }

    template <class In>
    static constexpr bool yields_time = [] {
        if constexpr (std::same_as<F, detail::time_as_given>) {
            return timestamped<In>;
        } else if constexpr (detail::projects<F, typename In::record>) {
            return std::same_as<detail::projected_t<F, typename In::record>, event_time>;
        } else {
            return false;
        }
    }();
    template <class In>
    static constexpr bool accepts = yields_time<In> && !changelog<In> && !In::window::assigned;
    template <class In>
    using output_t = typename In::with_time;
    template <class In>
    static constexpr void refuse() {
        static_assert(!changelog<In> && !In::window::assigned,
            "driftless: assign_time needs plain records: put it before window(...) and aggregate(...)");
        static_assert(yields_time<In>,
            "driftless: assign_time needs an event_time of the record: write assign_time<&T::member>(...) with "
            "a member of type event_time, or give it a function event_time(T const&)");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        if constexpr (Mode::stream || AsDeclared) {
            return detail::declare_stage<F, Next>{std::move(next), time_of, disorder.bound, at.label, at.services()};
        } else if constexpr (std::same_as<F, detail::time_as_given>) {
            return next;
        } else {
            return detail::stamp_stage<F, Next>{std::move(next), time_of, at.label, at.services()};
        }
    }
};

/// Gives each record the event time in its member, and declares how far out of order records come.
///
/// Shape       record stream -> the same stream, with event time; one out per record.
/// Time        The declared watermark is exclusive, (newest time seen) - bound, and follows the record that
///             causes it. Over several partitions it is the least of theirs; one that has not reported yet
///             holds it back. Without a bound the input is monotone (bound 0).
/// State       The newest time of each partition and the watermark; part of the snapshot.
/// Batch       Batch needs no promise: it uses the exact watermark of the log's block statistics where the
///             member is named in the type and only filter, tap and the like stand before it, and +inf at
///             the end otherwise. With `as_declared` it makes the declared watermark, as a stream does.
/// Errors      Compile time: a member or function that yields no event_time. When the job starts: a bound < 0.
/// Complexity  O(1) per record: one compare, two with disorder.
/// Source      T. Akidau et al., "Watermarks in Stream Processing Systems" (VLDB 2021).
template <auto Member>
constexpr auto assign_time(bounded_disorder disorder = {}) {
    return assign_time_op<detail::member_projection<Member>, false>{{}, disorder};
}
template <auto Member>
constexpr auto assign_time(bounded_disorder disorder, as_declared_t) {
    return assign_time_op<detail::member_projection<Member>, true>{{}, disorder};
}
/// The same with a function or a run-time member pointer.
template <class F>
    requires(!std::same_as<F, bounded_disorder>)
constexpr auto assign_time(F function, bounded_disorder disorder = {}) {
    using f = decltype(detail::make_projection(function));
    return assign_time_op<f, false>{detail::make_projection(std::move(function)), disorder};
}
template <class F>
    requires(!std::same_as<F, bounded_disorder>)
constexpr auto assign_time(F function, bounded_disorder disorder, as_declared_t) {
    using f = decltype(detail::make_projection(function));
    return assign_time_op<f, true>{detail::make_projection(std::move(function)), disorder};
}
/// Declares the watermark of records that have their event time already (from<event<T>>).
constexpr auto assign_time(bounded_disorder disorder) {
    return assign_time_op<detail::time_as_given, false>{{}, disorder};
}
constexpr auto assign_time(bounded_disorder disorder, as_declared_t) {
    return assign_time_op<detail::time_as_given, true>{{}, disorder};
}
}  // namespace driftless::inline v0
#endif
