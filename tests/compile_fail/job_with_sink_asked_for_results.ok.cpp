// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/stream.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    job follow{stream{}, from<int>(), in};
    static_cast<void>(follow.results());
}
