// SPDX-License-Identifier: BSL-1.0
// expect: driftless: expect needs records, and its input yields changes: put expect before the aggregate
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count())
        | expect("all"_name, [](auto const&) { return true; });
}
