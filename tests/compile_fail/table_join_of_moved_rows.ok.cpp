// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table_join.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto by_rest = key_by([](int i) { return i % 9; });
constexpr auto orders = from<event<int>>("orders"_name) | by_rest;
constexpr auto latest = orders | table(unbounded_state{});
constexpr auto prices = from<event<int>>("prices"_name) | by_rest | table(unbounded_state{});
int main() {
    [[maybe_unused]] auto p =
        join(latest | key_by([](int i) { return i % 2; }) | aggregate(count(), unbounded_state{}), prices);
}
