// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/codec.hpp>
#include <driftless/core/reflect.hpp>

#include <boost/hana/adapt_struct.hpp>

struct order {
    int sku;
};
BOOST_HANA_ADAPT_STRUCT(order, sku);
void put(driftless::byte_writer& out) { driftless::codec<order>::write(out, order{1}); }
