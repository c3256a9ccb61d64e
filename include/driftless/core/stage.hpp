// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_STAGE_HPP
#define DRIFTLESS_CORE_STAGE_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace driftless::inline v0 {

/// How a job runs its stages, as a type: what a stage may leave out under it.
///
/// exact       No record can be late: lateness is compiled out (batch, unless as_declared).
/// declared    assign_time makes the watermark itself, record by record (stream, or as_declared).
/// threads     Keyed state may be spread over threads: without it the shards are left out.
template <bool Exact, bool Stream, bool Threads = true>
struct run_mode {
    static constexpr bool exact = Exact;
    static constexpr bool stream = Stream;
    static constexpr bool threads = Threads;
};
/// A batch whose watermark is exact; one that makes the declared watermark (as_declared); a stream.
template <bool Threads = true>
using exact_batch = run_mode<true, false, Threads>;
template <bool Threads = true>
using declared_batch = run_mode<false, false, Threads>;
using streaming = run_mode<false, true>;

/// Nobody pushes more records than this without a settle() in between.
inline constexpr std::size_t burst_limit = std::size_t{1} << 20;

/// The whole stage protocol, each call handed to the successor. A stage derives from this, holds
/// its successor by value and writes the calls it means; what it does not use costs nothing.
///
/// on_record(ctx, record)    a record; the watermark it causes follows it
/// on_change(ctx, change)    a row that changed (changelog streams)
/// on_watermark(w)           no more records with at < w are expected; only ever grows
/// on_partition(p)           the records that follow come from partition p of their input
/// on_partition_end(p)       partition p has ended: it leaves the watermark
/// on_partition_idle(p, idle)   partition p has nothing to say for now and leaves the watermark, or is back
/// on_quiet(step)            no input says anything, and the watermark is to move on by `step`: for who makes it
/// on_chunk()                the source pauses here: hand on what was held back
/// settle()                  totals that were kept apart for speed are put together. The source says so after
///                           each tight loop; who hands on more records than it takes, every `burst_limit`
/// on_epoch(n)               everything pushed so far is epoch n, a numbered prefix of the input. Said after every
///                           record, and again after on_clock, to pipelines with a stage that wants_epochs
/// on_idle(idle)             the input has gone idle, or is active again
/// on_clock(now)             processing time
/// clock_deadline()          the least processing time at which anything can change by itself
/// on_end()                  the input has ended; the watermark +inf came before
/// deadline()                the least watermark at which anything can change: below it, none needs
///                           to be pushed. Read after every watermark, and after every record when
///                           `deadline_moves`.
/// tight                     all that a record meets from here on is arithmetic: the loop of a source may be unrolled
/// prefetch(ctx, record)     a record that comes soon: its state may be fetched into the cache. Nothing of the user's
///                           is called. Asked for while looks_ahead(), of stages that can_look_ahead
/// merge_time(p, at, record) when a record of partition p with time `at` comes among other partitions and inputs: at
///                           `at`, unless a guard finds it too far ahead. Asked of stages that say guards_time
/// reached(from)             the greatest time that a partition has brought to an align, and max_drift(): by how much
///                           it may be ahead of the slowest. Asked of stages that say aligns
/// visit_state(visit)        one list of (name, member) for snapshot, restore and metrics
/// meets_others              what it hands on comes together with another input further down
/// records_only              a type: of all these, the stage writes on_record, on_change and settle alone
template <class Next>
class forwarding {
protected:
    Next next_;

public:
    static constexpr bool deadline_moves = Next::deadline_moves;
    static constexpr bool tight = Next::tight;
    static constexpr bool wants_epochs = Next::wants_epochs;
    static constexpr bool can_look_ahead = false;
    static constexpr bool guards_time = false;
    static constexpr bool aligns = Next::aligns;
    static constexpr bool meets_others = Next::meets_others;

    DRIFTLESS_INLINE explicit constexpr forwarding(Next next) : next_(std::move(next)) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        next_.on_record(ctx, record);
    }
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        next_.on_change(ctx, row);
    }
    constexpr void on_watermark(event_time watermark) { listener().on_watermark(watermark); }
    constexpr void on_partition(std::uint32_t partition) { listener().on_partition(partition); }
    constexpr void on_partition_end(std::uint32_t partition) { listener().on_partition_end(partition); }
    constexpr void on_partition_idle(std::uint32_t partition, bool idle) {
        listener().on_partition_idle(partition, idle);
    }
    constexpr void on_quiet(duration step) { listener().on_quiet(step); }
    constexpr void on_chunk() { listener().on_chunk(); }
    DRIFTLESS_FUSED constexpr void settle() { next_.settle(); }
    constexpr void on_epoch(std::uint64_t epoch) { listener().on_epoch(epoch); }
    constexpr void on_idle(bool idle) { listener().on_idle(idle); }
    constexpr void on_clock(event_time now) { listener().on_clock(now); }
    constexpr void on_end() { listener().on_end(); }
    [[nodiscard]] constexpr event_time deadline() const { return next_.deadline(); }
    [[nodiscard]] constexpr event_time clock_deadline() const { return next_.clock_deadline(); }
    [[nodiscard]] constexpr event_time reached(origin const& from) const { return next_.reached(from); }
    [[nodiscard]] constexpr duration max_drift() const { return next_.max_drift(); }
    constexpr void visit_state(auto&& visit) { listener().visit_state(visit); }

    /// The next stage that may mean one of the rare calls: those that say `records_only` are skipped. One function per
    /// stage instead of one per stage and call: compiled code that grows with the pipeline is compile time.
    [[nodiscard]] constexpr auto& listener() noexcept {
        if constexpr (requires { typename Next::records_only; }) return next_.listener();
        else return next_;
    }
};

/// A stage that hands on records as they are, and so lets look ahead and merge through it.
template <class Next>
class looking_through : public forwarding<Next> {
protected:
    using forwarding<Next>::next_;

public:
    using forwarding<Next>::forwarding;
    static constexpr bool can_look_ahead = Next::can_look_ahead;
    [[nodiscard]] bool looks_ahead() const { return next_.looks_ahead(); }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        next_.prefetch(ctx, record);
    }
    static constexpr bool guards_time = Next::guards_time;
    template <class T>
    [[nodiscard]] event_time merge_time(std::uint32_t partition, event_time at, T const& record) const {
        return next_.merge_time(partition, at, record);
    }
};

/// The end of a chain: answers the protocol where nothing follows.
class terminal {
public:
    static constexpr bool deadline_moves = false;
    static constexpr bool tight = false;
    static constexpr bool wants_epochs = false;
    static constexpr bool can_look_ahead = false;
    static constexpr bool guards_time = false;
    static constexpr bool aligns = false;
    static constexpr bool meets_others = false;

    constexpr void on_watermark(event_time) {}
    constexpr void on_partition(std::uint32_t) {}
    constexpr void on_partition_end(std::uint32_t) {}
    constexpr void on_partition_idle(std::uint32_t, bool) {}
    constexpr void on_quiet(duration) {}
    constexpr void on_chunk() {}
    constexpr void settle() {}
    constexpr void on_epoch(std::uint64_t) {}
    constexpr void on_idle(bool) {}
    constexpr void on_clock(event_time) {}
    constexpr void on_end() {}
    [[nodiscard]] constexpr event_time deadline() const { return event_time::max(); }
    [[nodiscard]] constexpr event_time clock_deadline() const { return event_time::max(); }
    constexpr void visit_state(auto&&) {}
};
}  // namespace driftless::inline v0
#endif
