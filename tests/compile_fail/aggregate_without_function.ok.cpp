// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct order {
    text sku;
    int cents;
};
int main() { [[maybe_unused]] auto p = from<order>() | aggregate(sum<&order::cents>()); }
