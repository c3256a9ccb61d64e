// SPDX-License-Identifier: BSL-1.0
// expect: driftless: join calls its function with f(left, row): L const& and R const&, or R const* with left_outer{}
#include <driftless/op/as_of_join.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto orders = from<event<int>>("orders"_name) | key_by([](int i) { return i % 9; });
constexpr auto prices = from<event<int>>("prices"_name) | key_by([](int i) { return i % 9; });
constexpr auto latest = prices | table(unbounded_state{});
constexpr auto pass = filter([](int i) { return i > 0; });
int main() {
    [[maybe_unused]] auto p = join(orders, latest, as_of{}, left_outer{}, [](int a, int b) { return a + b; });
}
