// SPDX-License-Identifier: BSL-1.0
// The operator distinct against loops, and as batch and stream, under random disorder, chunking, threads and restores.
#include <driftless/op/distinct.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/map.hpp>
#include <equivalence/late_loops.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed(duration bound) { return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}); }
}  // namespace

TEST_CASE("distinct = loops = batch = stream, however it is run", "[equivalence][oracle][distinct]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 9) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 30_s);
        auto const records = random_records(random, of);
        auto const order = merged(records, of.partitions);
        auto const said = judge(order, of.partitions, bound, lateness);
        if (tame) REQUIRE(said.refused.empty());
        auto const firsts = [](std::vector<placed> const& of_these) {
            recorder out;
            std::set<std::tuple<event_time, std::int32_t, std::string>> seen;
            for (auto const& [partition, record] : of_these) {
                auto const window = shifted_window(record.at);
                if (!seen.emplace(window.end, record.item, record.shop.str()).second) continue;
                out.write(pane<std::int32_t, sale>{record.item, window, record, {}});
            }
            return out.lines;
        };
        auto const pipeline = timed(bound) | key_by<&sale::item>()
            | window(tumbling{10_s, 3_s}, allowed_lateness{lateness}) | late_to("late"_name) | distinct<&sale::shop>();
        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.lines, firsts(said.kept));
        CHECK(once.late.lines.size() == said.refused.size());
        CHECK(once.report.state_bytes == 0);
        auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK_SAME(other.late.lines, once.late.lines);
        check_books(other.report, records.size(), "distinct");
        memory_log<sale> log{of.partitions};
        recorder late;
        recorder batched;
        auto const threads = 1 + static_cast<int>(seed % 3);
        for (auto const& row : run(batch{.threads = threads}, pipeline, fill(log, records), bind("late"_name, late)))
            batched.write(pane<std::int32_t, sale>{row.key, row.window, row.value, row.info});
        CHECK_SAME(batched.lines, firsts(order));

        // What follows counts them, window by window.
        auto const counted = timed(bound) | window(tumbling{10_s, 3_s}, allowed_lateness{lateness})
            | distinct<&sale::shop>() | key_by<&sale::item>() | aggregate(count());
        auto const counts = stream_over<rows>(counted, records, of.partitions, {.seed = seed});
        auto const again = stream_over<rows>(counted, records, of.partitions, {.seed = calm});
        CHECK_SAME(counts.out.lines, again.out.lines);
        memory_log<sale> log_of_counts{of.partitions};
        auto const all = table_of(run(batch{}, counted, fill(log_of_counts, records)));
        if (tame) CHECK_SAME(all, counts.out.rows);
    });
}

TEST_CASE("distinct over changes comes down to the set of what is there", "[equivalence][oracle][distinct]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(1, 9) * 1'000'000'000};
        auto of = random_shape(random, bound + lateness);
        of.shops = 1 + random.below(6);
        auto const records = random_records(random, of);
        std::map<std::pair<time_window, std::string>, std::int64_t> counts;
        for (auto const& [partition, record] : records) ++counts[{shifted_window(record.at), record.shop.str()}];
        equivalence::table want;
        for (auto const& [where, n] : counts) {
            if (n % 3 != 0) put(want, n, where.first, n);
        }
        // How many visits shops have had in a window, each number once.
        auto const pipeline = timed(bound) | key_by<&sale::shop>()
            | window(tumbling{10_s, 3_s}, allowed_lateness{lateness}) | aggregate(count())
            | map([](pane<text, std::int64_t> const& row) { return row.value; })
            | filter([](std::int64_t n) { return n % 3 != 0; }) | distinct();
        auto const once = stream_over<rows>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.rows, want);
        auto const other = stream_over<rows>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK(other.report.state_bytes == 0);
        memory_log<sale> log{of.partitions};
        CHECK_SAME(table_of(run(batch{.threads = 2}, pipeline, fill(log, records))), want);
    });
}
