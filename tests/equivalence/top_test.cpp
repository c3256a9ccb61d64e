// SPDX-License-Identifier: BSL-1.0
// top against loops, and as batch and stream, under random disorder, chunking, threads and restores.
#include <driftless/op/top.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/map.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }

/// Rows of a group in order: the best first, of those that tie the earlier.
template <class Row, class Better>
std::vector<Row> best_of(std::vector<Row> rows, std::size_t n, bool ties, Better better) {
    for (std::size_t i = 1; i < rows.size(); ++i) {  // stable, and few
        for (auto k = i; k != 0 && better(rows[k], rows[k - 1]); --k) std::swap(rows[k], rows[k - 1]);
    }
    std::size_t size = std::min(n, rows.size());
    while (ties && size != 0 && size < rows.size() && !better(rows[size - 1], rows[size])) ++size;
    rows.resize(size);
    return rows;
}
using groups = std::map<std::tuple<event_time, std::uint64_t, std::int32_t>, std::vector<sale>>;
/// By window and key in canonical order.
groups grouped(std::vector<placed> const& records) {
    groups out;
    for (auto const& each : records) {
        auto const w = shifted_window(each.record.at);
        out[{w.end, canonical_hash(each.record.item), each.record.item}].push_back(each.record);
    }
    return out;
}
template <class Better>
std::vector<std::string> lines_by_hand(std::vector<placed> const& records, std::size_t n, bool ties, Better better) {
    recorder out;
    for (auto const& [where, rows] : grouped(records)) {
        auto const end = std::get<0>(where);
        for (auto const& each : best_of(rows, n, ties, better))
            out.write(pane<std::int32_t, sale>{std::get<2>(where), {end - 10_s, end}, each, {}});
    }
    return out.lines;
}
template <class Results>
std::vector<std::string> sale_lines(Results const& rows) {
    recorder out;
    for (auto const& row : rows) out.write(pane<std::int32_t, sale>{row.key, row.window, row.value, row.info});
    return out.lines;
}
constexpr auto dearer = [](sale const& a, sale const& b) { return b.cents / 100 < a.cents / 100; };
constexpr auto cheaper = [](sale const& a, sale const& b) { return a.cents / 100 < b.cents / 100; };
constexpr auto coins = [](sale const& s) { return s.cents / 500; };  // few, so that sums tie
constexpr auto euros = [](sale const& s) { return s.cents / 100; };

template <class P>
void check_all(P const& pipeline, std::vector<placed> const& records, shape const& of, std::uint64_t seed,
    std::vector<std::string> const& expected) {
    auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.lines, expected);
    CHECK(once.report.state_bytes == 0);
    auto const other = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, expected);
    check_books(other.report, records.size(), "top");
    memory_log<sale> log{of.partitions};
    auto const threads = 1 + static_cast<int>(seed % 3);
    CHECK_SAME(sale_lines(run(batch{.threads = threads}, pipeline, fill(log, records))), expected);
}
}  // namespace

TEST_CASE("top of each key and window = loops = batch = stream, however it is run", "[equivalence][oracle][top]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 6) * 1'000'000'000};
        auto const of = random_shape(random, bound);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const windows = timed(bound) | key_by<&sale::item>() | window(tumbling{10_s, 3_s});
        auto const n = 1 + random.below(5);
        switch (random.below(4)) {
            case 0:
                return check_all(
                    windows | top(n, euros), records, of, seed, lines_by_hand(order, n, false, dearer));
            case 1:
                return check_all(
                    windows | top(n, euros, with_ties{}), records, of, seed, lines_by_hand(order, n, true, dearer));
            case 2:
                return check_all(
                    windows | top(n, euros, ascending{}), records, of, seed, lines_by_hand(order, n, false, cheaper));
            default:
                return check_all(windows | top(n, euros, ascending{}, with_ties{}), records, of, seed,
                    lines_by_hand(order, n, true, cheaper));
        }
    });
}

namespace {
/// Cents per shop and window, and the best of each window: in one map as in the results of a changelog.
equivalence::table totals_by_hand(std::vector<placed> const& records, std::size_t n, bool ties) {
    std::map<time_window, std::map<std::string, std::int64_t>> windows;
    for (auto const& [partition, record] : records)
        windows[shifted_window(record.at)][record.shop.str()] += coins(record);
    equivalence::table out;
    for (auto const& [window, shops] : windows) {
        std::vector<std::pair<std::string, std::int64_t>> rows{shops.begin(), shops.end()};
        auto const better = [](auto const& a, auto const& b) { return a.second > b.second; };
        for (auto const& [shop, cents] : best_of(rows, n, ties, better)) put(out, shop, window, cents);
    }
    return out;
}
template <class P>
void check_totals(P const& pipeline, std::vector<placed> const& records, shape const& of, std::uint64_t seed,
    equivalence::table const& streamed, equivalence::table const& batched) {
    auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, streamed);
    auto const other = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK(other.report.state_bytes == 0);
    memory_log<sale> log{of.partitions};
    auto const threads = 1 + static_cast<int>(seed % 3);
    CHECK_SAME(table_of(run(batch{.threads = threads}, pipeline, fill(log, records))), batched);
}
}  // namespace

