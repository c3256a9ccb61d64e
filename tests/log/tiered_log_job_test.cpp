// SPDX-License-Identifier: BSL-1.0
#include <driftless/driftless.hpp>
#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

// Jobs over logs in two tiers, and over logs that were compacted by key, answer as over the same records in memory.

using namespace driftless;
using namespace driftless::literals;
using log_conformance::reading;
using testing::memory_files;

namespace {
inline constexpr auto per_sensor = from<reading>() | assign_time<&reading::at>(bounded_disorder{10_ms})
    | filter([](reading const& one) { return one.good; }) | key_by<&reading::sensor>() | window(tumbling{1_s})
    | aggregate(count(), sum<&reading::value>());
/// In which order the records come.
inline constexpr auto as_they_come = from<reading>() | assign_time<&reading::at>(bounded_disorder{10_ms})
    | map([](reading const& one) { return one.value; });

template <class Results>
auto rows_of(Results const& results) {
    using row = std::remove_cvref_t<decltype(*results.begin())>;
    std::vector<std::tuple<decltype(row::key), std::int64_t, decltype(row::value)>> out;
    for (auto const& each : results) out.emplace_back(each.key, each.window.start.ns(), each.value);
    return out;
}
template <class Results>
std::vector<std::int64_t> values_of(Results const& results) {
    std::vector<std::int64_t> out;
    for (auto const& each : results) out.push_back(each.value);
    return out;
}
reading numbered(std::uint64_t i) { return log_conformance::make_record(static_cast<reading*>(nullptr), i); }
}  // namespace

