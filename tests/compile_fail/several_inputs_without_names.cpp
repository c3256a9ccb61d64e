// SPDX-License-Identifier: BSL-1.0
// expect: driftless: a pipeline with several inputs names them
#include <driftless/op/from.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) { run(batch{}, merge(from<int>(), from<int>()), in, in); }
