// SPDX-License-Identifier: BSL-1.0
// sorted_by_time and release_on_close against loops, and as batch and stream, under random disorder, chunking, threads
// and restores.
#include <driftless/op/release_on_close.hpp>
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }

constexpr auto sorting(duration bound, duration lateness) {
    return timed(bound) | key_by<&sale::item>() | late_to("late"_name) | sorted_by_time(allowed_lateness{lateness});
}
template <class Windows>
constexpr auto releasing(Windows windows, duration bound, duration lateness) {
    return timed(bound) | key_by<&sale::item>() | window(windows, allowed_lateness{lateness}) | late_to("late"_name)
        | release_on_close();
}
/// A function that sees the order in which it takes its records.
struct written_down {
    std::string operator()(std::string so_far, sale const& s) const {
        return std::move(so_far) + s.shop.str() + std::to_string(s.cents) + ';';
    }
};

std::vector<std::string> lines_of(std::vector<pane<std::int32_t, sale>> const& rows) {
    recorder out;
    for (auto const& row : rows) out.write(row);
    return out.lines;
}
template <class Results>
std::vector<std::string> lines_of_results(Results const& rows) {
    recorder out;
    for (auto const& row : rows) out.write(pane<std::int32_t, sale>{row.key, row.window, row.value, row.info});
    return out.lines;
}
/// Rows by place, those of one place as they came.
template <class Place>
std::vector<pane<std::int32_t, sale>> in_order(std::vector<std::pair<time_window, sale>> const& rows, Place place) {
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::pair{place(rows[a]), a} < std::pair{place(rows[b]), b};
    });
    std::vector<pane<std::int32_t, sale>> out;
    for (auto const i : order) out.push_back({rows[i].second.item, rows[i].first, rows[i].second, {}});
    return out;
}

struct by_hand {
    std::vector<pane<std::int32_t, sale>> rows;
    std::vector<pane<std::int32_t, sale>> late;
};
by_hand sort_by_hand(std::vector<placed> const& merged, std::uint32_t partitions, duration bound, duration lateness) {
    // Refused iff t < W - L, so iff W >= t + L + 1.
    auto const said = judge_by(merged, partitions, bound, [&](sale const& s) { return s.at + lateness + 1_ns; });
    by_hand out;
    std::vector<std::pair<time_window, sale>> kept;
    for (auto const& each : said.kept) kept.emplace_back(time_window{}, each.record);
    out.rows = in_order(kept, [](auto const& row) { return row.second.at; });
    for (auto const& each : said.refused) out.late.push_back({each.record.item, {}, each.record, {}});
    return out;
}
by_hand release_by_hand(std::vector<placed> const& merged, std::uint32_t partitions, sliding const& windows,
    duration bound, duration lateness) {
    by_hand out;
    std::vector<std::pair<time_window, sale>> kept;
    std::vector<std::optional<std::int64_t>> newest(partitions);
    for (auto const& each : merged) {
        bool reported = true;
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest) {
            reported = reported && n.has_value();
            if (n) least = std::min(least, *n);
        }
        auto const at = each.record.at.ns();
        auto const period = windows.period.ns();
        for (auto start = windows.offset.ns() - 400 * period; start <= at; start += period) {
            time_window const w{event_time{start}, event_time{start + windows.size.ns()}};
            if (!w.contains(each.record.at)) continue;
            if (reported && least - bound.ns() >= w.end.ns() + lateness.ns())
                out.late.push_back({each.record.item, w, each.record, {}});
            else kept.emplace_back(w, each.record);
        }
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, at) : at;
    }
    out.rows = in_order(kept, [](auto const& row) {
        return std::tuple{row.first.end, row.first.start, row.second.at};
    });
    return out;
}

