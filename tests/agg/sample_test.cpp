// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/sample.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(sample(3));
static_assert(class_of<function, int> == combine_class::exact && !can_remove<function, int>);
std::vector<std::int32_t> numbers(std::int32_t n) {
    std::vector<std::int32_t> out;
    for (std::int32_t i = 0; i < n; ++i) out.push_back(i);
    return out;
}
}  // namespace

TEST_CASE("sample draws distinct values, the same ones for the same seed", "[agg][sample]") {
    auto const ten = run_over(sample(10, 7), numbers(1000));
    CHECK(std::set<std::int32_t>{ten.begin(), ten.end()}.size() == 10);
    auto turned = numbers(1000);
    std::reverse(turned.begin(), turned.end());
    for (auto const each : numbers(500)) turned.push_back(each);  // again
    CHECK(run_over(sample(10, 7), turned) == ten);
    CHECK(run_over(sample(10, 8), turned) != ten);
    CHECK(run_over(sample(10), numbers(4)).size() == 4);
    CHECK(run_over(sample(0), numbers(4)).empty());
    CHECK(run_over(sample([](int v) { return v % 3; }, 10), numbers(100)).size() == 3);
    CHECK(run_over(sample(1), std::vector<text>{"a text that is longer than small strings are"})
        == std::vector<std::string>{"a text that is longer than small strings are"});
}
TEST_CASE("each value has the same chance to be drawn", "[agg][sample]") {
    std::vector<int> drawn(100, 0);
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        for (auto const each : run_over(sample(5, seed), numbers(100))) ++drawn[static_cast<std::size_t>(each)];
    }
    // 100 times each, with a standard deviation of 9.7.
    double squares = 0;
    for (auto const n : drawn) squares += (n - 100.0) * (n - 100.0) / 95;
    INFO(squares);
    CHECK(squares < 150);  // chi squared with 99 degrees of freedom: 1 in 1000 is above 149
    CHECK(squares > 50);
}
TEST_CASE("sample keeps its laws", "[agg][sample][property]") {
    auto const holds = [](std::vector<std::uint8_t> const& in) {
        RC_ASSERT(testing::check_laws(sample(3), in).sentence.empty());
    };
    property("sample", holds, 60);
}
