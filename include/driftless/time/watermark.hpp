// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WATERMARK_HPP
#define DRIFTLESS_TIME_WATERMARK_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark_valve.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// How the watermark of an input follows from its records: the first argument of assign_time. Made of
///
///   mark(state, at, record)   how far this record says that its partition has come, -inf if it says nothing; may throw
///   watermark_at(progress)    the watermark once the greatest mark is `progress`; it grows with it
///   reached_at(watermark)     the least progress that makes at least this watermark
///   partition_state           what mark() remembers of a partition; no_partition_state if nothing
///   validate(), describe(parameter)   as of an operator
///   fits<T>                   optional: whether it can be asked about a record of type T
///   replayable                optional: false if the log alone does not decide it
///   bind(next)                optional: a stage of its own, instead of marks
///
/// Progress is kept per partition; the watermark of the input is that of the partition that is furthest behind.
template <class S>
concept watermark_strategy = requires { typename S::is_watermark_strategy; };

/// For strategies whose marks depend on nothing but the record.
struct no_partition_state {};

/// The promise that records are at most `bound` behind the newest one seen before them.
///
/// Time        The watermark is exclusive: newest - bound. A record exactly on the bound is in time.
struct bounded_disorder {
    using is_watermark_strategy = void;
    using partition_state = no_partition_state;
    duration bound{};

    constexpr event_time mark(no_partition_state&, event_time at, auto const&) const noexcept { return at; }
    [[nodiscard]] constexpr event_time watermark_at(event_time newest) const noexcept { return newest - bound; }
    [[nodiscard]] constexpr event_time reached_at(event_time watermark) const noexcept { return watermark + bound; }
    void validate() const {
        if (bound < duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"bounded_disorder needs a bound >= 0, not ", bound.ns(), " ns"})};
        }
    }
    constexpr void describe(auto&& parameter) const { parameter("bound", bound); }
};

/// The promise that the records of a partition come in the order of their times; equal times are in time.
///
/// Time        The watermark is the newest time, exclusive: what comes behind it is late. As bounded_disorder{0_s}.
struct monotone {
    using is_watermark_strategy = void;
    using partition_state = no_partition_state;

    constexpr event_time mark(no_partition_state&, event_time at, auto const&) const noexcept { return at; }
    [[nodiscard]] constexpr event_time watermark_at(event_time newest) const noexcept { return newest; }
    [[nodiscard]] constexpr event_time reached_at(event_time watermark) const noexcept { return watermark; }
    void validate() const {}
    constexpr void describe(auto&& parameter) const { parameter("strategy", std::string_view{"monotone"}); }
};

/// Says that the declared watermark is part of the meaning of the pipeline: batch makes it too,
/// record by record, and refuses what it refuses, instead of the exact watermark of the log.
struct as_declared_t {};
inline constexpr as_declared_t as_declared{};

namespace detail {
/// The progress of one input: the least over its partitions that are active and aligned, as watermark_valve has it.
///
/// State       One event_time and the flags of each partition; part of the snapshot. That of the current partition is
///             told to the valve when somebody asks, not record by record.
class partition_clock {
    watermark_valve valve_{1};
    event_time newest_ = event_time::min();  // of the current partition
    std::uint32_t current_ = 0;
    bool alone_ = false;  // there is one partition, and it counts: its newest time is the progress, and nobody is told

public:
    /// Records from `partition` follow.
    void enter(std::uint32_t partition) {
        if (partition == current_) return;
        tell();
        alone_ = false;
        valve_.include(partition + std::size_t{1});
        current_ = partition;
        newest_ = valve_.has_ended(partition) ? event_time::max() : valve_.watermark_of(partition);
    }
    void end(std::uint32_t partition) {
        enter(partition);
        valve_.end(partition);
        newest_ = event_time::max();
        alone_ = false;
    }
    /// `partition` has nothing to say for now, or is back.
    void set_idle(std::uint32_t partition, bool idle) {
        tell();
        alone_ = false;
        valve_.include(partition + std::size_t{1});
        if (idle) valve_.idle(partition);
        else valve_.resume(partition);
    }
    /// While no partition says anything: the progress is at least `to`.
    void raise(event_time to) {
        tell();
        alone_ = false;
        valve_.raise(to);
    }
    /// True if the current partition is ahead of the progress: it cannot move it.
    [[nodiscard]] bool held_by_others() const noexcept { return !alone_ && valve_.output() < newest_; }
    /// The progress of the input; +inf once all partitions have ended.
    [[nodiscard]] event_time least_newest() {
        if (alone_) return newest_;
        tell();
        alone_ = valve_.inputs() == 1 && valve_.counts(0);
        return valve_.output();
    }
    [[nodiscard]] event_time newest() const noexcept { return newest_; }
    [[nodiscard]] watermark_valve const& partitions() const noexcept { return valve_; }
    void set_newest(event_time at) noexcept { newest_ = at; }

    void save(auto& out) const {
        auto now = *this;
        now.tell();
        now.valve_.save(out);
    }
    void load(auto& in) {
        valve_.load(in);
        valve_.include(1);
        current_ = 0;
        alone_ = false;
        newest_ = valve_.has_ended(0) ? event_time::max() : valve_.watermark_of(0);
    }

private:
    void tell() {
        if (newest_ != event_time::max()) valve_.advance(current_, newest_);
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
