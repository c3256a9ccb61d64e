// SPDX-License-Identifier: BSL-1.0
#include <driftless/core/reflect.hpp>
#include <driftless/io/csv.hpp>
struct order {
    int sku;
};
BOOST_HANA_ADAPT_STRUCT(order, sku);
template class driftless::csv_reader<order>;
