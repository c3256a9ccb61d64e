// SPDX-License-Identifier: BSL-1.0
#include <driftless/driftless.hpp>
using namespace driftless;
using namespace driftless::literals;

int main() {
    memory_log<event<int>> input;
    auto const pipeline = from<event<int>>() | window(tumbling{1_min}, every_interval(5_s)) | aggregate(count());
    static_cast<void>(run(batch{}, pipeline, input));
}
