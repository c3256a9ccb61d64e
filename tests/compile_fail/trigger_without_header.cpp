// SPDX-License-Identifier: BSL-1.0
// not precompiled
// expect: driftless: triggers and pane options need their header: #include <driftless/op/trigger.hpp> (or <driftless/driftless.hpp>)
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <vector>
using namespace driftless;
using namespace driftless::literals;
int main() {
    std::vector<event<int>> const input;
    static_cast<void>(run(batch{}, from<event<int>>() | window(tumbling{1_s}, every(2)) | aggregate(count()), input));
}
