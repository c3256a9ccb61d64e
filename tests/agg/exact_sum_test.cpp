// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/exact_sum.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(exact_sum());
using limits = std::numeric_limits<double>;
static_assert(class_of<function, double> == combine_class::exact && can_remove<function, double>);
static_assert(aggregate_function<function, float> && !aggregate_function<function, int>);
static_assert(std::is_trivially_copyable_v<pack_of<function, double>::state>);
double sum(std::vector<double> const& of) { return run_over(exact_sum(), of); }

/// Shewchuk's way: a list of doubles that do not overlap, whose sum is exact; then one rounding, half to even.
double by_partials(std::vector<double> const& of) {
    std::vector<double> partials;
    for (double x : of) {
        std::size_t kept = 0;
        for (double y : partials) {
            if (std::abs(x) < std::abs(y)) std::swap(x, y);
            volatile double const high = x + y;
            volatile double const low = y - (high - x);
            if (low != 0) partials[kept++] = low;
            x = high;
        }
        partials.resize(kept);
        partials.push_back(x);
    }
    if (partials.empty()) return 0;
    auto n = partials.size();
    double high = partials[--n];
    double low = 0;
    while (n > 0) {
        double const x = high;
        double const y = partials[--n];
        high = x + y;
        low = y - (high - x);
        if (low != 0) break;
    }
    if (n > 0 && ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) {
        double const twice = low * 2;
        double const x = high + twice;
        if (twice == x - high) high = x;
    }
    return high;
}
}  // namespace

TEST_CASE("exact_sum rounds once", "[agg][exact_sum]") {
    CHECK(sum({}) == 0);
    CHECK(sum({1e100, 1, -1e100}) == 1);
    CHECK(sum({0.1, 0.2, 0.3, -0.1, -0.2, -0.3}) == 0);
    CHECK(sum(std::vector<double>(10, 0.1)) == 1);  // a plain loop says 0.99...9
    CHECK(sum({1, 0x1p-53}) == 1);                  // half way: to even
    CHECK(sum({1, 0x1p-53, 0x1p-1074}) == 1 + 0x1p-52);
    CHECK(sum({1, 0x1p-53, 0x1p-54}) == 1 + 0x1p-52);
    CHECK(sum({-1, -0x1p-53, -0x1p-1074}) == -1 - 0x1p-52);
    CHECK(sum({1 + 0x1p-52, 0x1p-53}) == 1 + 0x1p-51);  // half way, to even again
    CHECK(run_over(exact_sum(), std::vector{0.5f, 0.25f}) == 0.75);
}
TEST_CASE("exact_sum at the edges of doubles", "[agg][exact_sum]") {
    double const least = limits::denorm_min();
    CHECK(sum({least}) == least);
    CHECK(sum({-least, -least, least}) == -least);
    CHECK(sum({limits::min(), -least}) == std::nextafter(limits::min(), 0));
    CHECK(sum({limits::max(), limits::max(), -limits::max()}) == limits::max());  // a plain loop says inf
    CHECK(std::isinf(sum({limits::max(), limits::max()})));
    CHECK(sum({-limits::max(), -limits::max()}) == -limits::infinity());
    CHECK(sum({limits::infinity(), 1}) == limits::infinity());
    CHECK(std::isnan(sum({limits::infinity(), -limits::infinity()})));
    CHECK(std::isnan(sum({1, limits::quiet_NaN()})));
    CHECK(std::bit_cast<std::uint64_t>(sum({-0.0, 0.0})) == 0);
}
TEST_CASE("exact_sum carries in time", "[agg][exact_sum]") {
    std::vector<double> many(5000, 0x1.fffffffffffffp31);
    CHECK(sum(many) == 5000 * 0x1.fffffffffffffp31);
    for (auto& each : many) each = -each;
    CHECK(sum(many) == -5000 * 0x1.fffffffffffffp31);
}
TEST_CASE("exact_sum keeps its laws, whatever is taken back", "[agg][exact_sum]") {
    std::vector<double> const edges{1, -0.0, 0.1, limits::max(), -limits::max(), limits::denorm_min(),
        limits::infinity(),
        -1e-300, limits::quiet_NaN(), 1e300, -limits::infinity(), 0.1};
    CHECK(testing::check_laws(exact_sum(), edges).sentence.empty());
    pack_of<function, double> const pack{exact_sum()};
    auto state = state_over(exact_sum(), std::vector{limits::infinity(), 0.5, limits::quiet_NaN()});
    pack.remove(state, limits::infinity());
    pack.remove(state, limits::quiet_NaN());
    CHECK(pack.lower(state) == 0.5);
}
TEST_CASE("exact_sum agrees with partial sums that do not overlap, in any order", "[agg][exact_sum][property]") {
    std::mt19937_64 random{1};
    for (int round = 0; round < 300; ++round) {
        std::vector<double> in(random() % 60);
        int const span = round % 2 == 0 ? 1800 : 80;
        for (auto& each : in) {
            auto const exponent = static_cast<int>(random() % static_cast<unsigned>(span)) - span / 2;
            each = std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), exponent);
        }
        if (round % 3 == 0 && !in.empty()) in.push_back(-in[0]);
        double const want = by_partials(in);
        REQUIRE(sum(in) == want);
        std::shuffle(in.begin(), in.end(), random);
        REQUIRE(sum(in) == want);
    }
}
