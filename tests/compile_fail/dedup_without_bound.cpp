// SPDX-License-Identifier: BSL-1.0
// expect: driftless: dedup remembers ids: say for how long, dedup<&T::id>(1_h), or dedup<&T::id>(max_keys{n}) or dedup<&T::id>(unbounded_state{})
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
int main() { dedup<&order::id>(); }
