// SPDX-License-Identifier: BSL-1.0
// element_level: what a stream refuses is what lies behind the watermark, record by record, found by a loop; what it
// answers is the batch over the rest. Under any pace, threads and restarts.
#include <equivalence/late_loops.hpp>

using namespace equivalence;

namespace {
template <class Windows, class... Options>
auto by_element(Windows windows, duration bound, Options... options) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::item>()
        | window(windows, element_level{}, options...) | late_to("late"_name)
        | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}
/// `windows_of(at)`: how many windows hold a time.
template <class P, class WindowsOf>
void check_by_element(P const& pipeline, std::uint64_t seed, dice& random, duration bound, WindowsOf windows_of) {
    auto of = random_shape(random, random.one_in(3) ? bound : 30_s);
    if (random.one_in(2)) of.partitions = 1;  // where the watermark is made as rarely as it may be
    auto const records = random_records(random, of);
    auto const expected = judge_by(merged(records, of.partitions), of.partitions, bound,
        [](sale const& s) { return s.at + 1_ns; });
    std::size_t refusals = 0;
    for (auto const& each : expected.refused) refusals += windows_of(each.record.at);

    auto const once = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = calm});
    CHECK(once.report.refused(reason::late) == refusals);
    CHECK(once.late.lines.size() == refusals);
    CHECK(once.report.state_bytes == 0);
    auto const other = stream_over<rows, true>(pipeline, records, of.partitions, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);
    CHECK_SAME(other.late.lines, once.late.lines);

    memory_log<sale> log{of.partitions};
    recorder late;
    auto const kept = run(batch{.threads = 1 + seed % 3}, pipeline, fill(log, expected.kept), bind("late"_name, late));
    CHECK_SAME(table_of(kept), once.out.rows);
    CHECK(late.lines.empty());
}
}  // namespace

TEST_CASE("element_level: a stream refuses what is behind the watermark, and answers like a batch of the rest",
    "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        switch (seed % 4) {
            case 0:
                return check_by_element(by_element(tumbling{10_s, 3_s}, bound), seed, random, bound,
                    [](event_time) { return 1u; });
            case 1:
                return check_by_element(by_element(sliding{10_s, 3_s}, bound), seed, random, bound,
                    [](event_time at) { return each_window(sliding{10_s, 3_s}, at, [](time_window) {}); });
            case 2:
                return check_by_element(by_element(session{3_s}, bound), seed, random, bound,
                    [](event_time) { return 1u; });
            default:
                return check_by_element(by_element(tumbling{10_s}, bound, at_watermark().early(every(3))), seed, random,
                    bound, [](event_time) { return 1u; });
        }
    });
}
