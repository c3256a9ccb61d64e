// SPDX-License-Identifier: BSL-1.0
// expect: driftless: late_to needs records that can be refused
#include <driftless/op/from.hpp>
#include <driftless/op/late_to.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<int>() | late_to("late"_name); }
