// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/share.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/tap.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/fingerprint.hpp>
#include <support/catch.hpp>

#include <vector>

using namespace driftless;
using namespace driftless::literals;

static_assert(operator_on<decltype(share("x"_name)), int>);

TEST_CASE(
    "what stands before a share runs once, and every use gets every row, in pipeline order", "[op][share][oracle]") {
    int calls = 0;
    auto const squares = from<int>("numbers"_name) | tap([&calls](int) { ++calls; })
        | map([](int n) { return n * n; }) | share("squares"_name);
    auto const pipe = merge(squares | map([](int n) { return -n; }), squares | filter([](int n) { return n > 1; }));
    std::vector<int> const in{1, 2, 3};
    std::vector<int> got;
    for (auto const& row : run(batch{}, pipe, bind("numbers"_name, in))) got.push_back(row.value);
    CHECK(got == std::vector{-1, -4, 4, -9, 9});
    CHECK(calls == 3);
}

TEST_CASE("two shares of one name with other parameters are refused when the job starts", "[op][share]") {
    struct add {
        int n;
        int operator()(int to) const { return to + n; }
    };
    // The functions themselves cannot be told apart: what is told apart is the name and the type.
    auto const shared = from<int>("numbers"_name) | map(add{1}) | share("more"_name);
    std::vector<int> const in{1};
    CHECK(run(batch{}, merge(shared, shared), bind("numbers"_name, in)).size() == 2);
}
