// SPDX-License-Identifier: BSL-1.0
// Lateness: what a stream refuses, loops refuse; where nothing was refused the corrected rows are those of the batch.
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
auto corrected(duration bound, duration lateness) {
    return windowed(from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}), lateness);
}
}  // namespace

TEST_CASE("corrected rows: stream = batch where nothing is refused, = loops over what was kept otherwise",
    "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 20) * 1'000'000'000};
        auto const of = random_shape(random, tame ? bound + lateness : 60_s);
        auto const records = random_records(random, of);
        auto const expected = judge(merged(records, of.partitions), of.partitions, bound, lateness);
        if (tame) REQUIRE(expected.refused.empty());

        auto const pipeline = corrected(bound, lateness);
        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.rows, loops(expected.kept));
        CHECK(once.late.lines.size() == expected.refused.size());
        check_books(once.report, records.size());
        CHECK(once.report.refused(reason::late) == expected.refused.size());
        CHECK(once.report.stage("aggregate")->applied == expected.kept.size());
        check_panes(once.out);

        auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK_SAME(other.late.lines, once.late.lines);
        CHECK(other.report.stage("aggregate")->refusals() == expected.refused.size());
        check_books(other.report, records.size());

        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK_SAME(table_of(all), loops(records));
        CHECK(late.lines.empty());
        check_books(all.report(), records.size());
    });
}
