// SPDX-License-Identifier: BSL-1.0
// expect: driftless: window needs windows: give it tumbling{1_min}
// at most 1 errors
#include <driftless/driftless.hpp>
using namespace driftless;
using namespace driftless::literals;

int main() {
    memory_log<event<int>> input;
    auto const pipeline = from<event<int>>() | window(1_min) | aggregate(count());
    static_cast<void>(run(batch{}, pipeline, input));
}
