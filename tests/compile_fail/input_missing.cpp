// SPDX-License-Identifier: BSL-1.0
// expect: driftless: an input of the pipeline is missing
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const&) { run(batch{}, from<int>()); }
