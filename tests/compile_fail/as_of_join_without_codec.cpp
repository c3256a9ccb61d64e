// SPDX-License-Identifier: BSL-1.0
// expect: driftless: join(..., as_of{}) keeps records until the table can tell, and these have no codec
#include <driftless/op/as_of_join.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
using namespace driftless::literals;
struct order {
    int sku;
};
constexpr auto orders = from<event<order>>("orders"_name) | key_by<&order::sku>();
constexpr auto prices = from<event<int>>("prices"_name) | key_by([](int i) { return i % 9; });
int main() { [[maybe_unused]] auto p = join(orders, prices | table(unbounded_state{}), as_of{}); }
