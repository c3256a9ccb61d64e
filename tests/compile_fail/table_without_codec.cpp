// SPDX-License-Identifier: BSL-1.0
// expect: driftless: table keeps records, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(T, members...)
#include <driftless/op/table.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
struct price {
    int sku;
    int cents;
};
int main() { [[maybe_unused]] auto p = from<event<price>>() | key_by<&price::sku>() | table(unbounded_state{}); }
