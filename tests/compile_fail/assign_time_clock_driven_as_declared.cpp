// SPDX-License-Identifier: BSL-1.0
// expect: driftless: assign_time cannot make a clock_driven watermark as_declared
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/time/clock_driven.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    event_time at;
    int value;
};
int main() {
    [[maybe_unused]] auto p = from<reading>() | assign_time<&reading::at>(clock_driven{5_s}, as_declared);
}
