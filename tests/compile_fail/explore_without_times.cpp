// SPDX-License-Identifier: BSL-1.0
// expect: driftless: explore has to know the event time of each record
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/testing/explore.hpp>
#include <vector>
using namespace driftless;
auto const steps = from<int>() | map([](int n) { return event_time{n}; })
    | assign_time([](event_time t) { return t; });
auto const found = testing::explore(steps, std::vector<int>{1, 2, 3});
