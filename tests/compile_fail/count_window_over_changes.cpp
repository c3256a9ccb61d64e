// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over window(count_window{n}) counts records, and its input yields changes
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/count_window.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto changes = from<event<int>>() | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count());
int main() { [[maybe_unused]] auto p = changes | window(count_window{3}) | aggregate(count()); }
