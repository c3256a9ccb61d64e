// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over changes takes old rows back, and one of its functions has no inverse
#include <driftless/agg/count.hpp>
#include <driftless/agg/first_last.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, allowed_lateness{1_s}) | aggregate(count())
        | aggregate(first([](auto const& row) { return row.value; }));
}
