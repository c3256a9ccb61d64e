// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Several uses of one stream: computed once, never torn apart, on every number of threads.
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

using namespace equivalence;

namespace {
// A diamond: one windowed stream, counted and summed apart, put together again.
constexpr auto shared = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s}) | key_by<&sale::shop>()
    | window(tumbling{10_s}) | share("sales"_name);
constexpr auto diamond = merge(shared | aggregate(count()), shared | aggregate(sum<&sale::cents>()))
    | key_by([](pane<text, std::int64_t> const& row) noexcept { return row.key; })
    | aggregate(count(), sum([](pane<text, std::int64_t> const& row) noexcept { return row.value; }));

table diamond_loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::string>, std::int64_t> groups;
    for (auto const& [p, s] : records) groups[{window_of(s.at), s.shop.str()}] += s.cents + 1;
    table out;
    for (auto const& [place, value] : groups)
        put(out, text{place.second}, place.first, std::tuple{std::int64_t{2}, value});
    return out;
}
}  // namespace

TEST_CASE("a diamond sees each record in both branches: batch = stream = loops, on every number of threads",
    "[equivalence][threads]") {
    auto const check = [](std::vector<placed> const& records, std::uint64_t seed, std::size_t most) {
        auto const expected = diamond_loops(records);
        memory_log<sale> log;
        fill(log, records);
        auto const once = stream_over<rows>(diamond, records, 1, {.seed = calm});
        CHECK_SAME(once.out.rows, expected);
        check_books(once.report, records.size());
        for (auto const threads : {1, 2, 3}) {
            INFO(threads);
            CHECK_SAME(table_of(run(batch{.threads = threads}, diamond, log)), expected);
            CHECK_SAME(
                stream_over<rows>(diamond, records, 1, {.seed = calm, .threads = threads}).out.lines, once.out.lines);
        }
        CHECK_SAME(stream_over<rows>(diamond, records, 1, {.seed = seed, .most = most}).out.lines, once.out.lines);
    };
    for_seeds(25, [&](std::uint64_t seed) {
        dice random{seed};
        check(random_records(random, {.records = random.below(300)}), seed, 40);
    });
    for_seeds(2, [&](std::uint64_t seed) {
        dice random{seed};
        check(random_records(random, {.records = 12000, .shops = 1500, .step_ms = 12, .edges = 0}), seed, 5000);
    });
}
