// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    int value;
};
BOOST_HANA_ADAPT_STRUCT(reading, value);
int main() { [[maybe_unused]] auto p = from<event<reading>>() | sorted_by_time(); }
