// SPDX-License-Identifier: BSL-1.0
// expect: driftless: this pipeline takes rows back (it yields changes)
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<event<int>> const& in) {
    auto sink = to([](pane<unkeyed, std::int64_t> const&) {});
    run(batch{}, from<event<int>>() | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count()), in, sink);
}
