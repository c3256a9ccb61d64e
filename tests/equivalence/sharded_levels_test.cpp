// SPDX-License-Identifier: BSL-1.0
// Two aggregates that both run on the threads of one job.
#include <equivalence/two_levels.hpp>

using namespace equivalence;

namespace {
constexpr auto single_panes =
    by_count(from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s}), window(tumbling{10_s}));
}  // namespace

TEST_CASE(
    "two levels of single panes, both sharded, answer alike on every number of threads", "[equivalence][threads]") {
    // Windows so full that one chunk of the first level makes several of the second, while others are under way.
    for_seeds(2, [](std::uint64_t seed) {
        dice random{seed};
        auto const records =
            random_records(random, {.records = 20000, .disorder = 5_s, .shops = 6000, .step_ms = 2, .edges = 0});
        auto const expected = by_count_loops(records);
        memory_log<sale> log;
        fill(log, records);
        std::vector<std::string> lines;
        for (auto const threads : {1, 2, 3}) {
            INFO(threads);
            CHECK_SAME(table_of(run(batch{.threads = threads}, single_panes, log)), expected);
            auto const streamed = stream_over<rows>(single_panes, records, 1, {.seed = calm, .threads = threads});
            CHECK_SAME(streamed.out.rows, expected);
            if (threads == 1) lines = streamed.out.lines;
            CHECK_SAME(streamed.out.lines, lines);
        }
        CHECK_SAME(stream_over<rows>(single_panes, records, 1, {.seed = seed, .most = 5000}).out.lines, lines);
    });
}
