// SPDX-License-Identifier: BSL-1.0
// expect: driftless: nothing is bound to the name of a side output
#include <driftless/op/expect.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    run(batch{}, from<int>() | expect("x"_name, [](int) { return true; }, divert_to{"bad"_name}), in);
}
