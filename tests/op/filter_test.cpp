// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/filter.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

namespace {
struct is_even {
    bool operator()(int n) const {
        if (n == 13) throw std::runtime_error("unlucky");
        return n % 2 == 0;
    }
};
constexpr auto evens = from<int>() | filter(is_even{});
auto values(auto const& out) {
    std::vector<int> all;
    for (auto const& row : out) all.push_back(row.value);
    return all;
}
static_assert(operator_on<decltype(filter(is_even{})), int> && !operator_on<decltype(filter(is_even{})), std::string>);
}  // namespace

TEST_CASE("filter keeps what passes, in order", "[op][filter][oracle]") {
    std::mt19937 random{2};
    std::vector<int> in(200);
    std::vector<int> want;
    for (auto& n : in) {
        n = static_cast<int>(random() % 100) * 2 - 100 + static_cast<int>(random() % 2) * 101;
        if (n == 13) n = 15;
        if (n % 2 == 0) want.push_back(n);
    }
    CHECK(values(run(batch{}, evens, in)) == want);
    CHECK(run(batch{}, evens, std::vector<int>{1, 3}).empty());
}

TEST_CASE("a predicate that throws is subject to on_error: its record is left out", "[op][filter]") {
    std::vector<int> const in{2, 13, 4};
    auto const skipped = run(batch{.on_error = on_error::skip}, evens, in);
    CHECK(values(skipped) == std::vector{2, 4});
    CHECK(skipped.report().failures == 1);
    CHECK_THROWS_AS(run(batch{}, evens, in), error);
}

TEST_CASE("filter over changes turns a row that no longer passes into a delete, one that now passes into an insert",
    "[op][filter][changes]") {
    auto const pipe = from<event<int>>() | window(tumbling{10_s}, allowed_lateness{100_s}) | aggregate(sum())
        | filter([](pane<unkeyed, std::int64_t> const& row) { return row.value % 2 == 0; });
    auto const run = testing::play(pipe, event{1, at(1_s)}, testing::watermark(at(10_s)),  // 1: never seen
        event{1, at(2_s)},                                      // 2: an insert
        event{1, at(3_s)},                                      // 3: a delete
        event{2, at(3_s)},                                      // 5: still not seen
        event{3, at(4_s)});                                     // 8: an insert
    REQUIRE(run.panes.size() == 2);
    CHECK(run.panes[0].value == 2);
    CHECK(run.panes[1].value == 8);
    CHECK(run.removed.size() == 1);  // a delete only for a row that was emitted
}

TEST_CASE("watermarks pass filter also where every record is dropped", "[op][filter]") {
    auto const pipe = from<event<int>>() | filter([](int n) noexcept { return n > 0; }) | window(tumbling{10_s})
        | aggregate(count());
    auto const run = testing::play(pipe, event{1, at(1_s)}, event{-1, at(15_s)}, testing::watermark(at(10_s)));
    REQUIRE(run.panes.size() == 1);
    CHECK(run.panes[0].value == 1);
}
