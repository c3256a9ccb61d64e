// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/tap.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
auto values(auto const& out) {
    std::vector<std::int64_t> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
constexpr auto look = [](int) {};
static_assert(operator_on<decltype(tap(look)), int> && !operator_on<decltype(tap(look)), std::string>);
static_assert(decltype(tap(look))::keeps_record);
}  // namespace

TEST_CASE("tap sees each record once, in order, and passes it on", "[op][tap][oracle]") {
    std::vector<int> seen;
    auto const pipe = from<int>() | tap([&seen](int n) {
        if (n == 13) throw std::runtime_error("unlucky");
        seen.push_back(n);
    });
    CHECK(values(run(batch{}, pipe, std::vector{3, 1, 2})) == std::vector<std::int64_t>{3, 1, 2});
    CHECK(seen == std::vector{3, 1, 2});
    CHECK(run(batch{}, pipe, std::vector<int>{}).empty());
    CHECK(seen.size() == 3);

    auto const skipped = run(batch{.on_error = on_error::skip}, pipe, std::vector{13, 4});
    CHECK(values(skipped) == std::vector<std::int64_t>{4});
    CHECK(skipped.report().failures == 1);
    CHECK_THROWS_AS(run(batch{}, pipe, std::vector{13, 4}), error);
}

TEST_CASE(
    "tap over changes sees what rows become, and one that throws does not tear rows apart", "[op][tap][changes]") {
    std::vector<std::int64_t> seen;
    auto const pipe = from<event<std::int64_t>>() | assign_time(bounded_disorder{}, as_declared)
        | window(tumbling{10_ns}, allowed_lateness{1000_ns}) | aggregate(sum())
        | tap([&seen](pane<unkeyed, std::int64_t> const& row) {
              seen.push_back(row.value);
              if (row.value == 13) throw std::runtime_error("unlucky");
          })
        | aggregate(sum([](pane<unkeyed, std::int64_t> const& row) { return row.value; }));
    // 4, fired by the record at 50 ns; then 13, at which tap throws, then 14.
    std::vector<event<std::int64_t>> const in{
        {4, event_time{1}}, {100, event_time{50}}, {9, event_time{2}}, {1, event_time{3}}};
    CHECK(values(run(batch{.on_error = on_error::skip}, pipe, in)) == std::vector<std::int64_t>{14, 100});
    CHECK(seen == std::vector<std::int64_t>{4, 13, 14, 100});
}

TEST_CASE("a batch shows tap the records of all partitions in one order, whatever stands behind it", "[op][tap]") {
    memory_log<event<int>> log{2};
    for (int i = 0; i < 5'000; ++i) log.append({i, event_time{} + i * 1_s}, static_cast<std::uint32_t>(i % 2));
    int seen = 0;
    bool in_order = true;
    auto const watch = [&](int each) { in_order = each == seen++ && in_order; };
    auto const pipe = from<event<int>>() | tap(watch) | window(tumbling{1_h}) | aggregate(count());
    static_cast<void>(run(batch{}, pipe, log));
    CHECK(seen == 5'000);
    CHECK(in_order);
}
