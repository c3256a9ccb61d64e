// SPDX-License-Identifier: BSL-1.0
// expect: driftless: this job writes to a sink: its rows are there, not in results()
#include <driftless/op/from.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/stream.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    auto sink = to([](int) {});
    job follow{stream{}, from<int>(), in, sink};
    static_cast<void>(follow.results());
}
