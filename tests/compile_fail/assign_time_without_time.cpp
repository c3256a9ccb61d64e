// SPDX-License-Identifier: BSL-1.0
// expect: driftless: assign_time needs an event_time of the record
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    event_time at;
    int value;
};
int main() { [[maybe_unused]] auto p = from<reading>() | assign_time<&reading::value>(); }
