// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Rows at the earliest or latest of their records, regrouped by that time: against loops, and as batch and stream,
// under random disorder, chunking, threads and restores.
#include <driftless/op/timestamps.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
template <class Windows, class Timestamp>
constexpr auto by_time_of_rows(Windows windows, duration bound, Timestamp timestamp) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
        | window(windows, timestamp) | aggregate(sum<&sale::cents>()) | key_by([](auto const&) { return 1; })
        | window(tumbling{2_s}) | aggregate(count(), sum([](auto const& row) { return row.value; }));
}
struct group {
    event_time earliest, latest;
    std::int64_t sum = 0;
};
using groups = std::map<std::pair<std::string, time_window>, group>;
void add(groups& to, sale const& s, time_window const& window) {
    auto const [at, fresh] = to.try_emplace({s.shop.str(), window}, group{s.at, s.at});
    at->second.earliest = std::min(at->second.earliest, s.at);
    at->second.latest = std::max(at->second.latest, s.at);
    at->second.sum += s.cents;
}
groups of_windows(std::vector<placed> const& records, sliding const& windows) {
    groups out;
    for (auto const& each : records) {
        auto const at = each.record.at.ns();
        auto const period = windows.period.ns();
        for (auto start = windows.offset.ns() - 400 * period; start <= at; start += period) {
            if (at < start + windows.size.ns())
                add(out, each.record, {event_time{start}, event_time{start} + windows.size});
        }
    }
    return out;
}
table regrouped(groups const& all, bool earliest) {
    std::map<time_window, std::pair<std::int64_t, std::int64_t>> rows;
    for (auto const& [place, each] : all) {
        auto& row = rows[window_of(earliest ? each.earliest : each.latest, 2_s)];
        ++row.first;
        row.second += each.sum;
    }
    table out;
    for (auto const& [window, row] : rows) put(out, 1, window, std::tuple{row.first, row.second});
    return out;
}

template <class P>
void check(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, table const& expected,
    std::uint64_t seed) {
    auto const once = stream_over<rows>(pipeline, records, partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, expected);
    CHECK(once.report.refused(reason::late) == 0);
    CHECK(once.report.state_bytes == 0);
    auto const other = stream_over<rows>(pipeline, records, partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    memory_log<sale> log{partitions};
    CHECK_SAME(table_of(run(batch{.threads = 1 + static_cast<int>(seed % 3)}, pipeline, fill(log, records))), expected);
}
}  // namespace

TEST_CASE("rows at a time of their records = loops = batch = stream", "[equivalence][oracle][timestamps]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const of = random_shape(random, bound);
        auto const records = random_records(random, of);
        sliding const windows{duration{random.between(1, 20) * 1'000'000'000},
            duration{random.between(2, 9) * 1'000'000'000},
            duration{random.between(-12, 12) * 1'000'000'000}};
        auto const found = of_windows(records, windows);
        check(by_time_of_rows(windows, bound, earliest_timestamp{}), records, of.partitions, regrouped(found, true),
            seed);
        check(by_time_of_rows(windows, bound, latest_timestamp{}), records, of.partitions, regrouped(found, false),
            seed);
    });
}
