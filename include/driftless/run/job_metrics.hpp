// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_JOB_METRICS_HPP
#define DRIFTLESS_RUN_JOB_METRICS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/metrics/metric.hpp>
#include <driftless/run/report.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Fills a metric_set from a report, family by family.
class job_metrics {
    metric_set& out_;
    report const& of_;
    event_time now_;
    std::string job_;

    [[nodiscard]] metric_labels labels(metric_labels own = {}) const {
        if (!job_.empty()) own.insert(own.begin(), {"job", job_});
        std::erase_if(own, [](metric_label const& each) { return each.value.empty(); });
        return own;
    }
    [[nodiscard]] metric_labels of(partition_report const& each) const {
        return labels({{"input", std::string{each.input}}, {"partition", std::to_string(each.partition)}});
    }
    [[nodiscard]] metric_labels of(std::size_t stage, metric_labels const& more = {}) const {
        auto const& label = of_.stages[stage].label;
        metric_labels own{{"operator", std::string{label.kind}}, {"id", std::string{label.id}}};
        own.push_back({"stage", std::to_string(stage)});
        own.insert(own.end(), more.begin(), more.end());
        return labels(std::move(own));
    }
    [[nodiscard]] static double seconds(duration d) noexcept { return static_cast<double>(d.ns()) / 1e9; }
    [[nodiscard]] static double seconds(event_time t) noexcept { return static_cast<double>(t.ns()) / 1e9; }

    template <class F>
    void each_partition(metric_family& to, F&& value) {
        for (auto const& each : of_.partitions) to.add(of(each), value(each));
    }
    template <class F>
    void each_stage(metric_family& to, F&& value) {
        for (std::size_t i = 0; i < of_.stages.size(); ++i) {
            if (of_.stages[i].keeps_books) to.add(of(i), value(of_.stages[i]));
        }
    }

public:
    job_metrics(metric_set& out, report const& of, event_time now, std::string_view job)
        : out_(out), of_(of), now_(now), job_(job) {}

