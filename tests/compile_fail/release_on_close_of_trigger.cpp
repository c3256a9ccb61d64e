// SPDX-License-Identifier: BSL-1.0
// expect: driftless: release_on_close needs windows that a record has by itself and that the watermark closes: write tumbling or sliding
#include <driftless/op/release_on_close.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, every(3)) | release_on_close();
}
