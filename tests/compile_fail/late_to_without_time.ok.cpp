// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/op/late_to.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | late_to("late"_name); }
