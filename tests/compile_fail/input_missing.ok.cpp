// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) { run(batch{}, from<int>(), in); }
