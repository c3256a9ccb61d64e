// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_REPORT_HPP
#define DRIFTLESS_RUN_REPORT_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/sink_counts.hpp>
#include <driftless/core/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// The books of a stage that keeps state or refuses records, and what it holds now.
struct stage_report : account {
    std::uint64_t rows_out = 0;     ///< rows and changes handed on; since the job was started
    std::uint64_t state_bytes = 0;  ///< reserved by its tables
    std::uint64_t timers = 0;       ///< set and not due yet (process)
    std::uint64_t retries = 0;      ///< calls to the outside made again (enrich); since the job was started
    std::uint64_t timeouts = 0;     ///< calls without an answer in time (enrich)
    bool keeps_books = true;        ///< false: it only hands rows on
};
/// How far one partition of an input has been read.
struct partition_report {
    std::string_view input{};  ///< its name, empty where it has none
    std::uint32_t partition = 0;
    std::uint64_t records = 0;  ///< read since the job was started; a restored job counts from 0
    std::uint64_t next = 0;     ///< the offset of the next record
    std::uint64_t end = 0;      ///< of the log when somebody asked
    event_time progress = event_time::min();  ///< the greatest time by which it moves the watermark: its newest record
    duration lag{};             ///< how far the newest record of the log is ahead of the last one read; 0: not known
    bool holds = false;         ///< the watermark of the input waits for this one
    bool idle = false;
    bool holds_merge = false;   ///< it has been read to its end, and records of others wait for its next one

    [[nodiscard]] std::uint64_t lag_records() const noexcept { return end > next ? end - next : 0; }
};
/// The watermark of an input, or behind a merge or join.
struct watermark_report {
    std::string_view input{};  ///< its name; "merge" behind inputs that come together
    event_time at = event_time::min();        ///< as operators were told it last: at the moments that change something
    event_time progress = event_time::min();  ///< the newest event time, of the partition where it is least
};
/// What became of the snapshots of a job that keeps them; since it was started, but for `number`.
struct snapshot_report {
    std::uint64_t taken = 0;
    std::uint64_t failed = 0;
    std::uint64_t number = 0;  ///< of the newest that is whole; 0: none
    event_time at = event_time::min();  ///< when it was taken, by the clock of the job
    duration took{};                    ///< from begin to end, by that clock
    std::uint64_t bytes = 0;            ///< written for it
};
/// What a sink has been through, where it or a wrapper counts (core/sink_counts.hpp).
struct sink_report {
    std::string_view name{};  ///< of its binding; empty where it has none
    sink_counts counts{};
};
/// Records that were left out because something threw, by who and what.
struct failure_report {
    operator_label label{};
    error_code code{};
    std::uint64_t records = 0;
};

/// What a run did: records read, and the books of every stateful stage (law 5).
///
/// State       A copy; taken while the job runs it is as of the last chunk, but for the ends of the inputs, which are
///             of the moment. Names are borrowed from the type of the pipeline.
struct report {
    std::uint64_t records = 0;           ///< read from all inputs
    std::vector<stage_report> stages;    ///< in the order of the stages
    std::uint64_t failures = 0;          ///< records left out because a user function threw
    std::uint64_t state_bytes = 0;       ///< reserved by tables of open windows
    std::vector<std::string> warnings{}; ///< what somebody should look at though the run goes on: a damaged snapshot
    std::uint64_t held_back = 0;         ///< how often a rate limit ended a poll before its input did
    std::vector<partition_report> partitions{};  ///< of all inputs
    std::vector<watermark_report> watermarks{};  ///< of inputs with event time, and of merges
    std::vector<failure_report> failed{};        ///< what `failures` is made of; since the job was started
    std::vector<sink_report> sinks{};            ///< those that count
    snapshot_report snapshots{};
    bool keeps_snapshots = false;
    bool has_failed = false;             ///< an error ended the job

    /// All refusals for one reason, over all stages; `failed` includes stateless stages.
    [[nodiscard]] std::uint64_t refused(reason why) const noexcept {
        if (why == reason::failed) return failures;
        std::uint64_t sum = 0;
        for (auto const& stage : stages) sum += stage.refusals(why);
        return sum;
    }
    [[nodiscard]] std::uint64_t violations() const noexcept {
        std::uint64_t sum = 0;
        for (auto const& stage : stages) sum += stage.violations + stage.refusals(reason::violated);
        return sum;
    }
    /// The first stage of that kind ("aggregate") or with that id; null if there is none.
    [[nodiscard]] stage_report const* stage(std::string_view kind_or_id) const noexcept {
        for (auto const& each : stages) {
            if (each.label.id == kind_or_id || each.label.kind == kind_or_id) return &each;
        }
        return nullptr;
    }

    /// One line per stage, for people.
    [[nodiscard]] std::string str() const {
        std::string out = "read " + std::to_string(records) + " records\n";
        for (auto const& each : stages) {
            if (!each.keeps_books) continue;
            out += each.label.str() + ": in " + std::to_string(each.in()) + ", applied " + std::to_string(each.applied);
            for (std::size_t i = 0; i < reason_count; ++i) {
                if (each.refused[i] == 0) continue;
                out.append(", refused as ").append(to_string(static_cast<reason>(i)));
                out += " " + std::to_string(each.refused[i]);
            }
            if (each.unassigned != 0) out += ", in no window " + std::to_string(each.unassigned);
            if (each.violations != 0) out += ", violations " + std::to_string(each.violations);
            out += '\n';
        }
        if (held_back != 0) out += "held back by a rate limit: " + std::to_string(held_back) + " times\n";
        if (failures != 0) out += "left out because a function threw: " + std::to_string(failures) + '\n';
        for (auto const& each : warnings) out += "warning: " + each + '\n';
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
