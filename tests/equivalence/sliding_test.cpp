// SPDX-License-Identifier: BSL-1.0
// Windows that overlap: stream = loops that judge each (record, window), under any pace, threads and restarts; = batch
// where nothing is refused.
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
auto hopping(sliding windows, duration bound) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>() | window(windows)
        | late_to("late"_name);
}
auto hopping(sliding windows, duration bound, duration lateness) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(windows, allowed_lateness{lateness}) | late_to("late"_name)
        | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}
/// The windows of a time, found by trying every start.
std::vector<time_window> windows_by_hand(sliding const& of, event_time at) {
    std::vector<time_window> out;
    auto const n = at.ns();
    auto const first = (n - of.size.ns() - of.offset.ns()) / of.period.ns() - 2;
    for (auto k = first; k * of.period.ns() + of.offset.ns() <= n; ++k) {
        auto const start = k * of.period.ns() + of.offset.ns();
        if (n < start + of.size.ns()) out.push_back({event_time{start}, event_time{start + of.size.ns()}});
    }
    return out;
}

struct judged_windows {
    std::vector<std::pair<time_window, sale>> kept;
    std::size_t refused = 0;
};
judged_windows judge_windows(std::vector<placed> const& in_order, std::uint32_t partitions, sliding const& windows,
    duration bound, duration lateness) {
    judged_windows out;
    std::vector<std::optional<std::int64_t>> newest(partitions);
    for (auto const& each : in_order) {
        bool reported = true;
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest) {
            reported = reported && n.has_value();
            if (n) least = std::min(least, *n);
        }
        for (auto const& window : windows_by_hand(windows, each.record.at)) {
            if (reported && least - bound.ns() >= window.end.ns() + lateness.ns()) ++out.refused;
            else out.kept.emplace_back(window, each.record);
        }
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, each.record.at.ns()) : each.record.at.ns();
    }
    return out;
}
tally tally_of(std::vector<std::pair<time_window, sale>> const& kept) {
    tally all;
    for (auto const& [window, s] : kept) all.add(window, s);
    return all;
}

/// One random log: `pipeline_of(windows, bound, lateness)` against the loops; `value_of` makes a row of a group.
template <class PipelineOf, class ValueOf>
void check_windows(
    std::uint64_t seed, dice& random, duration lateness, PipelineOf pipeline_of, ValueOf value_of) {
    bool const tame = random.one_in(2);
    auto const bound = duration{random.between(0, 4) * 1'000'000'000};
    // Overlapping ones, ones side by side, and ones with gaps between them.
    sliding const windows{duration{random.between(1, random.one_in(3) ? 60 : 20) * 1'000'000'000},
        duration{random.between(random.one_in(3) ? 1 : 2, 9) * 1'000'000'000},
        duration{random.between(-12, 12) * 1'000'000'000}};
    auto of = random_shape(random, tame ? bound + lateness : 60_s);
    if (random.one_in(4)) of.items = 1 + random.below(200);
    auto const records = random_records(random, of);
    auto const expected = judge_windows(merged(records, of.partitions), of.partitions, windows, bound, lateness);
    if (tame) REQUIRE(expected.refused == 0);
    INFO("size " << windows.size.ns() << ", period " << windows.period.ns() << ", offset " << windows.offset.ns());

    auto const pipeline = pipeline_of(windows, bound, lateness);
    auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, tally_of(expected.kept).rows(value_of));
    CHECK(once.late.lines.size() == expected.refused);
    CHECK(once.report.refused(reason::late) == expected.refused);
    CHECK(once.report.stage("aggregate")->applied == expected.kept.size());
    std::uint64_t in_none = 0;
    for (auto const& each : records) in_none += windows_by_hand(windows, each.record.at).empty() ? 1 : 0;
    CHECK(once.report.stage("aggregate")->unassigned == in_none);
    check_panes(once.out);

    auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);
    CHECK(other.report.stage("aggregate")->in() == expected.kept.size() + expected.refused);
    CHECK(other.report.stage("aggregate")->unassigned == in_none);

    auto const all_kept = judge_windows(records, of.partitions, windows, 1'000'000_h, lateness).kept;
    memory_log<sale> log{of.partitions};
    recorder late;
    auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
    CHECK_SAME(table_of(all), tally_of(all_kept).rows(value_of));
    CHECK(late.lines.empty());
    CHECK(all.report().stage("aggregate")->applied == all_kept.size());
    CHECK(all.report().stage("aggregate")->unassigned == in_none);
}
}  // namespace

TEST_CASE("sliding windows: stream = loops per (record, window); = batch where nothing is refused", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const lateness = duration{random.between(0, 20) * 1'000'000'000};
        check_windows(
            seed, random, lateness, [](auto... how) { return hopping(how...); },
            [](auto const& g) { return std::tuple{g.n, g.sum, static_cast<std::int64_t>(g.shops.size())}; });
    });
}
TEST_CASE("slices that are subtracted: stream = loops per (record, window); = batch", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        check_windows(
            seed, random, duration{},
            [](sliding windows, duration bound, duration) {
                return hopping(windows, bound) | aggregate(count(), sum<&sale::cents>());
            },
            [](auto const& g) { return std::tuple{g.n, g.sum}; });
    });
}
TEST_CASE("slices in two stacks: stream = loops per (record, window); = batch", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        check_windows(
            seed, random, duration{},
            [](sliding windows, duration bound, duration) {
                return hopping(windows, bound) | aggregate(sum<&sale::cents>(), max<&sale::cents>());
            },
            [](auto const& g) { return std::tuple{g.sum, g.most}; });
    });
}
