// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
struct price {
    int sku;
    int cents;
};
BOOST_HANA_ADAPT_STRUCT(price, sku, cents);
int main() { [[maybe_unused]] auto p = from<event<price>>() | key_by<&price::sku>() | table(unbounded_state{}); }
