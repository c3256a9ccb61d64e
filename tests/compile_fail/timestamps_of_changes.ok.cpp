// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/timestamps.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto hours = window(tumbling{1_h}, earliest_timestamp{});
int main() { [[maybe_unused]] auto p = from<event<int>>() | hours | aggregate(count()) | window(tumbling{1_min}); }
