// SPDX-License-Identifier: BSL-1.0
// expect: driftless: what stands behind the windows is no option of theirs: give window allowed_lateness{1_min}, a
// at most 1 errors
#include <driftless/driftless.hpp>
using namespace driftless;
using namespace driftless::literals;

int main() {
    memory_log<event<int>> input;
    auto const pipeline = from<event<int>>() | window(tumbling{1_min}, every(5_s)) | aggregate(count());
    static_cast<void>(run(batch{}, pipeline, input));
}
