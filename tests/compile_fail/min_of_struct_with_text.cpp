// SPDX-License-Identifier: BSL-1.0
// expect: driftless: min and max keep a value after the push, and text in a struct is borrowed
#include <driftless/agg/min_max.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <compare>
using namespace driftless;
struct order {
    text sku;
    int cents;
    friend auto operator<=>(order const&, order const&) = default;
};
BOOST_HANA_ADAPT_STRUCT(order, sku, cents);
int main() { auto state = min().init(type_of<order>{}); }
