// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/foreign_key_join.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto by_rest = key_by([](int i) { return i % 9; });
constexpr auto orders = from<event<int>>("orders"_name) | by_rest;
constexpr auto latest = orders | table(unbounded_state{});
constexpr auto prices = from<event<int>>("prices"_name) | by_rest | table(unbounded_state{});
constexpr auto refers = foreign_key([](int i) { return i / 9; });
int main() {
    [[maybe_unused]] auto p = join(latest, prices, refers);
}
