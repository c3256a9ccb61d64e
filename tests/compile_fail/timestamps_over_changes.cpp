// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over changes has its rows at the end of their window
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/timestamps.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto changes = from<event<int>>() | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count());
int main() { [[maybe_unused]] auto p = changes | window(tumbling{1_h}, latest_timestamp{}) | aggregate(count()); }
