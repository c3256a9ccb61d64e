// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Many windows open at once, because records come far out of order: stream = loops, under any pace, threads and
// restarts; = batch where nothing is refused.
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
constexpr auto wide(tumbling windows, duration bound) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>() | window(windows)
        | late_to("late"_name) | aggregate(count(), sum<&sale::cents>());
}
table by_loops(std::vector<placed> const& records, tumbling const& windows) {
    tally all;
    for (auto const& each : records) all.add(windows.assign(each.record.at), each.record);
    return all.rows([](auto const& g) { return std::tuple{g.n, g.sum}; });
}
}  // namespace

TEST_CASE("far out of order: stream = loops; = batch where nothing is refused", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        bool const tame = random.one_in(2);
        // From two windows to more than can be at hand.
        auto const bound = duration{random.between(0, random.one_in(3) ? 900 : 60) * 1'000'000'000};
        tumbling const windows{
            duration{random.between(1, 9) * 1'000'000'000}, duration{random.between(-12, 12) * 1'000'000'000}};
        auto const of = random_shape(random, tame ? bound : bound + bound + 30_s);
        auto const records = random_records(random, of);
        auto const expected = judge_by(merged(records, of.partitions), of.partitions, bound,
            [&](sale const& s) { return windows.assign(s.at).end; });
        if (tame) REQUIRE(expected.refused.empty());

        auto const pipeline = wide(windows, bound);
        auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
        CHECK_SAME(once.out.rows, by_loops(expected.kept, windows));
        CHECK(once.late.lines.size() == expected.refused.size());
        CHECK(once.report.refused(reason::late) == expected.refused.size());
        CHECK(once.report.stage("aggregate")->applied == expected.kept.size());

        auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK_SAME(other.late.lines, once.late.lines);

        memory_log<sale> log{of.partitions};
        recorder late;
        auto const all =
            run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, records), bind("late"_name, late));
        CHECK_SAME(table_of(all), by_loops(records, windows));
    });
}
