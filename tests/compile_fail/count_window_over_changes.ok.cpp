// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/count_window.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto records = from<event<int>>() | window(tumbling{1_s}) | aggregate(count());
int main() { [[maybe_unused]] auto p = records | window(count_window{3}) | aggregate(count()); }
