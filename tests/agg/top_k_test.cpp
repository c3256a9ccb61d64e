// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/top_k.hpp>

#include <driftless/testing/check_laws.hpp>
#include <agg/run_over.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace agg_tests;

namespace {
using function = decltype(top_k(3));
using retractable = function::over_changes<int>;
static_assert(class_of<function, int> == combine_class::exact && !can_remove<function, int>);
static_assert(can_remove<retractable, int>);
static_assert(can_remove<decltype(min())::over_changes<int>, int>);
}  // namespace

TEST_CASE("top_k keeps the greatest, equal ones as often as they come", "[agg][top_k]") {
    CHECK(run_over(top_k(3), std::vector{1, 5, 2, 5, 4}) == std::vector{5, 5, 4});
    CHECK(run_over(top_k(9), std::vector{1, 2}) == std::vector{2, 1});
    CHECK(run_over(top_k(0), std::vector{1, 2}).empty());
    CHECK(run_over(top_k([](int v) { return -v; }, 1), std::vector{1, 2}) == std::vector{-1});
    CHECK(run_over(top_k(2), std::vector<text>{"a", "a long text that no small string can hold", "b"})
        == std::vector<std::string>{"b", "a long text that no small string can hold"});
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(run_over(top_k(2), std::vector{nan, 1.0, nan, -1.0}) == std::vector{1.0, -1.0});
}
TEST_CASE("top_k, min and max over rows that may be taken back", "[agg][top_k][min_max]") {
    retractable const three{top_k(3)};
    pack_of<retractable, int> const pack{three};
    auto state = state_over(three, std::vector{1, 5, 2, 5, 4});
    pack.remove(state, 5);
    CHECK(pack.lower(state) == std::vector{5, 4, 2});
    pack.remove(state, 5);
    pack.remove(state, 4);
    CHECK(pack.lower(state) == std::vector{2, 1});
    CHECK_THROWS_AS(pack.remove(state, 5), error);

    using least = decltype(min())::over_changes<int>;
    least const function{min()};
    pack_of<least, int> const of_min{function};
    auto mins = state_over(function, std::vector{3, 1, 2, 1});
    of_min.remove(mins, 1);
    CHECK(of_min.lower(mins) == 1);
    of_min.remove(mins, 1);
    CHECK(of_min.lower(mins) == 2);
}
TEST_CASE("top_k, min and max keep their laws", "[agg][top_k][min_max][property]") {
    property("top_k", [](std::vector<std::int8_t> const& in) {
        auto want = in;
        std::sort(want.begin(), want.end(), std::greater{});
        want.resize(std::min<std::size_t>(want.size(), 3));
        using number = std::int8_t;
        RC_ASSERT(run_over(top_k(3), in) == want);
        RC_ASSERT(run_over(function::over_changes<number>{top_k(3)}, in) == want);
        RC_ASSERT(testing::check_laws(top_k(3), in).sentence.empty());
        RC_ASSERT(testing::check_laws(function::over_changes<number>{top_k(3)}, in).sentence.empty());
        RC_ASSERT(testing::check_laws(decltype(max())::over_changes<number>{max()}, in).sentence.empty()); }, 60);
    double const nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> const edges{0.0, -0.0, nan, 1, -std::numeric_limits<double>::infinity(), nan};
    CHECK(testing::check_laws(top_k(2), edges).sentence.empty());
    CHECK(testing::check_laws(decltype(min())::over_changes<double>{min()}, edges).sentence.empty());
}
