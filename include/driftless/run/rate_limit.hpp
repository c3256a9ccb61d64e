// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_RATE_LIMIT_HPP
#define DRIFTLESS_RUN_RATE_LIMIT_HPP

#include <driftless/core/time.hpp>

#include <cstdint>
#include <limits>

namespace driftless::inline v0 {

/// How fast a stream may read: stream{.limits = rate_limit{.records = 10'000}}.
///
/// Each rate is a token bucket of its own: it fills by the clock of the job (stream::clock), holds what comes in
/// `burst`, and is full when the job starts; a record is read when all buckets hold what it costs, and takes it out.
/// Over any time t no more is read than t + burst allows; a pause saves no more than a burst. A record that costs more
/// than a full bucket holds waits for a full one, and the next record until that is paid for.
///
/// Time        `event_time` paces a replay: 1_h per second reads an hour of events in each second. A record costs
///             what it is ahead of the newest one before it; the first one costs nothing. A gap of a day costs a day,
///             so guard against records from the future (at_most_ahead).
/// State       None in snapshots: a job that starts has full buckets. Pace is no part of the answer (law 3).
/// Batch       A batch has no limits; stream{.until = drained} with limits gives the same rows.
/// Errors      A rate, `per` that is not positive, a negative `burst`, or `event_time` where no member tells the time
///             of records (assign_time of a function): invalid_argument when the job is made.
/// Complexity  Records alone: a few operations per poll. Bytes and event time: some per record.
/// Source      J. S. Turner, "New directions in communications" (1986), the leaky bucket as a meter.
struct rate_limit {
    static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

    std::int64_t records = unlimited;      ///< in each `per`
    std::int64_t bytes = unlimited;        ///< in each `per`: of the record in memory and of the text it holds
    duration event_time = duration::max(); ///< in each `per`
    duration per{1'000'000'000};           ///< what the rates are for: a second; 1 record per 10_s is a rate as well
    /// What a bucket holds, as the time in which it fills. 0: as much as one record needs, which spaces records evenly.
    duration burst{1'000'000'000};

    /// It limits something.
    [[nodiscard]] constexpr bool any() const noexcept {
        return records != unlimited || bytes != unlimited || event_time != duration::max();
    }
};
}  // namespace driftless::inline v0
#endif