TEST_CASE("a job over two tiers answers as over one, wherever the seam is", "[log][tiered][job]") {
    constexpr std::uint64_t count = 3'000;
    memory_log<reading> memory{2};
    memory_files plain_files;
    memory_files files;
    auto options = small_log::options_in(files);
    options.partitions = 2;
    auto plain_options = small_log::options_in(plain_files);
    plain_options.partitions = 2;
    file_log<reading, columns> plain{"log", plain_options};
    tiered_log<file_log<reading, columns>> log{"log", cold_folder{"cold", files}, {}, options};
    for (std::uint64_t i = 0; i < count; ++i) {
        auto const p = static_cast<std::uint32_t>(i / 7 % 2);
        memory.append(numbered(i), p);
        plain.append(numbered(i), p);
        log.append(numbered(i), p);
    }
    plain.sync();
    log.sync();
    auto const expected = rows_of(run(batch{}, per_sensor, memory));
    auto const order = values_of(run(batch{}, as_they_come, memory));
    REQUIRE(expected.size() > 15);
    REQUIRE(order.size() == count);
    CHECK(rows_of(run(batch{}, per_sensor, plain)) == expected);
    std::uint64_t seams = 0;
    for (std::uint64_t seam = 0; seam <= count; seam += 150) {
        auto const moved = log.move_before(0, seam / 2).segments
            + log.move_before(1, count / 2 < seam ? seam / 2 : 0).segments;
        if (moved == 0 && seam != 0) continue;
        ++seams;
        CHECK(rows_of(run(batch{}, per_sensor, log)) == expected);
        CHECK(rows_of(run(stream{.until = drained}, per_sensor, log)) == expected);
        CHECK(values_of(run(batch{}, as_they_come, log)) == order);
        CHECK(values_of(run(stream{.until = drained}, as_they_come, log)) == order);
    }
    CHECK(seams > 8);
    CHECK(log.hot_offset(0) > 1'000);
    CHECK(log.hot_offset(1) > 1'000);
}

TEST_CASE("a stream goes on from its snapshot while segments move under it", "[log][tiered][job]") {
    constexpr std::uint64_t count = 4'000;
    test::temporary_folder const folder;
    file_log_options options;
    options.segment_bytes = 8'000;
    options.block_bytes = 2'048;
    options.durable = every_batch;
    tiered_log<file_log<reading>> log{
        folder.path() + "/log", cold_folder{folder.path() + "/cold"}, {}, options};
    memory_log<reading> memory;
    std::vector<reading> all;
    for (std::uint64_t i = 0; i < count; ++i) all.push_back(numbered(i));
    memory.append(all);
    auto const expected = rows_of(run(batch{}, per_sensor, memory));
    std::vector<std::tuple<std::int32_t, std::int64_t, std::tuple<std::int64_t, std::int64_t>>> found;
    for (std::uint64_t i = 0; i < count; i += 500) {
        log.append(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(i + 500), 0);
        auto const part = run(stream{.snapshots = folder.path() + "/snapshots", .until = end_of_log}, per_sensor, log);
        for (auto const& each : part) found.emplace_back(each.key, each.window.start.ns(), each.value);
        log.move_before(0, i + (i % 1'000 == 0 ? 500 : 100));
    }
    auto const last = run(stream{.snapshots = folder.path() + "/snapshots", .until = drained}, per_sensor, log);
    for (auto const& each : last) found.emplace_back(each.key, each.window.start.ns(), each.value);
    CHECK(log.hot_offset() > count / 2);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(std::get<0>(found[i]) == std::get<0>(expected[i]));
        CHECK(std::get<1>(found[i]) == std::get<1>(expected[i]));
    }
}

TEMPLATE_TEST_CASE("a job over a compacted log answers as over what is left", "[log][compact][job]", rows, packed,
    columns) {
    memory_files files;
    auto options = small_log::options_in(files);
    options.partitions = 2;
    options.deltas = false;
    file_log<reading, TestType> log{"log", options};
    for (std::uint64_t i = 0; i < 3'000; ++i) log.append(numbered(i), static_cast<std::uint32_t>(i / 11 % 2));
    compact_by_key(log, [](reading const& each) { return each.value % 1'000; });
    for (std::uint64_t i = 3'000; i < 3'300; ++i) log.append(numbered(i), static_cast<std::uint32_t>(i / 11 % 2));
    compact_by_key(log, [](reading const& each) { return each.value % 900; });
    memory_log<reading> memory{2};
    std::vector<std::vector<std::uint64_t>> there(2);
    for (std::uint32_t p = 0; p < 2; ++p) {
        read_offsets(log, p, {0, log.end_offset(p)}, [&](partition_offset const& at, reading const& each) {
            there[p].push_back(at.offset);
            memory.append(each, p);
        });
        CHECK(there[p].size() < 1'200);
        CHECK(there[p].size() > 400);
        CHECK(there[p].back() + 1 == log.end_offset(p));
    }
    auto const expected = rows_of(run(batch{}, per_sensor, memory));
    auto const order = values_of(run(batch{}, as_they_come, memory));
    CHECK(expected.size() > 10);
    auto const as_batch = run(batch{}, per_sensor, log);
    CHECK(as_batch.report().records == order.size());
    CHECK(rows_of(as_batch) == expected);
    CHECK(rows_of(run(stream{.until = drained}, per_sensor, log)) == expected);
    CHECK(values_of(run(batch{}, as_they_come, log)) == order);
    CHECK(values_of(run(stream{.until = drained}, as_they_come, log)) == order);
}

TEST_CASE("a job that stopped where records were removed goes on with the next ones", "[log][compact][job]") {
    test::temporary_folder const folder;
    file_log_options options;
    options.segment_bytes = 2'000;
    options.block_bytes = 1'024;
    options.durable = every_batch;
    file_log<reading> log{folder.path() + "/log", options};
    auto const numbers = from<reading>() | assign_time<&reading::at>(bounded_disorder{10_ms})
        | map([](reading const& one) { return one.value; });
    std::vector<std::int64_t> seen;
    auto const go_on = [&](auto until) {
        for (auto const& each : run(stream{.snapshots = folder.path() + "/snapshots", .until = until}, numbers, log)) {
            seen.push_back(each.value);
        }
    };
    auto const at = [](std::uint64_t i) { return event_time::from_ms(static_cast<std::int64_t>(i)); };
    for (std::uint64_t i = 0; i < 100; ++i) log.append(reading{0, static_cast<std::int64_t>(i), at(i), true});
    go_on(end_of_log);
    REQUIRE(seen.size() == 100);
    for (std::uint64_t i = 100; i < 400; ++i) log.append(reading{0, static_cast<std::int64_t>(i), at(i), true});
    compact_by_key(log, [](reading const& each) { return each.sensor; });  // all have one key
    CHECK(log.read(0, 100).offset(0) > 200);
    go_on(drained);
    CHECK(seen.size() > 100);
    CHECK(seen.size() < 200);
    CHECK(seen[100] == static_cast<std::int64_t>(log.read(0, 100).offset(0)));
    CHECK(seen.back() == 399);
}

TEST_CASE("L-16: partitions are merged by the times at their heads, not by the greatest that was seen", "[log][job]") {
    // Kafka takes 1 and 5 of the first partition while the second one is empty, then 2 and 3. Here the second one is
    // known from the start, so that 2 and 4 come before 5: after 5 its successor 3 goes first, although 5 was seen.
    memory_files files;
    auto options = small_log::options_in(files);
    options.partitions = 2;
    tiered_log<file_log<reading>> log{"log", cold_folder{"cold", files}, {}, options};
    for (std::int64_t const t : {1, 5, 3}) log.append(reading{0, t, event_time{t}, true}, 0);
    log.flush();
    for (std::int64_t const t : {2, 4, 6}) log.append(reading{0, t, event_time{t}, true}, 1);
    log.sync();
    std::vector<std::int64_t> const expected{1, 2, 4, 5, 3, 6};
    CHECK(values_of(run(batch{}, as_they_come, log)) == expected);
    CHECK(values_of(run(stream{.until = drained}, as_they_come, log)) == expected);
}
