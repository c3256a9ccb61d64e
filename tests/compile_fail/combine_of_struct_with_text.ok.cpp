// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/combine.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <compare>
using namespace driftless;
struct order {
    text sku;
    int cents;
    friend auto operator<=>(order const&, order const&) = default;
};
BOOST_HANA_ADAPT_STRUCT(order, sku, cents);
int main() {
    [[maybe_unused]] auto state =
        combine([](order const& o) { return o.cents; }, [](int a, int b) { return a + b; }).init(type_of<order>{});
}
