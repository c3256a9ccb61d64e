// SPDX-License-Identifier: BSL-1.0
// expect: driftless: an input does not hold the record of its from<T>
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<long> const& in) { run(batch{}, from<int>(), in); }
