// SPDX-License-Identifier: BSL-1.0
// as_declared: batch refuses exactly what the stream refuses, and what the rule refuses.
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
auto declared(duration bound, duration lateness) {
    return windowed(from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}, as_declared), lateness);
}
/// As data/access_log says it, without lateness: one pane per window.
auto declared_plain(duration bound) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}, as_declared) | key_by<&sale::item>()
        | window(tumbling{10_s, 3_s}) | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}
}  // namespace

TEST_CASE("as_declared: batch refuses exactly what the stream refuses, and what the rule refuses", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 20) * 1'000'000'000};
        auto const lateness = duration{random.between(0, 12) * 1'000'000'000};
        auto const of = random_shape(random, duration{random.between(0, 60) * 1'000'000'000});
        auto const records = random_records(random, of);
        auto const expected = judge(merged(records, of.partitions), of.partitions, bound, lateness);

        auto const pipeline = declared(bound, lateness);
        auto const streamed = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK_SAME(table_of(all), loops(expected.kept));
        CHECK_SAME(streamed.out.rows, loops(expected.kept));
        CHECK_SAME(late.lines, streamed.late.lines);
        CHECK_SAME(late.lines, said_late(expected.refused));
        CHECK(all.report().refused(reason::late) == expected.refused.size());
        check_books(all.report(), records.size());
        check_books(streamed.report, records.size());
    });
}

TEST_CASE("as_declared without lateness, from columns: batch = stream = the rule of the access log", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 60) * 1'000'000'000};
        auto const of = random_shape(random, 60_s);
        auto const records = random_records(random, of);
        auto const expected = judge(merged(records, of.partitions), of.partitions, bound, 0_s);
        auto const pipeline = declared_plain(bound);
        auto const streamed = stream_over<columns>(pipeline, records, of.partitions, {.seed = seed});
        memory_log<sale, columns> log{of.partitions};
        auto const all = run(batch{}, pipeline, fill(log, records));
        CHECK_SAME(table_of(all), loops(expected.kept));
        CHECK_SAME(streamed.out.rows, loops(expected.kept));
        CHECK(all.report().refused(reason::late) == expected.refused.size());
        CHECK(streamed.report.refused(reason::late) == expected.refused.size());
    });
}
