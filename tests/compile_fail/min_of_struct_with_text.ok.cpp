// SPDX-License-Identifier: BSL-1.0
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
int main() { auto state = min<&order::sku>().init(type_of<order>{}); }