    void inputs() {
        out_.counter("driftless_records_total", "Records read from all inputs, those before a restore included.")
            .add(labels(), of_.records);
        each_partition(out_.counter("driftless_input_records_total", "Records read, since the job was started."),
            [](auto const& p) { return p.records; });
        each_partition(out_.gauge("driftless_input_next_offset", "The offset of the record that is read next."),
            [](auto const& p) { return p.next; });
        each_partition(out_.gauge("driftless_input_end_offset", "Where the log ends."),
            [](auto const& p) { return p.end; });
        each_partition(out_.gauge("driftless_lag_records", "Offsets between the next record and the end of the log."),
            [](auto const& p) { return p.lag_records(); });
        each_partition(out_.gauge("driftless_lag_seconds",
                           "How far the newest record of the log is ahead of the last one read, in event time."),
            [](auto const& p) { return seconds(p.lag); });
        out_.counter("driftless_rate_limited_polls_total", "Polls that a rate limit ended before their input did.")
            .add(labels(), of_.held_back);
    }
    void watermarks() {
        auto& at = out_.gauge("driftless_watermark_timestamp_seconds",
            "The watermark as operators were told it last, in seconds since 1970.");
        auto& behind = out_.gauge(
            "driftless_watermark_lag_seconds", "How far the newest event time that moves it is behind the clock.");
        auto& ended = out_.gauge("driftless_watermark_ended", "1 once the input has ended for good.");
        for (auto const& each : of_.watermarks) {
            auto const own = labels({{"input", std::string{each.input}}});
            ended.add(own, each.at == event_time::max());
            if (!each.at.is_infinite()) at.add(own, seconds(each.at));
            if (!each.progress.is_infinite() && !now_.is_infinite()) behind.add(own, seconds(now_ - each.progress));
        }
        auto& newest = out_.gauge("driftless_partition_progress_timestamp_seconds",
            "The greatest event time of a partition that moves the watermark, in seconds since 1970.");
        for (auto const& each : of_.partitions) {
            if (!each.progress.is_infinite()) newest.add(of(each), seconds(each.progress));
        }
        each_partition(
            out_.gauge("driftless_partition_holds_watermark", "1 where the watermark of the input waits for it."),
            [](auto const& p) { return p.holds; });
        each_partition(out_.gauge("driftless_partition_idle", "1 where it has nothing to say, and holds nobody."),
            [](auto const& p) { return p.idle; });
        each_partition(out_.gauge("driftless_partition_holds_merge",
                           "1 where it has been read to its end and records of others wait for its next one."),
            [](auto const& p) { return p.holds_merge; });
    }
    void stages() {
        each_stage(out_.counter("driftless_operator_records_in_total", "Records that came, once for each window."),
            [](auto const& s) { return s.in(); });
        each_stage(out_.counter("driftless_operator_applied_total", "Records that were applied, by window."),
            [](auto const& s) { return s.applied; });
        auto& rows = out_.counter(
            "driftless_operator_rows_out_total", "Rows and changes handed on, since the job was started.");
        for (std::size_t i = 0; i < of_.stages.size(); ++i) rows.add(of(i), of_.stages[i].rows_out);
        auto& refused = out_.counter("driftless_refused_total", "Records that were refused, by window and reason.");
        for (std::size_t i = 0; i < of_.stages.size(); ++i) {
            if (!of_.stages[i].keeps_books) continue;
            for (std::size_t why = 0; why < reason_count; ++why)
                refused.add(of(i, {{"reason", std::string{to_string(static_cast<reason>(why))}}}),
                    of_.stages[i].refused[why]);
        }
        each_stage(out_.counter("driftless_unassigned_total", "Records that lie in no window of the assigner."),
            [](auto const& s) { return s.unassigned; });
        each_stage(out_.counter("driftless_violations_total", "Records that violate an expectation, and passed on."),
            [](auto const& s) { return s.violations; });
        auto& late = out_.histogram("driftless_late_by_seconds",
            "How far behind the watermark late records were, since the job was started.");
        for (std::size_t i = 0; i < of_.stages.size(); ++i) {
            if (of_.stages[i].keeps_books) late.add(of(i), in_seconds(of_.stages[i].late_by));
        }
        each_stage(out_.gauge("driftless_state_bytes", "Bytes reserved by the tables of an operator."),
            [](auto const& s) { return s.state_bytes; });
        each_stage(out_.gauge("driftless_timers", "Timers and times to live that are set."),
            [](auto const& s) { return s.timers; });
        each_stage(out_.counter("driftless_call_retries_total", "Calls to the outside that were made again."),
            [](auto const& s) { return s.retries; });
        each_stage(out_.counter("driftless_call_timeouts_total", "Calls to the outside without an answer in time."),
            [](auto const& s) { return s.timeouts; });
    }
    void failures() {
        out_.counter("driftless_failures_total", "Records left out because something threw, before a restore too.")
            .add(labels(), of_.failures);
        auto& by = out_.counter("driftless_failed_records_total",
            "Records left out because something threw, by operator and code, since the job was started.");
        for (auto const& each : of_.failed) {
            std::string code{to_string(each.code)};
            std::replace(code.begin(), code.end(), ' ', '_');
            by.add(labels({{"operator", std::string{each.label.kind}}, {"id", std::string{each.label.id}},
                       {"code", std::move(code)}}),
                each.records);
        }
        out_.gauge("driftless_job_failed", "1 once an error has ended the job.").add(labels(), of_.has_failed);
        out_.gauge("driftless_warnings", "What somebody should look at though the job goes on.")
            .add(labels(), of_.warnings.size());
    }
    void snapshots() {
        if (!of_.keeps_snapshots) return;
        auto const& made = of_.snapshots;
        out_.counter("driftless_snapshots_total", "Snapshots taken, since the job was started.")
            .add(labels(), made.taken);
        out_.counter("driftless_snapshot_failures_total", "Snapshots that failed, since the job was started.")
            .add(labels(), made.failed);
        out_.gauge("driftless_snapshot_number", "The number of the newest whole snapshot; 0: none.")
            .add(labels(), made.number);
        if (made.number != 0 && !now_.is_infinite())
            out_.gauge("driftless_snapshot_age_seconds", "How long ago the newest snapshot was taken.")
                .add(labels(), seconds(now_ - made.at));
        if (made.taken == 0) return;
        out_.gauge("driftless_snapshot_duration_seconds", "How long the last snapshot took.")
            .add(labels(), seconds(made.took));
        out_.gauge("driftless_snapshot_bytes", "Bytes of state written for the last snapshot.")
            .add(labels(), made.bytes);
    }
    void sinks() {
        struct column {
            std::string_view name;
            std::string_view help;
            std::uint64_t sink_counts::* count;
        };
        static constexpr column columns[] = {
            {"driftless_sink_rows_total", "Rows written to a sink.", &sink_counts::rows},
            {"driftless_sink_removed_total", "Rows that a sink took back.", &sink_counts::removed},
            {"driftless_sink_commits_total", "Transactions that a sink committed.", &sink_counts::commits},
            {"driftless_sink_errors_total", "Calls of a sink that threw.", &sink_counts::errors},
            {"driftless_sink_retries_total", "Attempts of a sink that were made again.", &sink_counts::retries},
            {"driftless_sink_timeouts_total", "Answers to a sink that did not come in time.", &sink_counts::timeouts},
            {"driftless_sink_dead_total", "Rows that a sink gave up.", &sink_counts::dead},
        };
        for (auto const& each : columns) {
            auto& to = out_.counter(each.name, each.help);
            for (auto const& sink : of_.sinks) {
                to.add(labels({{"sink", sink.name.empty() ? std::string{"output"} : std::string{sink.name}}}),
                    sink.counts.*each.count);
            }
        }
    }
};
}  // namespace detail

/// Adds the metrics of a job, or of a run that is over: see docs/metrics.md for each of them.
///
/// Shape       Report (job.metrics(), or of a run) -> values with the labels `job` (if it is named), `input`,
///             `partition`, `operator`, `id`, `stage` (its place in the report), `reason`, `sink`. Several jobs go into
///             one metric_set if each has a name of its own.
/// Time        `now` is the clock of whoever exports; without it ages and lags behind the clock are left out.
/// Complexity  O(partitions + stages).
inline void add_metrics(
    metric_set& into, report const& of, event_time now = event_time::min(), std::string_view job = {}) {
    detail::job_metrics made{into, of, now, job};
    made.inputs();
    made.watermarks();
    made.stages();
    made.failures();
    made.snapshots();
    made.sinks();
}
/// The same by itself.
[[nodiscard]] inline metric_set metrics_of(
    report const& of, event_time now = event_time::min(), std::string_view job = {}) {
    metric_set out;
    add_metrics(out, of, now, job);
    return out;
}
}  // namespace driftless::inline v0
#endif
