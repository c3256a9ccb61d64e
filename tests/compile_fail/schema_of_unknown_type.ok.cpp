// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/schema.hpp>
#include <driftless/core/reflect.hpp>

#include <boost/hana/adapt_struct.hpp>

struct order {
    int sku;
};
BOOST_HANA_ADAPT_STRUCT(order, sku);
int main() { driftless::require_describable<order>(); }
