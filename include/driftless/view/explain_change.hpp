// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_EXPLAIN_CHANGE_HPP
#define DRIFTLESS_VIEW_EXPLAIN_CHANGE_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/run/stream.hpp>
#include <driftless/run/trace_row.hpp>
#include <driftless/view/change_explanation.hpp>
#include <driftless/view/correction.hpp>
#include <driftless/view/deployment.hpp>
#include <driftless/view/detail/change_finder.hpp>
#include <driftless/view/detail/log_from.hpp>
#include <driftless/view/view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

namespace detail {
/// Reads the logs up to where the answer of now was made, and gives each change its records.
template <class K, class V, class P, class... Logs>
void name_records(change_explanation<K, V>& out, std::vector<found_change<V>>& changes, stream const& mode,
    P const& pipeline, Logs const&... logs) {
    auto const first = offsets_of(out.then.at());
    auto const last = offsets_of(out.now.at());
    std::vector<std::uint32_t> const partitions{static_cast<std::uint32_t>(logs.partitions())...};
    std::size_t place = 0;
    auto const part = [&](std::uint32_t n) {
        read_offsets_t ends(n, 0);
        for (auto& each : ends) each = place < last.size() ? last[place++] : 0;
        return ends;
    };
    std::vector<read_offsets_t> ends;
    for (auto const n : partitions) ends.push_back(part(n));
    auto const found = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return trace_row(mode, pipeline, out.key, out.asked.window, log_from<Logs>{logs, {}, ends[I]}...);
    }(std::index_sequence_for<Logs...>{});
    record_picker const records{found, partitions, out.asked.most_records};
    for (auto& each : changes) records.pick(each.from, each.to, false, each.step.records, each.step.more_records);
    records.pick(first, last, true, out.refused, out.more_refused);
    for (auto& each : changes) out.steps.push_back(std::move(each.step));
}
inline stream replay_mode(stream mode) {
    mode.snapshots = {};
    return mode;
}
}  // namespace detail

/// Why a view tells another answer now: which records, late ones among them, changed a row between two times.
///
///     auto const why = dl::explain_change(shown, 7, {.from = ten, .to = noon, .window = day}, revenue, orders);
///     std::cout << why.str();
///
/// shown       a view with history (view_options::history) from asked.from on; its job reads these logs
/// pipeline    of the job, with its logs in the order of its inputs
/// mode        as in trace(stream{}, ...): its journal, where the clock had a say
/// Shape       The changes are those that the history has; of each the records are named that came since the row was
///             written before. Records that came earlier and had waited for their window to close are among those of
///             its first result.
/// Limits      Those of trace_row().
/// Errors      not_there where history does not reach back to asked.from; those of a run.
/// Complexity  O(versions between both times), and a run over the logs up to asked.to.
template <class K, class V, class... Index, class Key, pipeline P, readable_log... Logs>
[[nodiscard]] change_explanation<K, V> explain_change(stream const& mode, view<K, V, Index...> const& shown,
    Key const& key, change_question const& asked, P const& pipeline, Logs const&... logs) {
    change_explanation<K, V> out{K(key), asked, shown.as_of(asked.from).find(key, asked.window),
        shown.as_of(asked.to).find(key, asked.window), {}, {}, 0, {}};
    std::vector<detail::found_change<V>> changes;
    detail::find_changes(shown, out.key, asked.window, asked.from, asked.to, changes);
    for (auto& each : changes) {
        if (each.step.why != change_cause::new_build) each.step.version = 0;
    }
    detail::name_records(out, changes, detail::replay_mode(mode), pipeline, logs...);
    return out;
}
template <class K, class V, class... Index, class Key, pipeline P, readable_log... Logs>
[[nodiscard]] change_explanation<K, V> explain_change(view<K, V, Index...> const& shown, Key const& key,
    change_question const& asked, P const& pipeline, Logs const&... logs) {
    return explain_change(stream{}, shown, key, asked, pipeline, logs...);
}

/// The same of the answers of a deployment: deploys, corrections and rollbacks among the causes, each with its reason.
///
/// pipeline    the logic whose records are to be named: that of the version that readers have now, as a rule
/// Errors      not_there where a version that was current then is not in memory (load() it), or its history does not
///             reach back: view_options::history of deployment_options::rows.
template <class K, class V, class... Index, class Key, pipeline P, readable_log... Logs>
[[nodiscard]] change_explanation<K, V> explain_change(deployment<K, V, view<K, V, Index...>> const& of, Key const& key,
    change_question const& asked, P const& pipeline, Logs const&... logs) {
    auto const& versions = of.view();
    auto const find_at = [&](std::uint64_t version, event_time time) {
        return versions.read_version(version)->as_of(time).find(key, asked.window);
    };
    change_explanation<K, V> out{K(key), asked, find_at(versions.version_at(asked.from), asked.from),
        find_at(versions.version_at(asked.to), asked.to), {}, {}, 0, {}};
    for (auto const& each : of.audit().history()) {
        if (asked.from < each.at && each.at <= asked.to) out.audit.push_back(each);
    }
    detail::version_reasons<K, V> const reasons{of.corrections(), of.audit().history()};
    auto const spans = versions.cut_overs();
    std::vector<detail::found_change<V>> changes;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        auto const begin = std::max(asked.from, spans[i].since);
        auto const end = i + 1 < spans.size() ? std::min(asked.to, spans[i + 1].since - duration{1}) : asked.to;
        if (asked.to < spans[i].since || end < asked.from) continue;
        if (i != 0 && asked.from < spans[i].since) {
            auto last = find_at(spans[i - 1].version, begin - duration{1});
            detail::found_change<V> moved{{std::move(last), find_at(spans[i].version, begin),
                                              change_cause::new_build, {}, spans[i].version, {}, 0},
                {}, {}};
            bool const same = detail::same_answer(moved.step.before, moved.step.after);
            if (!same) {
                moved.from = detail::offsets_of(moved.step.before.at());
                moved.to = detail::offsets_of(moved.step.after.at());
                reasons.explain(moved.step, spans, i);
                changes.push_back(std::move(moved));
            }
        }
        auto const held = versions.read_version(spans[i].version);
        auto const from_here = changes.size();
        detail::find_changes(*held, out.key, asked.window, begin, end, changes);
        for (auto n = from_here; n < changes.size(); ++n) {
            auto& step = changes[n].step;
            step.version = spans[i].version;
            if (step.why == change_cause::new_build) reasons.explain(step, spans, i);
        }
    }
    detail::name_records(out, changes, stream{}, pipeline, logs...);
    return out;
}
}  // namespace driftless::inline v0
#endif
