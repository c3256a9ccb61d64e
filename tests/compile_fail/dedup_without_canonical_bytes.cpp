// SPDX-License-Identifier: BSL-1.0
// expect: driftless: dedup needs an id with canonical bytes: an integer, an enum, a text or string, a time, a tuple or optional of such, or a struct adapted with BOOST_HANA_ADAPT_STRUCT
#include <driftless/op/dedup.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    double price;
};
BOOST_HANA_ADAPT_STRUCT(order, id, price);
struct plain {
    void* at;
};
int main() { [[maybe_unused]] auto p = from<plain>() | dedup(unbounded_state{}); }
