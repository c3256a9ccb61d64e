// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/run/batch.hpp>

#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    static_cast<void>(run(batch{}, from<event<int>>() | window(tumbling{1_s}, every(2)) | aggregate(count()), input));
}
