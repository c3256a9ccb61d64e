// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_ALIGN_HPP
#define DRIFTLESS_OP_ALIGN_HPP

// Keeps inputs and partitions from running ahead of one another: an option of assign_time.
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/assign_time.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// The greatest event time that each partition of each input has brought.
class lane_progress {
    struct one {
        std::uint32_t input;
        std::uint32_t partition;
        event_time reached;
    };
    std::vector<one> all_;  // in the order in which they were seen first: a function of the log
    std::size_t current_ = 0;

public:
    DRIFTLESS_INLINE void took(origin const& from, event_time at) {
        if (current_ >= all_.size() || !is_from(all_[current_], from)) [[unlikely]]
            enter(from);
        auto& reached = all_[current_].reached;
        if (reached < at && at < event_time::max()) reached = at;  // +inf is no time
    }
    [[nodiscard]] event_time of(origin const& from) const noexcept {
        for (auto const& each : all_) {
            if (is_from(each, from)) return each.reached;
        }
        return event_time::min();
    }

    void save(auto& out) const {
        out.write(static_cast<std::uint64_t>(all_.size()));
        for (auto const& each : all_) out.write(each.input).write(each.partition).write(each.reached);
    }
    void load(auto& in) {
        all_.clear();
        current_ = 0;
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const input = in.template read<std::uint32_t>();
            auto const partition = in.template read<std::uint32_t>();
            all_.push_back({input, partition, in.template read<event_time>()});
        }
    }

private:
    [[nodiscard]] static bool is_from(one const& each, origin const& from) noexcept {
        return each.input == from.input && each.partition == from.partition;
    }
    DRIFTLESS_NOINLINE void enter(origin const& from) {
        for (current_ = 0; current_ < all_.size(); ++current_) {
            if (is_from(all_[current_], from)) return;
        }
        all_.push_back({from.input, from.partition, event_time::min()});
    }
};

/// Tells the merge of the inputs how far each has got. Behind the stage that stamps the records.
template <class Next>
class align_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    lane_progress progress_;
    duration max_drift_;

public:
    static constexpr bool aligns = true;

    constexpr align_stage(Next next, duration max_drift)
        : looking_through<Next>(std::move(next)), max_drift_(max_drift) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        progress_.took(ctx.from, ctx.at);
        next_.on_record(ctx, record);
    }
    [[nodiscard]] event_time reached(origin const& from) const noexcept { return progress_.of(from); }
    [[nodiscard]] duration max_drift() const noexcept { return max_drift_; }
    void visit_state(auto&& visit) {
        visit("progress", progress_);
        next_.visit_state(visit);
    }
};
}  // namespace detail

/// Keeps an input or partition from being read far ahead of slower ones, so that joins of skewed inputs stay small:
/// `assign_time(f, bounded_disorder{5_s}, align(1_min))` on each input that is to keep pace.
///
/// Shape       An option of assign_time. All inputs of a job that have it, and all their partitions, are one group.
/// Time        A partition waits while the greatest event time that it has brought is > that of the slowest +
///             max_drift; exactly on the bound it is read. It is read one record beyond it at most, since nobody knows
///             the time of a record before it has been read. One that has brought nothing yet is the slowest; those
///             that are idle or have ended leave the group. The slowest never waits, so that nobody waits for ever.
/// Merge       Among those that do not wait the merge is as ever. Where every input's assign_time names a field, and
///             only filter, tap and the like stand before it, inputs are merged by event time: none runs ahead, and
///             align changes nothing. It is for the others, which are merged by append time: the order of the records
///             becomes another, and is a function of the logs as before, the same in batch, in any pace and after a
///             restart.
/// State       16 bytes per partition, part of the snapshot.
/// Batch       The same order. A batch that does not know the least time to come holds what it joins to the end.
/// Errors      Compile time: align behind a join. When the job starts: max_drift < 0.
/// Complexity  One compare per record; O(partitions) whenever another partition is read.
/// Source      SEMANTICS section 2; Flink, FLIP-182 watermark alignment; case S-27.
/// Example     docs/joins.md
struct align {
    using is_alignment = void;
    duration max_drift;

    explicit constexpr align(duration drift) : max_drift(drift) {}

    void validate() const {
        if (duration{} > max_drift) {
            throw error{error_code::invalid_argument,
                detail::sentence({"align needs a max_drift >= 0, not ", max_drift.ns(), " ns: write align(1_min)"})};
        }
    }
    constexpr void describe(auto&& parameter) const { parameter("max drift", max_drift); }
    template <class Next>
    constexpr auto bind(Next next) const {
        return detail::align_stage<Next>{std::move(next), max_drift};
    }
};
}  // namespace driftless::inline v0
#endif
