// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_QUANTILE_DISORDER_HPP
#define DRIFTLESS_TIME_QUANTILE_DISORDER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/time/watermark.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace driftless::inline v0 {

/// The disorder is measured: the bound is what `per_mille` of the last records were behind, at most.
///
/// Time        A record is behind by (newest time of its partition before it) - at, 0 if it is the newest. Until
///             `of_last` records of a partition have come its bound is `at_most`; from then on, and again after every
///             of_last / 8 records (at least 1), it is the least duration that per_mille of the last of_last records do
///             not exceed, or `at_most` if that is less. The watermark is newest - bound, exclusive, and never goes
///             back: a bound that grows holds it. A function of each partition's records, in their order.
/// State       8 bytes for each of the last of_last records, per partition; part of the snapshot.
/// Errors      When the job starts: per_mille not in [1, 1000], of_last = 0, at_most <= 0.
/// Complexity  O(1) per record, amortised: a selection among of_last numbers every of_last / 8 records.
/// Source      Y. Ji et al., "Quality-Driven Processing of Sliding Window Aggregates over Out-of-Order Data Streams"
///             (DEBS 2015), whose buffer is sized by the delays seen lately.
struct quantile_disorder {
    using is_watermark_strategy = void;
    std::uint32_t per_mille = 990;
    std::uint32_t of_last = 1000;
    duration at_most{};

    /// The delays of the last records of a partition, and what they come to.
    class partition_state {
        friend quantile_disorder;
        std::vector<std::int64_t> behind_;  // in ns; a ring once it is full
        std::uint64_t seen_ = 0;
        event_time newest_ = event_time::min();
        event_time promised_ = event_time::min();
        duration bound_{};

    public:
        void save(auto& out) const {
            out.write(behind_).write(seen_).write(newest_).write(promised_).write(bound_.ns());
        }
        void load(auto& in) {
            in.read(behind_).read(seen_).read(newest_).read(promised_);
            bound_ = duration{in.template read<std::int64_t>()};
        }
    };

    event_time mark(partition_state& of, event_time at, auto const&) const {
        if (at.is_infinite()) return event_time::min();
        auto const behind = at < of.newest_ ? of.newest_ - at : duration{};
        if (at > of.newest_) of.newest_ = at;
        if (of.behind_.size() < of_last) of.behind_.push_back(behind.ns());
        else of.behind_[static_cast<std::size_t>(of.seen_ % of_last)] = behind.ns();
        ++of.seen_;
        if (of.seen_ < of_last) of.bound_ = at_most;
        else if ((of.seen_ - of_last) % every() == 0) of.bound_ = std::min(at_most, measured(of.behind_));
        auto const promise = of.newest_ - of.bound_;
        if (promise > of.promised_) of.promised_ = promise;
        return of.promised_;
    }
    [[nodiscard]] constexpr event_time watermark_at(event_time promise) const noexcept { return promise; }
    [[nodiscard]] constexpr event_time reached_at(event_time watermark) const noexcept { return watermark; }
    void validate() const {
        auto const refuse = [](auto... words) {
            throw error{error_code::invalid_argument, detail::sentence({"quantile_disorder needs ", words...})};
        };
        if (per_mille < 1 || per_mille > 1000) refuse("per_mille in [1, 1000], not ", std::uint64_t{per_mille});
        if (of_last == 0) refuse("of_last > 0");
        if (at_most <= duration{}) refuse("at_most > 0, not ", at_most.ns(), " ns");
    }
    constexpr void describe(auto&& parameter) const {
        parameter("per_mille", per_mille);
        parameter("of_last", of_last);
        parameter("at_most", at_most);
    }

private:
    [[nodiscard]] constexpr std::uint64_t every() const noexcept { return of_last < 8 ? 1 : of_last / 8; }
    [[nodiscard]] duration measured(std::vector<std::int64_t> behind) const {
        auto const rank = (std::uint64_t{behind.size()} * per_mille + 999) / 1000;  // from 1
        auto const chosen = behind.begin() + static_cast<std::ptrdiff_t>(rank - 1);
        std::nth_element(behind.begin(), chosen, behind.end());
        return duration{*chosen};
    }
};
}  // namespace driftless::inline v0
#endif
