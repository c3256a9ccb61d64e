// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/variance.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(variance());
static_assert(class_of<function, int> == combine_class::exact && can_remove<function, int>);
static_assert(class_of<function, double> == combine_class::sequential && !can_remove<function, double>);
static_assert(!aggregate_function<function, bool>);

/// Two passes in long double, over the differences from the first value.
long double by_hand(std::vector<std::int64_t> const& of, bool sample) {
    long double mean = 0;
    for (auto const v : of) mean += static_cast<long double>(v) - static_cast<long double>(of[0]);
    mean /= static_cast<long double>(of.size());
    long double sum = 0;
    for (auto const v : of) {
        auto const away = static_cast<long double>(v) - static_cast<long double>(of[0]) - mean;
        sum += away * away;
    }
    return sum / static_cast<long double>(of.size() - (sample ? 1 : 0));
}
}  // namespace

TEST_CASE("variance of a sample and of a population", "[agg][variance]") {
    std::vector const some{2, 4, 4, 4, 5, 5, 7, 9};
    CHECK(run_over(population_variance(), some) == 4);
    CHECK(run_over(variance(), some) == 32.0 / 7);
    CHECK(run_over(variance([](int v) { return 2 * v; }), some) == 128.0 / 7);
    CHECK(run_over(variance(), std::vector{1.5, 2.5}) == 0.5);
    CHECK(run_over(population_variance(), std::vector{duration{1}, duration{3}}) == 1);
}
TEST_CASE("variance of too few values is NaN", "[agg][variance]") {
    CHECK(std::isnan(run_over(variance(), std::vector<int>{})));
    CHECK(std::isnan(run_over(variance(), std::vector{7})));
    CHECK(run_over(population_variance(), std::vector{7}) == 0);
    CHECK(std::isnan(run_over(variance(), std::vector<double>{3})));
    CHECK(std::isnan(run_over(population_variance(), std::vector<double>{})));
}
TEST_CASE("variance of integers does not cancel out, however large they are", "[agg][variance]") {
    constexpr std::int64_t big = std::numeric_limits<std::int64_t>::max();
    CHECK(run_over(variance(), std::vector{big, big - 1, big - 2}) == 1);
    CHECK(run_over(variance(), std::vector<std::int64_t>(1000, big)) == 0);
    double const wide = run_over(population_variance(), std::vector{big, std::numeric_limits<std::int64_t>::min()});
    CHECK(wide == 0x1p126);
    CHECK(run_over(variance(), std::vector<std::uint64_t>{~std::uint64_t{0}, ~std::uint64_t{0} - 2}) == 2);
}
TEST_CASE("variance keeps its laws", "[agg][variance]") {
    constexpr auto limits = std::numeric_limits<std::int64_t>{};
    std::vector<std::int64_t> const edges{0, 1, -1, limits.max(), limits.min(), 7, 7, limits.min()};
    CHECK(testing::check_laws(variance(), edges).sentence.empty());
    CHECK(testing::check_laws(population_variance(), std::vector{1.5, -0.0, 3.0}).sentence.empty());
}
TEST_CASE("variance agrees with a plain loop", "[agg][variance][property]") {
    property("variance", [](std::vector<std::int32_t> const& in) {
        RC_PRE(in.size() > 1);
        std::vector<std::int64_t> const wide{in.begin(), in.end()};
        std::vector<double> const floats{in.begin(), in.end()};
        auto const want = static_cast<double>(by_hand(wide, true));
        RC_ASSERT(std::abs(run_over(variance(), wide) - want) <= 1e-12 * want);
        RC_ASSERT(std::abs(run_over(variance(), floats) - want) <= 1e-9 * want);
        auto const all = static_cast<double>(by_hand(wide, false));
        RC_ASSERT(std::abs(run_over(population_variance(), in) - all) <= 1e-12 * all);
    });
}
