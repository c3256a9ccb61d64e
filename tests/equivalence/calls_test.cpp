// SPDX-License-Identifier: BSL-1.0
// Law 7: each function of the user's is called exactly once per record, in every mode, on every number of threads.
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/tap.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <atomic>
#include <utility>

using namespace equivalence;

namespace {
enum which {
    tapped,
    mapped,
    kept,
    expanded,
    timed,
    keyed,
    expected,
    summed,
    folded,
    functions
};
std::atomic<int> calls[functions];
bool called(which function) {
    calls[function].fetch_add(1, std::memory_order_relaxed);
    return true;
}
constexpr auto counting = from<sale>() | tap([](sale const&) { called(tapped); })
    | map([](sale const& s) { return called(mapped), s; })
    | filter([](sale const& s) { return called(kept), s.cents % 2 == 0; })
    | flat_map<sale>([](sale const& s, auto out) {
          called(expanded);
          out(s), out(s);
      })
    | assign_time([](sale const& s) { return called(timed), s.at; }, bounded_disorder{5_s})
    | expect("anything"_name, [](sale const&) { return called(expected); })
    | key_by([](sale const& s) { return called(keyed), s.item; }) | window(tumbling{10_s}, allowed_lateness{5_s})
    | aggregate(sum([](sale const& s) { return called(summed), s.cents; }),
        fold(0, [](int n, sale const&) { return called(folded), n + 1; }));

void check_calls(std::vector<placed> const& records) {
    int even = 0;
    for (auto const& each : records) even += each.record.cents % 2 == 0 ? 1 : 0;
    auto const all = static_cast<int>(records.size());
    int const times[functions] = {all, all, all, even, 2 * even, 2 * even, 2 * even, 2 * even, 2 * even};
    for (std::size_t i = 0; i < functions; ++i) {
        INFO("function " << i);
        CHECK(calls[i].exchange(0) == times[i]);
    }
}
}  // namespace

TEST_CASE("each function is called exactly once per record", "[equivalence][law7]") {
    for_seeds(8, [](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .partitions = 2});
        memory_log<sale> log{2};
        fill(log, records);
        for (auto const threads : {1, 3}) {
            static_cast<void>(run(batch{.threads = threads}, counting, log));
            check_calls(records);
            auto const streamed = stream_over<rows>(counting, records, 2, {.seed = seed, .threads = threads});
            check_calls(records);
            CHECK(streamed.report.refused(reason::late) == 0);
        }
    });
}
