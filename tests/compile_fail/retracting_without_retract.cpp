// SPDX-License-Identifier: BSL-1.0
// expect: driftless: this pipeline says retracting{}: give its sink a retract(pane), or write to(on_write, on_remove, on_retract)
#include <driftless/driftless.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    auto const p = from<event<int>>() | window(tumbling{1_s}, every(2), retracting{}) | aggregate(count());
    run(batch{}, p, input, to([](auto const&) {}, [](auto const&, time_window) {}));
}