template <class P>
void check_streams(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions,
    by_hand const& expected, char const* stage, std::uint64_t seed) {
    auto const once = stream_over<rows, true>(pipeline, records, partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, lines_of(expected.rows));
    CHECK_SAME(once.late.lines, lines_of(expected.late));
    CHECK(once.report.refused(reason::late) == expected.late.size());
    CHECK(once.report.stage(stage)->applied == expected.rows.size());
    CHECK(once.report.state_bytes == 0);
    auto const other = stream_over<rows, true>(pipeline, records, partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);
    CHECK(other.report.stage(stage)->in() == once.report.stage(stage)->in());
    CHECK(other.report.state_bytes == 0);
}
template <class P>
void check_batch(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions,
    std::vector<pane<std::int32_t, sale>> const& expected, std::uint64_t seed) {
    memory_log<sale> log{partitions};
    recorder late;
    auto const threads = 1 + static_cast<int>(seed % 3);
    auto const all = run(batch{.threads = threads}, pipeline, fill(log, records), bind("late"_name, late));
    CHECK_SAME(lines_of_results(all), lines_of(expected));
    CHECK(late.lines.empty());
}
}  // namespace

TEST_CASE("sorted_by_time = loops = batch = stream, however it is run", "[equivalence][oracle][sorted_by_time]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 20_s);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const expected = sort_by_hand(order, of.partitions, bound, lateness);
        if (tame) REQUIRE(expected.late.empty());
        auto const pipeline = sorting(bound, lateness);
        check_streams(pipeline, records, of.partitions, expected, "sorted_by_time", seed);
        check_batch(pipeline, records, of.partitions,
            sort_by_hand(order, of.partitions, 1'000'000_h, lateness).rows, seed);
    });
}

TEST_CASE("release_on_close = loops = batch = stream, however it is run", "[equivalence][oracle][release_on_close]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 6) * 1'000'000'000};
        sliding const windows{duration{random.between(1, 20) * 1'000'000'000},
            duration{random.between(2, 9) * 1'000'000'000},
            duration{random.between(-12, 12) * 1'000'000'000}};
        auto of = random_shape(random, tame ? bound + lateness : 30_s);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const expected = release_by_hand(order, of.partitions, windows, bound, lateness);
        if (tame) REQUIRE(expected.late.empty());
        auto const pipeline = releasing(windows, bound, lateness);
        check_streams(pipeline, records, of.partitions, expected, "release_on_close", seed);
        check_batch(pipeline, records, of.partitions,
            release_by_hand(order, of.partitions, windows, 1'000'000_h, lateness).rows, seed);
    });
}

TEST_CASE("as_declared, a batch sorts and refuses as the stream does", "[equivalence][sorted_by_time]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 20_s);
        auto const records = random_records(random, of);
        auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}, as_declared)
            | key_by<&sale::item>() | late_to("late"_name) | sorted_by_time(allowed_lateness{3_s});
        auto const streamed = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK_SAME(lines_of_results(all), streamed.out.lines);
        CHECK_SAME(late.lines, streamed.late.lines);
    });
}

TEST_CASE("sharded aggregates before and behind a sort say what one thread says", "[equivalence][sorted_by_time]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const of = random_shape(random, 4_s);
        auto const records = random_records(random, of);
        auto const behind = timed(4_s) | sorted_by_time() | key_by<&sale::item>() | window(tumbling{10_s})
            | aggregate(fold(std::string{}, written_down{}));
        auto const once = stream_over<rows>(behind, records, of.partitions, {.seed = calm});
        auto const other = stream_over<rows>(behind, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        memory_log<sale> log{of.partitions};
        CHECK_SAME(table_of(run(batch{.threads = 3}, behind, fill(log, records))), once.out.rows);

        auto const before = timed(4_s) | key_by<&sale::shop>() | window(sliding{10_s, 5_s}) | aggregate(count())
            | release_on_close();
        auto const rows_once = stream_over<rows>(before, records, of.partitions, {.seed = calm});
        auto const rows_other = stream_over<rows>(before, records, of.partitions, {.seed = seed});
        CHECK_SAME(rows_other.out.lines, rows_once.out.lines);
        memory_log<sale> again{of.partitions};
        CHECK_SAME(table_of(run(batch{.threads = 2}, before, fill(again, records))), rows_once.out.rows);
    });
}
