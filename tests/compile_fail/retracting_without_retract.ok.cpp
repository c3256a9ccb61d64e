// SPDX-License-Identifier: BSL-1.0
#include <driftless/driftless.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    auto const p = from<event<int>>() | window(tumbling{1_s}, every(2), retracting{}) | aggregate(count());
    run(batch{}, p, input, to([](auto const&) {}, [](auto const&, time_window) {}, [](auto const&) {}));
}
