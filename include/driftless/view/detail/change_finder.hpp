// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CHANGE_FINDER_HPP
#define DRIFTLESS_VIEW_DETAIL_CHANGE_FINDER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/stream.hpp>
#include <driftless/run/trace_row.hpp>
#include <driftless/view/audit_entry.hpp>
#include <driftless/view/change_explanation.hpp>
#include <driftless/view/correction.hpp>
#include <driftless/view/detail/log_from.hpp>
#include <driftless/view/versioned_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

// How explain_change finds out: which changes the history of views has, which records came in between, and what the
// versions of a deployment say of themselves.

namespace driftless::inline v0::detail {
/// How far the inputs had been read: by input, then by partition. Empty: not at all.
using read_offsets_t = std::vector<std::uint64_t>;

inline read_offsets_t offsets_of(served_at const& at) {
    read_offsets_t out;
    for (std::size_t i = 0; i < at.offsets.size(); ++i) out.push_back(at.offsets[i]);
    return out;
}
/// Where the inputs stood when the row was written; where nobody knows any more, or there was no row, the beginning.
template <class View, class V>
read_offsets_t written_at(View const& shown, answer<V> const& row) {
    if (!row) return {};
    try {
        auto const at = shown.as_of(view_version{row.row_version()}).at();
        if (at.version == row.row_version()) return offsets_of(at);
    } catch (error const& problem) {
        if (problem.code() != error_code::not_there) throw;
    }
    return {};
}

/// A change, and between which offsets the records lie that have a part in it.
template <class V>
struct found_change {
    change_step<V> step;
    read_offsets_t from;
    read_offsets_t to;
};

/// Adds the changes of a row in one view in (from, to].
template <class View, class K, class V>
void find_changes(View const& shown, K const& key, time_window window, event_time from, event_time to,
    std::vector<found_change<V>>& into) {
    for (auto at = from; at < to;) {
        auto report = shown.reported(key, at, window);
        if (!report.changed || to < report.changed->at.published) return;
        at = report.changed->at.published;
        auto after = shown.as_of(at).find(key, window);
        change_step<V> step{shown.as_of(at - duration{1}).find(key, window), std::move(after), report.changed->why, {},
            report.changed->at.build, {}, 0};
        auto begin = written_at(shown, step.before);
        auto end = offsets_of(step.after.at());
        into.push_back({std::move(step), std::move(begin), std::move(end)});
    }
}

/// Which records lie between two moments, and of these the newest ones.
class record_picker {
    std::vector<row_record> const& found_;
    std::vector<std::uint32_t> const& partitions_;  // of each input, in the order of the inputs
    std::size_t most_;

public:
    record_picker(std::vector<row_record> const& found, std::vector<std::uint32_t> const& partitions, std::size_t most)
        : found_(found), partitions_(partitions), most_(most) {}

    /// Those that were refused, or those that were not; `more` are not named.
    void pick(read_offsets_t const& from, read_offsets_t const& to, bool refused, std::vector<row_record>& into,
        std::uint64_t& more) const {
        for (auto const& record : found_) {
            auto const at = place_of(record.from);
            bool const after = at >= from.size() || record.from.offset >= from[at];
            bool const before = at < to.size() && record.from.offset < to[at];
            if (after && before && (record.what == row_record::kind::refused) == refused) into.push_back(record);
        }
        if (into.size() <= most_) return;
        more = into.size() - most_;
        into.erase(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(more));
    }

private:
    [[nodiscard]] std::size_t place_of(origin const& of) const {
        std::size_t out = of.partition;
        for (std::uint32_t i = 0; i < of.input && i < partitions_.size(); ++i) out += partitions_[i];
        return out;
    }
};

template <class V>
bool same_answer(answer<V> const& a, answer<V> const& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return driftless::encode(*a) == driftless::encode(*b);
}

/// What the versions of a deployment say of themselves.
template <class K, class V>
struct version_reasons {
    std::vector<correction<K, V>> corrections;
    std::vector<audit_entry> audit;

    /// Why readers were moved to spans[i].
    void explain(change_step<V>& step, std::vector<version_span> const& spans, std::size_t i) const {
        auto const number = spans[i].version;
        for (auto const& each : corrections) {
            if (each.version != number || each.since != spans[i].since) continue;
            step.why = change_cause::corrected;
            step.reason = each.why;
            return;
        }
        // Of the entries about it the last one that is not later; those of a step are written behind it.
        auto const ending = "(version " + std::to_string(number) + ")";
        audit_kind const kinds[] = {audit_kind::roll_back, audit_kind::cut_over};
        for (auto const& each : audit) {
            bool const moves = std::find(std::begin(kinds), std::end(kinds), each.kind) != std::end(kinds);
            if (!moves || !each.version.ends_with(ending)) continue;
            if (each.at < spans[i].since || (i + 1 < spans.size() && spans[i + 1].since <= each.at)) continue;
            bool const back = each.kind == audit_kind::roll_back;
            step.why = back ? change_cause::rolled_back : change_cause::new_build;
            step.reason = back && !each.verdict.empty() ? each.verdict : each.version;
            return;
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
