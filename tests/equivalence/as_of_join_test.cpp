// SPDX-License-Identifier: BSL-1.0
// Joins of records with a table against loops, and as batch and stream, under random disorder, chunking and restores.
#include <driftless/op/as_of_join.hpp>

#include <driftless/agg.hpp>
#include <equivalence/late_loops.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto is_gone = [](sale const& s) { return s.cents % 4 == 0; };
constexpr auto by_shop(auto input, duration bound) {
    return input | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>();
}
template <class Kind>
constexpr auto joined_as_of(Kind kind, duration bound, duration lateness, duration length) {
    auto const records = by_shop(from<sale>("sales"_name), bound) | late_to("late sales"_name);
    auto const rows = by_shop(from<sale>("rows"_name), bound) | late_to("late rows"_name);
    auto const latest = rows | driftless::table(history{length}, unbounded_state{}, deleted_if(is_gone));
    return join(records, latest, as_of{}, kind, allowed_lateness{lateness});
}

/// The sales are in partition 0, the rows of the table in partition 1.
struct by_hand {
    judged sales, rows;
    template <class Write>
    void each_row(bool alone, Write write) const {
        std::vector<std::size_t> order(sales.kept.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair{sales.kept[a].record.at, a} < std::pair{sales.kept[b].record.at, b};
        });
        for (auto const nth : order) {
            auto const& each = sales.kept[nth];
            std::optional<sale> row;
            for (auto const& other : rows.kept) {
                if (other.record.shop != each.record.shop || each.record.at < other.record.at) continue;
                if (!row || row->at <= other.record.at) row = other.record;
            }
            if (row && is_gone(*row)) row.reset();
            if (row || alone) write(each.record, row);
        }
    }
};
std::vector<placed> of_partition(std::vector<placed> const& all, std::uint32_t p) {
    std::vector<placed> out;
    for (auto const& each : all) {
        if (each.partition == p) out.push_back({0, each.record});
    }
    return out;
}
by_hand judge_both(std::vector<placed> const& all, duration bound, duration lateness, duration length) {
    return {judge_by(of_partition(all, 0), 1, bound, [&](sale const& s) { return s.at + lateness + 1_ns; }),
        judge_by(of_partition(all, 1), 1, bound, [&](sale const& s) { return s.at + length + 1_ns; })};
}

struct two_outcomes {
    recorder out, late_sales, late_rows;
    driftless::report report;
};
template <class P>
two_outcomes stream_two(P const& pipeline, std::vector<placed> const& records, pace how) {
    using log_t = memory_log<sale>;
    using sales_t = bound<name<"sales">, log_t&>;
    using rows_t = bound<name<"rows">, log_t&>;
    using late_sales_t = bound<name<"late sales">, recorder&>;
    using late_rows_t = bound<name<"late rows">, recorder&>;
    two_outcomes result;
    log_t logs[2];
    std::optional<job<stream, P, sales_t, rows_t, late_sales_t, late_rows_t, recorder&>> running;
    auto const start = [&](int threads) {
        running.emplace(stream{.threads = threads}, pipeline, sales_t{logs[0]}, rows_t{logs[1]},
            late_sales_t{result.late_sales}, late_rows_t{result.late_rows}, result.out);
    };
    result.report = drive(
        running, start, [&](std::size_t i) { logs[records[i].partition].append(records[i].record); }, records.size(),
        how);
    return result;
}
template <class P>
recorder batch_of_two(P const& pipeline, std::vector<placed> const& records, std::uint64_t seed) {
    memory_log<sale> logs[2];
    for (auto const& each : records) logs[each.partition].append(each.record);
    recorder out, late_sales, late_rows;
    run(batch{.threads = 1 + static_cast<int>(seed % 3)}, pipeline, bind("rows"_name, logs[1]),
        bind("sales"_name, logs[0]), bind("late sales"_name, late_sales), bind("late rows"_name, late_rows), out);
    CHECK(late_sales.lines.empty());
    CHECK(late_rows.lines.empty());
    return out;
}
template <class Made>
recorder rows_by_hand(by_hand const& of, bool alone) {
    recorder out;
    of.each_row(alone, [&](sale const& s, std::optional<sale> const& row) {
        if constexpr (std::is_same_v<Made, sale>) {
            if (!row) out.write(pane<text, sale>{s.shop, {}, s, {}});
        } else if constexpr (std::is_same_v<Made, joined<sale, sale>>) {
            out.write(pane<text, Made>{s.shop, {}, {s, *row}, {}});
        } else {
            out.write(pane<text, Made>{s.shop, {}, {s, row}, {}});
        }
    });
    return out;
}
template <class Kind>
void check_kind(Kind kind, dice& random, std::uint64_t seed) {
    bool const tame = random.one_in(2);
    auto const bound = duration{random.between(0, 4) * 1'000'000'000};
    auto const lateness = duration{random.between(0, 3) * 1'000'000'000};
    auto const length = duration{random.between(0, 6) * 1'000'000'000};
    auto of = random_shape(random, tame ? bound + std::min(lateness, length) : 20_s);
    of.partitions = 2;
    auto const records = random_records(random, of);
    auto const pipeline = joined_as_of(kind, bound, lateness, length);
    using made = typename output_of<decltype(pipeline)>::record;
    auto const expected = judge_both(records, bound, lateness, length);
    if (tame) REQUIRE((expected.sales.refused.empty() && expected.rows.refused.empty()));

    auto const once = stream_two(pipeline, records, {.seed = calm});
    CHECK_SAME(once.out.lines, rows_by_hand<made>(expected, Kind::alone[0]).lines);
    CHECK(once.late_sales.lines.size() == expected.sales.refused.size());
    CHECK(once.late_rows.lines.size() == expected.rows.refused.size());
    check_books(once.report, records.size(), "join");
    auto const other = stream_two(pipeline, records, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late_sales.lines, once.late_sales.lines);
    CHECK_SAME(other.late_rows.lines, once.late_rows.lines);

    auto const whole = rows_by_hand<made>(judge_both(records, 1'000'000_h, lateness, length), Kind::alone[0]);
    CHECK_SAME(batch_of_two(pipeline, records, seed).lines, whole.lines);
}
}  // namespace

TEST_CASE("an as-of join = loops = batch = stream, in the same order", "[equivalence][oracle][join]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        check_kind(inner{}, random, seed);
        check_kind(left_outer{}, random, seed);
        check_kind(left_anti{}, random, seed);
    });
}
