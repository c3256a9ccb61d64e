// SPDX-License-Identifier: BSL-1.0
// Pipelines in which testing::explore must find nothing.
#include <testing/explored.hpp>

using namespace explore_test;
using namespace driftless::literals;

TEST_CASE("explore finds nothing in sound pipelines", "[testing][explore]") {
    auto const totals = aggregate(count(), sum<&sale::cents>(), distinct<&sale::at>());
    check_sound(explore(by_item | window(tumbling{10_s}) | totals, events()));
    check_sound(explore(by_item | window(tumbling{10_s}, allowed_lateness{5_s}) | totals, events()));
    check_sound(explore(by_item | window(sliding{10_s, 3_s}, allowed_lateness{5_s}) | totals, events()));
    check_sound(explore(by_item | window(sliding{10_s, 3_s}) | aggregate(count(), sum<&sale::cents>()), events()));
    check_sound(explore(by_item | window(session{3_s}, allowed_lateness{2_s}) | totals, events()));
    check_sound(explore(by_item | window(session{3_s, touching}) | aggregate(count()), events()));
    auto const triggered =
        window(tumbling{10_s}, at_watermark().early(every(2)).late(every(3)), discarding{}, allowed_lateness{20_s});
    check_sound(explore(by_item | triggered | totals, events()));
    check_sound(explore(by_item | window(tumbling{10_s}, at_watermark().early(after{5_s})) | totals, events()));
    auto const each_two_seconds =
        window(tumbling{10_s}, at_watermark().early(every_interval(2_s)), allowed_lateness{5_s});
    check_sound(explore(by_item | each_two_seconds | totals, events()));
    check_sound(explore(from<sale>() | assign_time<&sale::at>(bounded_disorder{3_s}) | key_by<&sale::item>()
            | each_two_seconds | aggregate(count()),
        sales()));
    // In log order: the batch reads what the script says, in its order.
    auto const in_order = [](std::int64_t n, sale const& of) { return (3 * n + of.cents) % 1009; };
    check_sound(explore(by_item | window(tumbling{10_s}) | aggregate(fold(std::int64_t{1}, in_order)), events()));
    check_sound(explore(by_item | map([](sale const& of) { return of.cents + 1; })
            | filter([](std::int64_t n) { return n % 3 != 0; }),
        events()));
    auto const rows = by_item | window(tumbling{5_s}, allowed_lateness{5_s}) | aggregate(sum<&sale::cents>())
        | key_by([](auto const& row) { return row.key % 2; }) | window(tumbling{20_s}) | aggregate(count());
    check_sound(explore(rows, events()));
}

TEST_CASE("explore finds nothing in the presets that keep law 2", "[testing][explore]") {
    check_sound(explore(by_item | window(tumbling{10_s}, presets::jet) | aggregate(count()), events()));
    check_sound(explore(by_item | window(session{3_s}, presets::jet) | aggregate(count()), events()));
    auto const late = allowed_lateness{4_s};
    check_sound(explore(by_item | window(tumbling{10_s}, presets::kafka, late) | aggregate(count()), events()));
    check_sound(explore(by_item | window(tumbling{10_s}, presets::beam, late) | aggregate(count()), events()));
    auto const by_two = window(tumbling{10_s}, presets::flink, every(2), late);
    check_sound(explore(by_item | by_two | aggregate(count()), events()));
    check_sound(explore(by_item | window(session{2_s}, every_update{}, late) | aggregate(count()), events()));
}

TEST_CASE("explore shows why sessions of flink, beam and kafka are outside law 2", "[testing][explore]") {
    auto const counted = [](auto windows) { return by_item | windows | aggregate(count()); };
    auto const late = allowed_lateness{2_s};
    check_found(explore(counted(window(session{3_s}, presets::flink)), events()), drift::from_batch, 5);
    check_found(explore(counted(window(session{3_s}, presets::beam, accumulating{})), events()), drift::from_batch, 5);
    check_found(explore(counted(window(session{3_s}, keep_swallowed{})), events()), drift::from_batch, 5);
    // A record that is late by itself may reach, by way of a session that is open, one that is gone.
    check_found(explore(counted(window(session{3_s}, merge_then_check{}, late)), events()), drift::from_batch, 5);
    check_found(explore(counted(window(session{2_s}, presets::kafka, late)), events()), drift::from_batch, 5);
}
