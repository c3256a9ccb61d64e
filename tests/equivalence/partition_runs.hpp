// SPDX-License-Identifier: BSL-1.0
// What tests of threads that read partitions share: records, two pipelines, and all that a run tells.
#ifndef DRIFTLESS_TESTS_EQUIVALENCE_PARTITION_RUNS_HPP
#define DRIFTLESS_TESTS_EQUIVALENCE_PARTITION_RUNS_HPP
#include <driftless/agg.hpp>
#include <driftless/log/partitioner.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace equivalence {
using lines = std::vector<std::string>;

inline constexpr auto timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_s});
inline constexpr auto by_item = timed | filter([](sale const& s) noexcept { return s.cents % 7 != 0; })
    | key_by<&sale::item>() | window(tumbling{10_s})
    | aggregate(count(), sum<&sale::cents>(), min<&sale::cents>());
inline constexpr auto by_shop = timed | key_by<&sale::shop>() | window(tumbling{20_s})
    | aggregate(count(), sum<&sale::cents>(), max<&sale::shop>(), distinct<&sale::item>());

/// As the rows came.
inline auto sink_into(lines& out) {
    return to([&out](auto const& row) {
        std::string bytes;
        byte_writer w{bytes};
        w.write(row.key).write(row.window).write(row.value);
        out.push_back(std::move(bytes));
    });
}

struct told {
    lines rows;
    lines snapshots;  // one behind each poll
    report books;
};
inline void check_same(told const& got, told const& expected) {
    CHECK(got.rows.size() == expected.rows.size());
    CHECK((got.rows == expected.rows));
    CHECK((got.snapshots == expected.snapshots));
    CHECK(got.books.records == expected.books.records);
    CHECK(got.books.failures == expected.books.failures);
    CHECK((got.books.stages == expected.books.stages));
}

inline std::vector<placed> many_records(
    std::uint64_t seed, std::uint32_t partitions, std::size_t count, std::size_t keys, bool partitioned) {
    dice random{seed};
    auto made = random_records(random,
        {.records = count,
            .partitions = partitions,
            .disorder = 8_s,
            .shops = keys < 900 ? keys : 900,
            .items = keys,
            .step_ms = 40,
            .edges = 300});
    if (partitioned) {
        for (auto& each : made) each.partition = partition_of(each.record.item, partitions);
    }
    return made;
}
}  // namespace equivalence
#endif
