// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/plan.hpp>
#include <vector>
void f(std::vector<driftless::plan_parameter>& out) { driftless::detail::parameter_writer{out}("ratio", 5); }
