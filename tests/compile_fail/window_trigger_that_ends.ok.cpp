// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/trigger.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, repeat(first_of(every(2), at_watermark())));
    [[maybe_unused]] auto q = from<event<int>>() | window(tumbling{1_s}, once(at_watermark()), allow_data_loss{});
}
