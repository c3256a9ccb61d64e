// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/testing/explore.hpp>
#include <boost/hana/adapt_struct.hpp>
#include <vector>
using namespace driftless;
struct half {
    int n;
};
BOOST_HANA_ADAPT_STRUCT(half, n);
auto const steps = from<event<int>>() | map([](int n) { return half{n / 2}; });
auto const found = testing::explore(steps, std::vector{event{1, event_time{1}}});
