// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Several inputs are merged in the order of law 3, whatever the pace.
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto in_order = fold(std::uint64_t{7}, [](std::uint64_t hash, sale const& s) {
    return hash * 31 + static_cast<std::uint64_t>(s.cents);
});
constexpr auto web = from<sale>("web"_name) | assign_time<&sale::at>(bounded_disorder{5_s});
constexpr auto till = from<sale>("till"_name) | assign_time<&sale::at>(bounded_disorder{5_s});
constexpr auto both = merge(web, till) | key_by<&sale::item>() | window(tumbling{10_s})
    | aggregate(count(), sum<&sale::cents>(), in_order);

table both_loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::int32_t>, std::tuple<std::int64_t, std::int64_t, std::uint64_t>> groups;
    for (auto const& [p, s] : records) {
        auto& [n, sum, hash] = groups.try_emplace({window_of(s.at), s.item}, 0, 0, 7).first->second;
        ++n;
        sum += s.cents;
        hash = hash * 31 + static_cast<std::uint64_t>(s.cents);
    }
    table out;
    for (auto const& [place, value] : groups) put(out, place.second, place.first, value);
    return out;
}

/// "web" is input 0, "till" input 1; which record goes where is its partition.
outcome stream_both(std::vector<placed> const& records, pace how) {
    using log_t = memory_log<sale>;
    using web_t = bound<name<"web">, log_t&>;
    using till_t = bound<name<"till">, log_t&>;
    outcome result;
    log_t logs[2];
    std::optional<job<stream, std::remove_cv_t<decltype(both)>, till_t, recorder&, web_t>> running;  // in any order
    auto const start = [&](int threads) {
        running.emplace(stream{.threads = threads}, both, till_t{logs[1]}, result.out, web_t{logs[0]});
    };
    result.report = drive(
        running, start, [&](std::size_t i) { logs[records[i].partition].append(records[i].record); }, records.size(),
        how);
    return result;
}
}  // namespace

TEST_CASE("two inputs are merged by event time, then input: batch = stream = loops", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const records = random_records(random, {.records = random.below(300), .partitions = 2, .disorder = 5_s});
        auto const expected = both_loops(merged(records, 2));
        memory_log<sale> logs[2];
        for (auto const& each : records) logs[each.partition].append(each.record);
        auto const all =
            run(batch{.threads = 1 + seed % 3}, both, bind("till"_name, logs[1]), bind("web"_name, logs[0]));
        CHECK_SAME(table_of(all), expected);
        check_books(all.report(), records.size());

        auto const once = stream_both(records, {.seed = calm});
        CHECK_SAME(once.out.rows, expected);
        auto const other = stream_both(records, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        check_books(other.report, records.size());
    });
}
