// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/timestamps.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto records = from<event<int>>() | window(tumbling{1_s}) | aggregate(count());
int main() { [[maybe_unused]] auto p = records | window(tumbling{1_h}, latest_timestamp{}) | aggregate(count()); }