TEST_CASE("top behind an aggregate whose rows are corrected = loops = batch = stream", "[equivalence][oracle][top]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 9) * 1'000'000'000};
        auto of = random_shape(random, tame ? bound + lateness : 30_s);
        of.shops = 1 + random.below(6);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const kept = judge(order, of.partitions, bound, lateness).kept;
        if (tame) REQUIRE(kept.size() == order.size());
        auto const n = 1 + random.below(4);
        bool const ties = random.one_in(2);
        auto const totals = timed(bound) | key_by<&sale::shop>()
            | window(tumbling{10_s, 3_s}, allowed_lateness{lateness}) | aggregate(sum(coins));
        auto const want = totals_by_hand(kept, n, ties);
        auto const all = totals_by_hand(order, n, ties);
        if (ties) check_totals(totals | top(n, with_ties{}), records, of, seed, want, all);
        else check_totals(totals | top(n), records, of, seed, want, all);
    });
}

TEST_CASE("top of rows that come early, and of everything so far = loops = batch = stream",
    "[equivalence][oracle][top]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto of = random_shape(random, bound);
        of.shops = 1 + random.below(6);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const n = 1 + random.below(4);
        auto const early = timed(bound) | key_by<&sale::shop>()
            | window(tumbling{10_s, 3_s}, at_watermark().early(every(2))) | aggregate(sum(coins));
        auto const want = totals_by_hand(order, n, false);
        check_totals(early | top(n), records, of, seed, want, want);
        // The same rows when they come once, and none is taken back.
        auto const once = timed(bound) | key_by<&sale::shop>() | window(tumbling{10_s, 3_s})
            | aggregate(sum(coins));
        check_totals(once | top(n), records, of, seed, want, want);
        // Rows that a filter takes away again.
        auto const even = early | filter([](pane<text, std::int64_t> const& row) { return row.value % 2 == 0; });
        auto const filtered = totals_by_hand(order, 1000, false);
        std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::pair<std::int64_t, std::string>>> by_window;
        for (auto const& [where, value] : filtered) {
            auto const cents = decode<std::int64_t>(value);
            if (cents % 2 == 0)
                by_window[{std::get<0>(where), std::get<1>(where)}].emplace_back(-cents, std::get<2>(where));
        }
        equivalence::table left;
        for (auto& [window, rows] : by_window) {
            // Keys are encoded with their length before them: ties go by the bytes behind it.
            std::sort(rows.begin(), rows.end(), [](auto const& a, auto const& b) {
                return a.first != b.first ? a.first < b.first
                                          : decode<std::string>(a.second) < decode<std::string>(b.second);
            });
            if (rows.size() > n) rows.resize(n);
            for (auto const& [cents, key] : rows) left[{window.first, window.second, key}] = encode(-cents);
        }
        check_totals(even | top(n), records, of, seed, left, left);

        // The greatest sums so far, by rank.
        auto const so_far = timed(bound) | key_by<&sale::item>() | top(n, euros, with_row_number{}, unbounded_state{});
        std::map<std::int32_t, std::vector<sale>> items;
        for (auto const& each : order) items[each.record.item].push_back(each.record);
        equivalence::table best;
        for (auto const& [item, rows] : items) {
            std::int64_t rank = 0;
            for (auto const& each : best_of(rows, n, false, dearer)) {
                ++rank;
                put(best, std::tuple{item, rank}, time_window{}, ranked<sale>{rank, each});
            }
        }
        check_totals(so_far, records, of, seed, best, best);
    });
}

namespace {
using windowed_sales = std::map<std::pair<time_window, std::int32_t>, std::vector<sale>>;
equivalence::table places_by_hand(windowed_sales const& all, std::size_t n) {
    equivalence::table out;
    for (auto const& [where, rows] : all) {
        std::int64_t place = 0;
        for (auto const& each : best_of(rows, n, false, dearer)) {
            ++place;
            put(out, std::tuple{where.second, place}, where.first, ranked<sale>{place, each});
        }
    }
    return out;
}
}  // namespace

TEST_CASE("top in sliding windows, in sessions, with triggers = loops = batch = stream", "[equivalence][oracle][top]") {
    for_seeds(30, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const of = random_shape(random, bound);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const n = 1 + random.below(4);
        auto const keyed_sales = timed(bound) | key_by<&sale::item>();
        auto const best = top(n, euros, with_row_number{});

        windowed_sales in_tens;
        windowed_sales in_fours;
        std::map<std::int32_t, std::vector<time_window>> sessions;
        sliding const fours{11_s, 4_s};
        auto const gap = 2_s;
        for (auto const& [partition, record] : order) {
            in_tens[{shifted_window(record.at), record.item}].push_back(record);
            each_window(fours, record.at, [&](auto const& w) { in_fours[{w, record.item}].push_back(record); });
            time_window mine{record.at, record.at + gap};
            std::vector<time_window> others;
            for (auto const& each : sessions[record.item]) {
                if (each.start >= mine.end || mine.start >= each.end) {
                    others.push_back(each);
                    continue;
                }
                mine = {std::min(mine.start, each.start), std::max(mine.end, each.end)};
            }
            others.push_back(mine);
            sessions[record.item] = others;
        }
        windowed_sales in_sessions;
        for (auto const& [partition, record] : order) {
            for (auto const& each : sessions[record.item]) {
                if (each.contains(record.at)) in_sessions[{each, record.item}].push_back(record);
            }
        }
        auto const check = [&](auto const& pipeline, windowed_sales const& by_window) {
            auto const want = places_by_hand(by_window, n);
            check_totals(pipeline, records, of, seed, want, want);
        };
        check(keyed_sales | window(fours) | best, in_fours);
        check(keyed_sales | window(session{gap}) | best, in_sessions);
        check(keyed_sales | window(tumbling{10_s, 3_s}, at_watermark().early(every(3))) | best, in_tens);
    });
}
