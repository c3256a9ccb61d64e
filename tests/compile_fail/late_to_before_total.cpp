// SPDX-License-Identifier: BSL-1.0
// expect: driftless: late_to stands before an aggregate that refuses nothing: put window(...) before it
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    auto late = to([](int) {});
    static_cast<void>(run(
        batch{}, from<event<int>>() | late_to("late"_name) | aggregate(count()), input, bind("late"_name, late)));
}
