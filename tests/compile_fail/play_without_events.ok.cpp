// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/testing/script.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { auto out = testing::play(from<event<int>>(), event{1, event_time{}}); }
