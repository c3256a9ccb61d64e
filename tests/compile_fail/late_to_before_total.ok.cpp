// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    auto late = to([](pane<unkeyed, int> const&) {});
    static_cast<void>(run(batch{},
        from<event<int>>() | window(tumbling{1_s}) | late_to("late"_name) | aggregate(count()), input,
        bind("late"_name, late)));
}
