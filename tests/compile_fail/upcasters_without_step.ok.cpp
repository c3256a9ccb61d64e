// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/evolution.hpp>

#include <boost/hana/adapt_struct.hpp>

struct order_1 {
    int cents = 0;
};
struct order_2 {
    double price = 0;
};
BOOST_HANA_ADAPT_STRUCT(order_1, cents);
BOOST_HANA_ADAPT_STRUCT(order_2, price);
constexpr auto history = driftless::upcasters<order_1, order_2>([](order_1 const&) { return order_2{}; });
