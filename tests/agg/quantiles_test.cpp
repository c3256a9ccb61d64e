// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/quantiles.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(quantiles(0.5));
using limits = std::numeric_limits<double>;
static_assert(class_of<function, double> == combine_class::exact && can_remove<function, double>);
static_assert(aggregate_function<function, int> && aggregate_function<function, duration>);
static_assert(!aggregate_function<function, bool>);

/// The value of rank ceil(q n), from 1.
double by_hand(std::vector<double> of, double q) {
    std::sort(of.begin(), of.end());
    auto const rank = std::ceil(q * static_cast<double>(of.size()));
    return of[static_cast<std::size_t>(std::clamp(rank, 1.0, static_cast<double>(of.size()))) - 1];
}
bool close(double got, double want) { return std::abs(got - want) <= std::abs(want) / 256; }
}  // namespace

TEST_CASE("quantiles are within 1/256 of the value of their rank", "[agg][quantiles]") {
    std::vector<int> hundred;
    for (int i = 1; i <= 100; ++i) hundred.push_back(i);
    auto const [least, middle, most] = run_over(quantiles(0.0, 0.5, 1.0), hundred);
    CHECK(close(least, 1));
    CHECK(close(middle, 50));
    CHECK(close(most, 100));
    CHECK(close(run_over(quantiles([](int v) { return -v; }, 0.25), hundred)[0], -76));
    CHECK(close(run_over(quantiles(0.5), std::vector{duration{1'000'000}, duration{3}})[0], 3));
}
TEST_CASE("quantiles of zeros, of NaN, of infinities and of nothing", "[agg][quantiles]") {
    CHECK(std::isnan(run_over(quantiles(0.5), std::vector<int>{})[0]));
    CHECK(run_over(quantiles(0.5), std::vector{0.0, -0.0, limits::denorm_min()})[0] == 0);
    auto const [low, high] = run_over(quantiles(0.3, 0.9), std::vector{-limits::infinity(), 1.0, limits::quiet_NaN()});
    CHECK(low == -limits::infinity());
    CHECK(std::isnan(high));
    CHECK(run_over(quantiles(1.0), std::vector{1.0, limits::infinity()})[0] == limits::infinity());
    CHECK(close(run_over(quantiles(1.0), std::vector{1.0, limits::max()})[0], limits::max()));
}
TEST_CASE("quantiles keep their laws", "[agg][quantiles]") {
    std::vector<double> const edges{0, -0.0, 1, 1, -1, 1e300, limits::quiet_NaN(), limits::infinity(), -3.5};
    CHECK(testing::check_laws(quantiles(0.5, 0.9), edges).sentence.empty());
}
TEST_CASE("quantiles agree with a sorted list, to their relative error", "[agg][quantiles][property]") {
    property("quantiles", [](std::vector<std::int32_t> const& in) {
        RC_PRE(!in.empty());
        std::vector<double> const floats{in.begin(), in.end()};
        auto const got = run_over(quantiles(0.0, 0.1, 0.5, 0.99, 1.0), in);
        std::array const asked{0.0, 0.1, 0.5, 0.99, 1.0};
        for (std::size_t i = 0; i < asked.size(); ++i) RC_ASSERT(close(got[i], by_hand(floats, asked[i])));
        RC_ASSERT(testing::check_laws(quantiles(0.5), in).ok); }, 60);
}
