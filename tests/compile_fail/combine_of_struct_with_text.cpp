// SPDX-License-Identifier: BSL-1.0
// expect: driftless: combine keeps a value after the push, and text in a struct is borrowed
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
    [[maybe_unused]] auto state = combine([](order a, order) { return a; }).init(type_of<order>{});
}
