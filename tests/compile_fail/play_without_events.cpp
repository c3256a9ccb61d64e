// SPDX-License-Identifier: BSL-1.0
// expect: driftless: play needs a pipeline that begins with from<event<T>>()
#include <driftless/op/from.hpp>
#include <driftless/testing/script.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { auto out = testing::play(from<int>(), event{1, event_time{}}); }
