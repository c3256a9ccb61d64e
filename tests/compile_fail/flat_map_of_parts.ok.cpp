// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/op/trigger.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, every(2)) | aggregate(count())
        | flat_map<int>([](auto const&, auto out) { out(1); });
}
