// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_FIELD_METRICS_HPP
#define DRIFTLESS_IO_FIELD_METRICS_HPP

#include <driftless/core/sink_counts.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/metrics/metric.hpp>

#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Adds what a csv_reader has refused and taken as absent, by field. May be called while another thread reads rows.
///
/// Shape       driftless_field_refused_total with the labels `input`, `field` and `reason` (empty, malformed; row, with
///             no field, for a wrong number of fields), driftless_field_absent_total with `input` and `field`.
template <class T>
void add_field_metrics(metric_set& into, csv_reader<T> const& reader, std::string_view input) {
    auto& refused = into.counter("driftless_field_refused_total", "Rows that were refused because of a field.");
    auto& absent = into.counter(
        "driftless_field_absent_total", "Empty fields that were taken as a default, as nothing, or as empty text.");
    for (auto const& each : reader.field_counts()) {
        metric_labels of{{"input", std::string{input}}};
        if (each.field.empty()) {
            of.push_back({"reason", "row"});
            refused.add(of, each.malformed);
            continue;
        }
        of.push_back({"field", each.field});
        absent.add(of, each.absent);
        of.push_back({"reason", "empty"});
        refused.add(of, each.empty);
        of.back().value = "malformed";
        refused.add(of, each.malformed);
    }
}

/// Adds the counts of something that is no sink of a job, such as an outbox, under a name.
inline void add_sink_metrics(metric_set& into, sink_counts const& of, std::string_view name) {
    metric_labels const sink{{"sink", std::string{name}}};
    into.counter("driftless_sink_rows_total", "Rows written to a sink.").add(sink, of.rows);
    into.counter("driftless_sink_errors_total", "Calls of a sink that threw.").add(sink, of.errors);
    into.counter("driftless_sink_retries_total", "Attempts of a sink that were made again.").add(sink, of.retries);
    into.counter("driftless_sink_timeouts_total", "Answers to a sink that did not come in time.")
        .add(sink, of.timeouts);
    into.counter("driftless_sink_dead_total", "Rows that a sink gave up.").add(sink, of.dead);
}
}  // namespace driftless::inline v0
#endif
