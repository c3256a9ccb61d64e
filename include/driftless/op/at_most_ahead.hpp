// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_AT_MOST_AHEAD_HPP
#define DRIFTLESS_OP_AT_MOST_AHEAD_HPP

// Guards against event times that lie in the future: options of assign_time. divert_to{"name"_name} beside one says
// where the records go that it refuses.
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/detail/per_partition.hpp>
#include <driftless/op/expect.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Behind the stage that stamps the records, before the one that makes the watermark.
template <class Guard, class Diverted, class Next>
class guard_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    using states_t = per_partition<typename Guard::partition_state>;
    Guard guard_;
    [[no_unique_address]] Diverted diverted_;
    [[no_unique_address]] states_t states_;
    account account_;
    run_services* services_;

public:
    constexpr guard_stage(Next next, Guard guard, Diverted diverted, operator_label label, run_services* services)
        : looking_through<Next>(std::move(next)),
          guard_(std::move(guard)),
          diverted_(std::move(diverted)),
          account_{.label = label},
          services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        auto& state = states_.current();
        event_time from{};
        if (!guarded(services_, account_.label, ctx, [&]() noexcept(noexcept(guard_.measured_from(state, record))) {
                from = guard_.measured_from(state, record);
            })) return account_.refuse(reason::failed);
        if (too_far(ctx.at, from) && !guard_.believes(state, ctx.at)) {
            account_.refuse(reason::ahead);
            return diverted_.on_record(ctx, record);
        }
        guard_.took(state, ctx.at);
        ++account_.applied;
        next_.on_record(ctx, record);
    }
    constexpr void on_partition(std::uint32_t partition) {
        states_.enter(partition);
        next_.on_partition(partition);
    }
    constexpr void on_partition_end(std::uint32_t partition) {
        states_.enter(partition);
        next_.on_partition_end(partition);
    }
    constexpr void on_clock(event_time now) {
        if constexpr (requires { guard_.on_clock(now); }) guard_.on_clock(now);
        next_.on_clock(now);
    }
    constexpr void visit_state(auto&& visit) {
        visit("account", account_);
        if constexpr (states_t::keeps) visit("guarded", states_);
        next_.visit_state(visit);
    }

    static constexpr bool guards_time = true;
    /// A record that is too far ahead is merged where its time may begin: it is not to hold its partition back.
    template <class T>
    [[nodiscard]] event_time merge_time(std::uint32_t partition, event_time at, T const& record) const {
        try {
            auto const from = guard_.measured_from(states_.of(partition), record);
            return too_far(at, from) ? from : at;
        } catch (...) {
            return at;  // on_record finds out, and asks on_error
        }
    }

private:
    [[nodiscard]] constexpr bool too_far(event_time at, event_time from) const noexcept {
        return at == event_time::max() || (from != event_time::min() && at > from + guard_.bound);
    }
};

/// What guards have in common. `Self` has a `bound` and says from where it is measured.
template <class Self>
struct time_guard {
    using is_time_guard = void;
    using partition_state = no_partition_state;

