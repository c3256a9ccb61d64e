// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_WATERMARK_HPP
#define DRIFTLESS_TIME_WATERMARK_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
/// The watermark of one input: the least over its partitions of (newest time seen - bound).
///
/// State       One event_time per partition. A partition that has not reported holds the watermark at
///             -inf; one that has ended no longer counts.
class partition_clock {
    std::vector<event_time> newest_;  // of the partitions that are not current; max() once ended
    event_time current_newest_ = event_time::min();
    event_time others_ = event_time::max();  // the least of newest_ without the current partition
    std::uint32_t current_ = 0;

public:
    /// Records from `partition` follow.
    void enter(std::uint32_t partition) {
        if (partition == current_ && partition < newest_.size()) return;
        if (newest_.size() <= current_) newest_.resize(current_ + std::size_t{1}, event_time::min());
        newest_[current_] = current_newest_;
        if (newest_.size() <= partition) newest_.resize(partition + std::size_t{1}, event_time::min());
        current_ = partition;
        current_newest_ = newest_[partition];
        recompute();
    }
    void end(std::uint32_t partition) {
        enter(partition);
        current_newest_ = event_time::max();
    }
    /// True if another partition holds the watermark: the current one cannot move it.
    [[nodiscard]] bool held_by_others() const noexcept { return others_ < current_newest_; }
    /// The least over partitions of the newest time.
    [[nodiscard]] event_time least_newest() const noexcept {
        return current_newest_ < others_ ? current_newest_ : others_;
    }
    [[nodiscard]] event_time newest() const noexcept { return current_newest_; }
    void set_newest(event_time at) noexcept { current_newest_ = at; }

    void save(auto& out) const {
        auto all = newest_;
        if (all.size() <= current_) all.resize(current_ + std::size_t{1}, event_time::min());
        all[current_] = current_newest_;
        out.write(all);
    }
    void load(auto& in) {
        in.read(newest_);
        current_ = 0;
        current_newest_ = newest_.empty() ? event_time::min() : newest_[0];
        recompute();
    }

private:
    void recompute() noexcept {
        others_ = event_time::max();
        for (std::size_t i = 0; i < newest_.size(); ++i) {
            if (i != current_ && newest_[i] < others_) others_ = newest_[i];
        }
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
