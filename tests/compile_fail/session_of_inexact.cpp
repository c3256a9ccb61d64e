// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate over sessions puts the states of sessions together that merge, and one of its functions is not exact: use count, sum of integers, min, max, distinct, exact ones of your own
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<double>>() | window(session{1_s}) | aggregate(sum()); }