    static constexpr bool believes(no_partition_state, event_time) noexcept { return false; }
    static constexpr void took(no_partition_state, event_time) noexcept {}
    template <class Next, class Diverted>
    constexpr auto bind(Next next, Diverted diverted, operator_label label, run_services* services) const {
        return guard_stage<Self, Diverted, Next>{std::move(next), self(), std::move(diverted), label, services};
    }
    void validate() const {
        if (duration{} > self().bound) {  // `bound <` would begin a list: bound<Name, X>
            throw error{error_code::invalid_argument,
                sentence({"at_most_ahead needs a bound >= 0, not ", self().bound.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("ahead of", Self::measures);
        parameter("at most", self().bound);
    }

private:
    constexpr Self const& self() const noexcept { return static_cast<Self const&>(*this); }
};
}  // namespace detail

/// Refuses records that lie more than `bound` ahead of the newest one that their partition has brought before.
///
/// Shape       An option of assign_time: refused records are counted (reason `ahead`), go to the output of a
///             divert_to{"name"_name} beside it, and move no watermark.
/// Time        Refused is at > newest + bound; exactly on the bound is taken. +inf is no time and always refused. The
///             first record of a partition is taken as it is. With believe_after = n the n-th record in a row that is
///             refused, each within the bound of the one before it, is taken: so many do not err alike, time has gone
///             on while nothing came. 0: never, and a partition that is silent for longer than the bound stays shut.
///             Prefer at_most_ahead_of where the record knows when it was received.
/// State       Two times and a count per partition, and an account; part of the snapshot.
/// Batch       The same records are refused: it depends on the order within each partition alone.
/// Merge       Where partitions are merged by time, a record that is refused comes at the newest time of its partition:
///             it does not hold the partition until the rest of the world has got there.
/// Complexity  Two compares and a count per record.
struct at_most_ahead : detail::time_guard<at_most_ahead> {
    static constexpr bool sees_order = true;
    static constexpr std::string_view measures = "newest";
    duration bound;
    std::uint64_t believe_after;

    explicit constexpr at_most_ahead(duration ahead, std::uint64_t in_a_row = 0)
        : bound(ahead), believe_after(in_a_row) {}

    class partition_state {
        friend at_most_ahead;
        event_time newest_ = event_time::min();
        event_time refused_ = event_time::min();  // the last one, if in_a_row_ > 0
        std::uint64_t in_a_row_ = 0;

    public:
        void save(auto& out) const { out.write(newest_).write(refused_).write(in_a_row_); }
        void load(auto& in) { in.read(newest_).read(refused_).read(in_a_row_); }
    };
    static constexpr event_time measured_from(partition_state const& of, auto const&) noexcept { return of.newest_; }
    constexpr bool believes(partition_state& of, event_time at) const noexcept {
        bool const alike = of.in_a_row_ != 0 && at <= of.refused_ + bound && of.refused_ <= at + bound;
        of.in_a_row_ = alike ? of.in_a_row_ + 1 : 1;
        of.refused_ = at;
        return of.in_a_row_ == believe_after && at != event_time::max();
    }
    static constexpr void took(partition_state& of, event_time at) noexcept {
        if (at > of.newest_) of.newest_ = at;
        of.in_a_row_ = 0;
    }
    constexpr void describe(auto&& parameter) const {
        time_guard::describe(parameter);
        parameter("believe after", believe_after);
    }
};

/// The same, ahead of another time of the record. Made by at_most_ahead_of().
template <class F>
struct ahead_of_guard : detail::time_guard<ahead_of_guard<F>> {
    static constexpr bool sees_order = false;
    static constexpr std::string_view measures = "record";
    [[no_unique_address]] F from;
    duration bound;

    constexpr ahead_of_guard(F function, duration ahead) : from(std::move(function)), bound(ahead) {}

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (detail::projects<F, T>) return std::same_as<detail::projected_t<F, T>, event_time>;
        else return false;
    }();
    template <class T>
    constexpr event_time measured_from(no_partition_state, T const& record) const noexcept(noexcept(from(record))) {
        return from(record);
    }
};

/// Refuses records that lie more than `bound` ahead of another time that they bring: when a gateway received them, say.
///
/// Shape       As at_most_ahead.
/// Time        Refused is at > other + bound. A record whose other time is -inf is taken.
/// Batch       The same records are refused: a function of the record alone, in any order.
/// Errors      Compile time: a member or function that yields no event_time. Run time: a function that throws is
///             subject to on_error.
template <auto Member>
constexpr auto at_most_ahead_of(duration bound) {
    return ahead_of_guard<detail::member_projection<Member>>{{}, bound};
}
template <class F>
constexpr auto at_most_ahead_of(F function, duration bound) {
    using f = decltype(detail::make_projection(function));
    return ahead_of_guard<f>{detail::make_projection(std::move(function)), bound};
}

/// Refuses records that lie more than `bound` ahead of the clock of the job (stream{.clock}).
///
/// Time        Refused is at > clock + bound, by the clock as it was before the poll.
/// Batch       There is no clock, and nothing is refused.
/// Replay      The log alone does not decide the answer: is_replayable<P> is false.
struct at_most_ahead_of_clock : detail::time_guard<at_most_ahead_of_clock> {
    static constexpr bool replayable = false;
    static constexpr bool sees_order = true;
    static constexpr std::string_view measures = "clock";
    duration bound;

    explicit constexpr at_most_ahead_of_clock(duration ahead) : bound(ahead) {}
    constexpr void on_clock(event_time now) noexcept { now_ = now; }
    constexpr event_time measured_from(no_partition_state, auto const&) const noexcept { return now_; }

private:
    event_time now_ = event_time::min();
};
}  // namespace driftless::inline v0
#endif
