// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/fork.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <equivalence/generated.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto sales = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s});
constexpr auto per_item = aggregate(count(), sum<&sale::cents>());
constexpr auto big = filter([](sale const& s) { return s.cents > 0; });
constexpr auto cents = map([](sale const& s) { return s.cents; });
}  // namespace

TEST_CASE("fork: each branch yields what it would yield as a pipeline of its own", "[op][fork][equivalence]") {
    for_seeds(20, [](std::uint64_t seed) {
        dice random{seed};
        shape const of{.records = 1 + random.below(300),
            .partitions = 1 + static_cast<std::uint32_t>(random.below(3)),
            .disorder = 8_s};
        auto const records = random_records(random, of);
        auto const forked = sales
            | fork(branch("items"_name, key_by<&sale::item>(), window(tumbling{10_s}), late_to("late"_name), per_item),
                branch("big"_name, big, cents),
                branch("visits"_name, big, key_by<&sale::shop>(), window(session{3_s}), aggregate(count())))
            | key_by<&sale::shop>() | window(tumbling{20_s}) | aggregate(count());
        recorder late_alone;
        auto const alone = [&](auto const& p, recorder& out) {
            memory_log<sale> log{of.partitions};
            run(stream{.until = drained}, p, fill(log, records), out);
        };
        recorder items;
        recorder positive;
        recorder visits;
        recorder shops;
        {
            memory_log<sale> log{of.partitions};
            run(stream{.until = drained},
                sales | key_by<&sale::item>() | window(tumbling{10_s}) | late_to("late"_name) | per_item,
                fill(log, records), bind("late"_name, late_alone), items);
        }
        alone(sales | big | cents, positive);
        alone(sales | big | key_by<&sale::shop>() | window(session{3_s}) | aggregate(count()), visits);
        alone(sales | key_by<&sale::shop>() | window(tumbling{20_s}) | aggregate(count()), shops);

        for (bool const calmly : {true, false}) {
            recorder got_items;
            recorder got_positive;
            recorder got_visits;
            recorder got_late;
            recorder got_shops;
            memory_log<sale> log{of.partitions};
            using b1 = bound<name<"items">, recorder&>;
            using b2 = bound<name<"big">, recorder&>;
            using b3 = bound<name<"visits">, recorder&>;
            using b4 = bound<name<"late">, recorder&>;
            using forked_t = std::remove_const_t<decltype(forked)>;
            std::optional<job<stream, forked_t, memory_log<sale>&, b1, b2, b3, b4, recorder&>> running;
            auto const start = [&](int threads) {
                running.emplace(stream{.threads = threads}, forked, log, b1{got_items}, b2{got_positive},
                    b3{got_visits}, b4{got_late}, got_shops);
            };
            auto const append = [&](std::size_t i) { log.append(records[i].record, records[i].partition); };
            drive(running, start, append, records.size(), {.seed = calmly ? calm : seed});
            CHECK_SAME(got_items.lines, items.lines);
            CHECK_SAME(got_positive.lines, positive.lines);
            CHECK_SAME(got_visits.lines, visits.lines);
            CHECK_SAME(got_late.lines, late_alone.lines);
            CHECK_SAME(got_shops.lines, shops.lines);
        }
    });
}

TEST_CASE("fork within a branch, behind a share, and in one side of a diamond", "[op][fork]") {
    std::vector<sale> const log{{"a", 1, 5, event_time{1}}, {"b", 2, -5, event_time{2}}, {"a", 1, 7, event_time{3}}};
    auto const shared = from<sale>() | big | share("big"_name);
    auto const p = merge(shared | fork(branch("one"_name, cents, fork(branch("two"_name)))) | cents, shared | cents);
    std::string one;
    std::string two;
    auto to_one = to([&](std::int64_t n) { one += std::to_string(n) + ' '; });
    auto to_two = to([&](std::int64_t n) { two += std::to_string(n) + ' '; });
    auto const rows = run(batch{}, p, log, bind("one"_name, to_one), bind("two"_name, to_two));
    CHECK(one == "5 7 ");
    CHECK(two == "5 7 ");
    CHECK(rows.size() == 4);
}

TEST_CASE("fork says what its branches are, and their properties count", "[op][fork]") {
    constexpr auto p = sales
        | fork(branch("big"_name, big, key_by<&sale::item>(), window(tumbling{1_h}), per_item)) | cents;
    auto const text = explain(p);
    INFO(text);
    CHECK(text.find("fork output=\"big\"") != std::string::npos);
    CHECK(text.find("  output \"big\"") != std::string::npos);
    CHECK(text.find("  aggregate count, sum(cents)") != std::string::npos);
    static_assert(state_bound<decltype(p)> == state_class::windowed);
    static_assert(is_replayable<decltype(p)>);
    constexpr auto by_clock = sales
        | fork(branch("big"_name, key_by<&sale::item>(), window(tumbling{1_h}, after(1_s)), per_item));
    static_assert(!is_replayable<decltype(by_clock)>);
    constexpr auto unbounded =
        sales | fork(branch("all"_name, key_by<&sale::item>(), aggregate(count(), unbounded_state{})));
    static_assert(state_bound<decltype(unbounded)> == state_class::unbounded);
    // What a branch does is part of what snapshots are kept under.
    CHECK(fingerprint(p)
        != fingerprint(
            sales | fork(branch("big"_name, big, key_by<&sale::item>(), window(tumbling{2_h}), per_item)) | cents));
    CHECK(fingerprint(p) != fingerprint(sales | cents));
}
