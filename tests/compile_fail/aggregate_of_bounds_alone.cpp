// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate needs at least one function, such as count()
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<int>() | aggregate(unbounded_state{}); }
