// SPDX-License-Identifier: BSL-1.0
// expect: driftless: sorted_by_time needs records, and its input yields changes: put it before the aggregate
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto late = allowed_lateness{1_s};
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, late) | aggregate(count()) | sorted_by_time();
}
