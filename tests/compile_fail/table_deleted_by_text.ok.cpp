// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct price {
    int sku;
    int cents;
};
BOOST_HANA_ADAPT_STRUCT(price, sku, cents);
constexpr auto prices = from<event<price>>() | key_by<&price::sku>();
int main() {
    [[maybe_unused]] auto p = prices | table(unbounded_state{}, deleted_if([](price const&) { return true; }));
}
