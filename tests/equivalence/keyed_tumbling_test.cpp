// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Laws 1, 2, 3, 5 on the plainest pipeline: batch = stream = loops, for text, integer and tuple keys.
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s})
    | filter([](sale const& s) noexcept { return s.cents % 7 != 0; });
constexpr auto by_shop = timed | key_by<&sale::shop>() | window(tumbling{10_s})
    | aggregate(count(), sum<&sale::cents>(), min<&sale::cents>(), max<&sale::shop>(), mean<&sale::cents>(),
        distinct<&sale::item>());
constexpr auto by_both = timed | key_by<&sale::item, &sale::shop>() | window(tumbling{10_s})
    | aggregate(sum<&sale::cents>(), fold(std::uint64_t{7}, [](std::uint64_t hash, sale const& s) {
          return hash * 31 + static_cast<std::uint64_t>(s.cents);
      }));

table by_shop_loops(std::vector<placed> const& records) {
    std::map<std::pair<time_window, std::string>, std::vector<sale>> groups;
    for (auto const& [p, s] : records) {
        if (s.cents % 7 != 0) groups[{window_of(s.at), s.shop.str()}].push_back(s);
    }
    table out;
    for (auto const& [place, rows] : groups) {
        std::int64_t sum = 0;
        std::int64_t least = rows[0].cents;
        std::set<std::int32_t> items;
        for (auto const& s : rows) {
            sum += s.cents;
            least = std::min(least, s.cents);
            items.insert(s.item);
        }
        auto const n = static_cast<std::int64_t>(rows.size());
        put(out, place.second, place.first,
            std::tuple{n, sum, least, place.second, static_cast<double>(sum) / static_cast<double>(n),
                static_cast<std::int64_t>(items.size())});
    }
    return out;
}
/// The fold sees the records of a group in log order: over several partitions in the order of the merge.
table by_both_loops(std::vector<placed> const& records) {
    std::map<std::tuple<time_window, std::int32_t, std::string>, std::pair<std::int64_t, std::uint64_t>> groups;
    for (auto const& [p, s] : records) {
        if (s.cents % 7 == 0) continue;
        auto& [sum, hash] = groups.try_emplace({window_of(s.at), s.item, s.shop.str()}, 0, 7).first->second;
        sum += s.cents;
        hash = hash * 31 + static_cast<std::uint64_t>(s.cents);
    }
    table out;
    for (auto const& [place, value] : groups) {
        put(out, std::tuple{std::get<1>(place), std::get<2>(place)}, std::get<0>(place),
            std::tuple{value.first, value.second});
    }
    return out;
}

template <class Layout, class P>
void check(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, table const& expected,
    std::uint64_t seed) {
    auto const kept = static_cast<std::uint64_t>(
        std::count_if(records.begin(), records.end(), [](placed const& r) { return r.record.cents % 7 != 0; }));
    memory_log<sale, Layout> log{partitions};
    fill(log, records);
    auto const all = run(batch{.threads = 1 + seed % 3}, pipeline, log);
    CHECK_SAME(table_of(all), expected);
    CHECK(all.report().records == records.size());
    CHECK(all.report().stage("aggregate")->in() == kept);
    CHECK(all.report().refused(reason::late) == 0);

    auto const once = stream_over<Layout>(pipeline, records, partitions, {.seed = calm});
    CHECK_SAME(once.out.rows, expected);
    CHECK(once.out.lines.size() == expected.size());  // one pane each
    auto const interrupted = stream_over<Layout>(pipeline, records, partitions, {.seed = seed});
    CHECK_SAME(interrupted.out.lines, once.out.lines);
    for (auto const* const each : {&once, &interrupted}) {
        CHECK(each->report.records == records.size());
        CHECK(each->report.stage("aggregate")->applied == kept);
        CHECK(each->report.stage("aggregate")->refusals() == 0);
    }
}
}  // namespace

TEST_CASE("keyed tumbling windows by text: batch = stream = loops, whatever the pace", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        shape const of{.records = random.below(400),
            .partitions = 1 + static_cast<std::uint32_t>(random.below(3)),
            .shops = 1 + random.below(9)};
        auto const records = random_records(random, of);
        check<rows>(by_shop, records, of.partitions, by_shop_loops(records), seed);
    });
}

TEST_CASE(
    "keyed tumbling windows by tuple, from columns, a fold in log order: batch = stream = loops", "[equivalence]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        shape const of{.records = random.below(400),
            .partitions = 1 + static_cast<std::uint32_t>(random.below(3)),
            .shops = 1 + random.below(3)};
        auto const records = random_records(random, of);
        check<columns>(by_both, records, of.partitions, by_both_loops(merged(records, of.partitions)), seed);
    });
}

TEST_CASE("many keys over several blocks and chunks of the shards: batch = stream = loops", "[equivalence]") {
    for (auto const seed : {1u, 2u, 3u}) {
        dice random{seed};
        auto const records =
            random_records(random, {.records = 9000, .disorder = 5_s, .shops = 2000, .step_ms = 30, .edges = 0});
        auto const expected = by_shop_loops(records);
        check<rows>(by_shop, records, 1, expected, seed);
        CHECK_SAME(stream_over<rows>(by_shop, records, 1, {.seed = seed, .threads = 3, .most = 3000}).out.lines,
            stream_over<rows>(by_shop, records, 1, {.seed = calm}).out.lines);
    }
}

TEST_CASE("a record at the least possible time does not stop the watermark", "[equivalence]") {
    std::vector<placed> records{{0, {text{"a"}, 1, 1, event_time::min()}}};
    for (std::int64_t i = 0; i < 100; ++i)
        records.push_back({0, {text{i % 2 == 0 ? "a" : "b"}, 1, 1, event_time{i * 1'000'000'000}}});
    records.push_back({0, {text{"a"}, 1, 1, event_time{1'000'000'000}}});  // late for [0, 10 s)
    auto const once = stream_over<rows>(by_shop, records, 1, {.seed = calm});
    CHECK(once.report.refused(reason::late) == 1);
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        INFO(seed);
        auto const other = stream_over<rows>(by_shop, records, 1, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        CHECK(other.report.refused(reason::late) == 1);
    }
}
