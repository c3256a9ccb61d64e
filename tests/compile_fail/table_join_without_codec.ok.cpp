// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table_join.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/table.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct order {
    int sku;
};
BOOST_HANA_ADAPT_STRUCT(order, sku);
constexpr auto by_rest = key_by([](int i) { return i % 9; });
constexpr auto latest = from<event<int>>("orders"_name) | by_rest | table(unbounded_state{});
constexpr auto prices = from<event<int>>("prices"_name) | by_rest | table(unbounded_state{});
int main() {
    [[maybe_unused]] auto p = join(latest | map([](int i) { return order{i}; }), prices);
}
