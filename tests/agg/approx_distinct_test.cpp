// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/approx_distinct.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(approx_distinct());
static_assert(class_of<function, int> == combine_class::exact && !can_remove<function, int>);
static_assert(!aggregate_function<function, long double>);
std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> out;
    for (; from < to; ++from) out.push_back(from * 7919);
    return out;
}
}  // namespace

TEST_CASE("approx_distinct is exact for few values", "[agg][approx_distinct]") {
    CHECK(run_over(approx_distinct(), std::vector<int>{}) == 0);
    CHECK(run_over(approx_distinct(), std::vector{1, 2, 1, 1}) == 2);
    CHECK(run_over(approx_distinct(), std::vector<text>{"a", "b", "", "a", "longer than any small string is"}) == 4);
    CHECK(run_over(approx_distinct(), std::vector{0.0, -0.0}) == 1);
    CHECK(run_over(approx_distinct(), numbers(0, 256)) == 256);
    CHECK(run_over(approx_distinct([](int v) { return v / 2; }), std::vector{0, 1, 2, 3}) == 2);
}
TEST_CASE("approx_distinct errs by its standard error, over the whole range", "[agg][approx_distinct]") {
    // 40 samples of each size: their root mean square is the standard error, give or take a quarter of it.
    for (std::int64_t const n : {257, 1000, 4096, 20'000, 200'000}) {
        double squares = 0;
        double sum = 0;
        int const samples = 40;
        for (int i = 0; i < samples; ++i) {
            auto const got = run_over(approx_distinct(), numbers(i * 1'000'000, i * 1'000'000 + n));
            double const error = static_cast<double>(got - n) / static_cast<double>(n);
            squares += error * error;
            sum += error;
        }
        INFO(n << ": " << std::sqrt(squares / samples) << ", bias " << sum / samples);
        CHECK(std::sqrt(squares / samples) < 1.04 / 64 * 1.3);
        CHECK(std::abs(sum / samples) < 1.04 / 64 / std::sqrt(samples) * 4);
    }
}
TEST_CASE("the state of approx_distinct depends on the values alone, to the byte", "[agg][approx_distinct]") {
    CHECK(testing::check_laws(approx_distinct(), numbers(0, 20)).sentence.empty());
    pack_of<function, std::int64_t> const pack{approx_distinct()};
    // On either side of where it becomes a sketch, and over it from parts that both are small.
    for (std::int64_t const cut : {1, 100, 255, 256, 257, 300, 400}) {
        auto first = state_over(approx_distinct(), numbers(0, cut));
        auto const second = state_over(approx_distinct(), numbers(cut - 1, 400));
        auto other = second;
        pack.combine(other, first);
        pack.combine(first, second);
        auto const whole = state_over(approx_distinct(), numbers(0, 400));
        CHECK(encode(first) == encode(whole));
        CHECK(encode(other) == encode(whole));
        CHECK(pack.lower(first) == pack.lower(whole));
    }
}
TEST_CASE("approx_distinct by parts in any order is that of the whole", "[agg][approx_distinct][property]") {
    property("approx_distinct", [](std::vector<std::uint16_t> const& in) {
        std::set<std::uint16_t> const all{in.begin(), in.end()};
        if (all.size() <= 256) RC_ASSERT(run_over(approx_distinct(), in) == static_cast<std::int64_t>(all.size()));
        RC_ASSERT(testing::check_laws(approx_distinct(), in).ok); }, 30);
}
