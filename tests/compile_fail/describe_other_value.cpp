// SPDX-License-Identifier: BSL-1.0
// expect: driftless: describe(parameter) takes a duration, an event_time, an integer or a text
#include <driftless/run/plan.hpp>
#include <vector>
void f(std::vector<driftless::plan_parameter>& out) { driftless::detail::parameter_writer{out}("ratio", 0.5); }
