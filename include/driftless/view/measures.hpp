// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_MEASURES_HPP
#define DRIFTLESS_VIEW_MEASURES_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/report.hpp>
#include <driftless/view/build.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// How a version does, at one moment: what guards look at, and what is shown of it.
///
/// State       Plain numbers, all since the version began to read; whoever measures fills in what is known.
struct measures {
    event_time at{};            ///< by the clock of whoever measured
    std::uint64_t records = 0;  ///< read from all inputs
    std::uint64_t failures = 0; ///< left out because a function threw
    std::uint64_t refused[reason_count] = {};  ///< by all stages; `failed` is in `failures`
    std::uint64_t violations = 0;              ///< expect(...) in counting mode: seen, and passed on
    std::uint64_t lag_records = 0;             ///< visible in the logs, not read yet
    duration lag_time{};        ///< how far the newest record of the logs is ahead of the newest one read; 0: not known
    std::uint64_t state_bytes = 0;
    std::uint64_t starts = 0;   ///< of the program, in the span of whoever counts them
    bool serving = false;       ///< readers are given this version

    friend bool operator==(measures const&, measures const&) = default;

    /// What stages and functions have left out; duplicates, which dedup leaves out on purpose, only if asked for.
    [[nodiscard]] std::uint64_t left_out(bool duplicates = false) const noexcept {
        auto sum = failures;
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            if (why == reason::failed || (why == reason::duplicate && !duplicates)) continue;
            sum += refused[i];
        }
        return sum;
    }
    /// Of all records; 0 where none was read.
    [[nodiscard]] double error_rate() const noexcept {
        return records == 0 ? 0 : static_cast<double>(left_out()) / static_cast<double>(records);
    }
    /// One line, for people.
    [[nodiscard]] std::string str() const {
        auto out = std::to_string(records) + " records, " + std::to_string(left_out()) + " left out, "
            + std::to_string(lag_records) + " behind";
        if (lag_time > duration{}) out += ", " + detail::plan_text(lag_time) + " in event time";
        return out;
    }
};

/// What the report of a job says: job.metrics(), or the report of a run. Lag is added by measure_lag().
[[nodiscard]] inline measures measured(report const& of, event_time at) {
    measures out;
    out.at = at;
    out.records = of.records;
    out.failures = of.failures;
    out.state_bytes = of.state_bytes;
    for (auto const& stage : of.stages) {
        out.violations += stage.violations;
        for (std::size_t i = 0; i < reason_count; ++i) {
            if (static_cast<reason>(i) != reason::failed) out.refused[i] += stage.refused[i];
        }
    }
    return out;
}
/// What the build of a version says. Why records were refused is not part of it: they stand as `late`.
[[nodiscard]] inline measures measured(build const& of, std::uint64_t lag_records, event_time at) {
    measures out;
    out.at = at;
    out.records = of.records;
    out.failures = of.failures;
    out.refused[static_cast<std::size_t>(reason::late)] = of.refused;
    out.lag_records = lag_records;
    return out;
}

/// How far a reader is behind the end of a log: by partition it is to read `next[p]` next. Adds to what is there, for a
/// job with several inputs.
///
/// Time        With a member of the records that tells their event time, the lag in time is that between the last
///             record read and the last one of the log, of the partition where it is longest; 0 where nothing was read
///             yet. Records that come out of order make it short or long by their disorder.
/// Errors      Those of the log.
/// Complexity  Two records of each partition.
template <readable_log Log>
void measure_lag(measures& into, Log const& log, std::vector<std::uint64_t> const& next,
    event_time Log::value_type::* time = nullptr) {
    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        std::uint64_t const begin = log.begin_offset(p);
        std::uint64_t const end = log.end_offset(p);
        auto const at = std::max(begin, p < next.size() ? next[p] : begin);
        if (at >= end) continue;
        into.lag_records += end - at;
        if (at == begin || time == nullptr) continue;
        event_time const read = log.read(p, at - 1)[0].*time;
        event_time const newest = log.read(p, end - 1)[0].*time;
        into.lag_time = std::max(into.lag_time, newest - read);
    }
}
}  // namespace driftless::inline v0
#endif
