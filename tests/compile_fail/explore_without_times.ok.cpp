// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/testing/explore.hpp>
#include <vector>
using namespace driftless;
auto const steps = from<event_time>()
    | assign_time([](event_time t) { return t; });
auto const found = testing::explore(steps, std::vector<event_time>{event_time{1}});
