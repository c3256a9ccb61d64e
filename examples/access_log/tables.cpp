// SPDX-License-Identifier: BSL-1.0
// The only place where the pipelines of access_log are instantiated.
#include "access_log.hpp"

#include <cstdint>
#include <map>

namespace dl = driftless;
using namespace driftless::literals;
using run_t = support::runner<access_log::request_log>;

access_log::hour_table access_log::make_tumble_1h(run_t const& run) {
    hour_table out{support::columns_of<hour_totals>("window_start_ms")};
    for (auto const& [key, window, totals, info] : run(tumble_1h)) {
        out.rows.push_back(support::row_of(totals, window.start.ms()));
    }
    return out;
}

access_log::class_table access_log::make_hop_15m_5m_by_status_class(run_t const& run) {
    class_table out{{"window_start_ms", "status_class", "hits"}};
    for (auto const& [status_class, window, hits, info] : run(hop_15m_5m_by_status_class)) {
        out.rows.emplace_back(window.start.ms(), status_class, hits);
    }
    return out;
}

access_log::visit_table access_log::make_sessions_30m(run_t const& run) {
    visit_table out{support::columns_of<visit_totals>("client_ip", "first_ms", "last_ms")};
    for (auto const& [client, window, totals, info] : run(sessions_30m)) {
        out.rows.push_back(support::row_of(totals, client, window.start.ms(), (window.end - 30_min).ms()));
    }
    return out;
}

access_log::path_table access_log::make_top10_paths_per_day(run_t const& run) {
    path_table out{{"day", "rank", "path", "hits"}};
    for (auto const& [key, window, best, info] : run(top10_paths_per_day)) {
        out.rows.emplace_back(support::date(window.start), best.rank, best.row.key.str(), best.row.value);
    }
    return out;
}

access_log::arrivals_table access_log::make_count_trigger_500(run_t const& run) {
    arrivals_table out{{"arrivals", "hits", "bytes", "errors", "max_ts_ms"}};
    run.each_pane(count_trigger_500, [&](auto const& pane) {
        auto const& of = pane.value;
        if (of.hits % 500 == 0) out.rows.emplace_back(of.hits, of.hits, of.bytes, of.errors, of.newest.ms());
    });
    return out;
}

access_log::retry_table access_log::make_interval_join_404_then_200_60s(run_t const& run) {
    retry_table out{support::columns_of<retry>()};
    for (auto const& row : run(interval_join_404_then_200_60s)) out.rows.push_back(support::row_of(row.value));
    return out;
}

access_log::seq_table access_log::make_dedup_first_arrival(run_t const& run) {
    seq_table out{{"seq"}};
    for (auto const& row : run(dedup_first_arrival)) out.rows.emplace_back(row.value);
    return out;
}

namespace {
constexpr dl::duration bounds[] = {0_s, 20_s, 40_s, 60_s};

struct tally {
    std::int64_t kept = 0;
    std::int64_t dropped = 0;
};

/// Requests kept and dropped per window.
std::map<dl::time_window, tally> tally_with(dl::duration bound, run_t const& run) {
    std::map<dl::time_window, tally> windows;
    auto const count = [&](auto const& refused) { ++windows[refused.window].dropped; };
    auto const kept = run(access_log::late_tumble_10s(bound), dl::bind("late"_name, dl::to(count)));
    for (auto const& [key, window, hits, info] : kept) windows[window].kept = hits;
    return windows;
}
}  // namespace

access_log::late_table access_log::make_late_tumble_10s(run_t const& run) {
    late_table out{{"bound_ms", "window_start_ms", "kept", "dropped"}};
    for (auto const bound : bounds) {
        for (auto const& [window, of] : tally_with(bound, run)) {
            out.rows.emplace_back(bound.ns() / 1'000'000, window.start.ms(), of.kept, of.dropped);
        }
    }
    return out;
}

access_log::late_summary_table access_log::make_late_tumble_10s_summary(run_t const& run) {
    late_summary_table out{{"bound_ms", "events_kept", "events_dropped", "windows_with_kept", "windows_with_dropped"}};
    for (auto const bound : bounds) {
        tally events;
        tally windows;
        for (auto const& [window, of] : tally_with(bound, run)) {
            events.kept += of.kept;
            events.dropped += of.dropped;
            windows.kept += of.kept > 0 ? 1 : 0;
            windows.dropped += of.dropped > 0 ? 1 : 0;
        }
        out.rows.emplace_back(bound.ns() / 1'000'000, events.kept, events.dropped, windows.kept, windows.dropped);
    }
    return out;
}
