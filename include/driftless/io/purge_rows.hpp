// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_PURGE_ROWS_HPP
#define DRIFTLESS_IO_PURGE_ROWS_HPP

#include <driftless/log/erasure.hpp>
#include <driftless/log/erasure_log.hpp>

#include <cstdint>
#include <utility>

namespace driftless::inline v0 {

/// Takes the rows of erased subjects out of a sink: calls sink.remove(key, window) for each row that is listed and
/// whose key is, or holds, the id of one; returns how many there were.
///
/// rows        what the sink shows, as panes: latest(log) of a log of changes, a view, a query
/// Delivery    That of the sink: one of two phases shows it with its job's next snapshot.
/// Threads     The one that runs the job of the sink.
/// Complexity  O(rows).
template <class Rows, class Sink>
std::uint64_t purge_rows(Rows const& rows, Sink& sink, erased_subjects const& who) {
    std::uint64_t removed = 0;
    for (auto const& each : rows) {
        if (!who.contains(each.key)) continue;
        sink.remove(each.key, each.window);
        ++removed;
    }
    return removed;
}

/// Does nothing behind the removals.
struct no_action {
    constexpr void operator()() const noexcept {}
};

/// A sink as a place to purge, with what lists its rows: sink_place totals{sink, [&] { return latest(log); }}.
///
/// Shape       `after`, where given, is called behind the removals: for a job of two-phase sinks
///             [&] { running.save_snapshot(); }, so that they are shown.
template <class Sink, class List, class After = no_action>
class sink_place {
    Sink* sink_;
    List list_;
    After after_;

public:
    explicit sink_place(Sink& sink, List list, After after = {})
        : sink_(&sink), list_(std::move(list)), after_(std::move(after)) {}
    purged purge(erased_subjects const& who) {
        auto const removed = purge_rows(list_(), *sink_, who);
        after_();
        return removed;
    }
};
}  // namespace driftless::inline v0
#endif
