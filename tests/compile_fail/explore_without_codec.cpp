// SPDX-License-Identifier: BSL-1.0
// expect: driftless: explore compares rows by their encoding, and the value of this pipeline has no codec
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/testing/explore.hpp>
#include <vector>
using namespace driftless;
struct half {
    half() = default;
    explicit half(int n) : n_(n / 2) {}

private:
    int n_ = 0;
};
auto const steps = from<event<int>>() | map([](int n) { return half{n}; });
auto const found = testing::explore(steps, std::vector{event{1, event_time{1}}});
