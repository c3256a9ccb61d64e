// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/expect.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    auto bad = to([](int) {});
    run(batch{},
        from<int>() | expect("x"_name, [](int) { return true; }, divert_to{"bad"_name}), in, bind("bad"_name, bad));
}
