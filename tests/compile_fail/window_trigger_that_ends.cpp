// SPDX-License-Identifier: BSL-1.0
// expect: driftless: window has a trigger that may fire for the last time while its window still takes records: write repeat(...) around it, or allow_data_loss{} behind it
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/time/trigger.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | window(tumbling{1_s}, first_of(every(2), at_watermark())); }
