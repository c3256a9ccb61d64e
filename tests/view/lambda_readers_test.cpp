// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace lambda_readers_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    event_time at;
};
}  // namespace lambda_readers_test
BOOST_HANA_ADAPT_STRUCT(lambda_readers_test::sale, shop, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using lambda_readers_test::sale;
using testing::memory_files;

event_time fixed_clock() { return event_time{} + 1000_h; }

inline constexpr auto counts = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_min})
    | key_by<&sale::shop>() | window(tumbling{1_h}) | aggregate(count());

sale nth(std::int64_t i) { return {i % 7, event_time{} + (i - i % 4) * 1_min}; }
}  // namespace

TEST_CASE("readers on other threads are given one T and one frontier while T moves", "[view][lambda][threads]") {
    constexpr std::int64_t records = 3000;
    // What a stream has counted after each record, in windows that have fired.
    std::vector<std::int64_t> fired{0};
    {
        memory_log<sale> log;
        view<std::int64_t, std::int64_t> rows;
        job running{stream{}, counts, log, rows};
        std::uint64_t shown = 0;
        std::int64_t sum = 0;
        for (std::int64_t i = 0; i < records; ++i) {
            log.append(nth(i));
            running.poll(1);
            auto const now = rows.snapshot();
            if (now.size() != shown) {
                shown = now.size();
                sum = 0;
                now.for_each([&](auto const& row) { sum += row.value; });
            }
            fired.push_back(sum);
        }
    }
    memory_files files;
    memory_log<sale> log;
    lambda_coordinator both{"both",
        lambda_options{.records = 100, .chunk = 64, .logic_version = "1", .files = &files, .clock = &fixed_clock},
        counts, log};
    REQUIRE(both.run_batch());
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> looks{0};
    auto const read = [&] {
        std::uint64_t contract = 0;
        while (!done.load()) {
            auto const now = both.view().snapshot();
            std::int64_t told = 0;
            std::uint64_t rows = 0;
            now.for_each([&](auto const& row) {
                ++rows;
                if (now.at_contract() || row.layer != lambda_layer::open) told += row.value;
            });
            auto const expected = now.at_contract() ? static_cast<std::int64_t>(now.contract().records)
                                                    : fired[static_cast<std::size_t>(now.speed().epoch)];
            if (told != expected || now.contract().number < contract) wrong.fetch_add(1);
            contract = now.contract().number;
            auto const one = both.view().find(contract % 7, time_window{event_time{}, event_time{} + 1_h});
            if (one.contract().number < contract) wrong.fetch_add(1);
            static_cast<void>(both.report());
            looks.fetch_add(1);
        }
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) readers.emplace_back(read);
    for (std::int64_t i = 0; i < records;) {
        for (int n = 0; n < 5 && i < records; ++n) log.append(nth(i++));
        both.poll();
    }
    while (both.poll() != 0) {}
    while (looks.load() < 20) std::this_thread::yield();
    done = true;
    for (auto& each : readers) each.join();
    CHECK(wrong.load() == 0);
    CHECK(both.report().batches > 10);
    CHECK(both.report().overlap_disagreeing == 0);
    CHECK(both.report().overlap_rows > 100);
}
