// SPDX-License-Identifier: BSL-1.0
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
constexpr auto counts = from<event<order>>() | key_by<&order::id>() | window(tumbling{1_h}) | aggregate(count());
int main() { [[maybe_unused]] auto p = counts | dedup(1_h); }
