// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | sorted_by_time(); }
