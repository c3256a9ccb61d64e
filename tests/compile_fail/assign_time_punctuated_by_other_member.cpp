// SPDX-License-Identifier: BSL-1.0
// expect: driftless: assign_time has a strategy that cannot read the record: punctuated needs a member or a function
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/time/punctuated.hpp>
using namespace driftless;
struct reading {
    event_time at;
    int value;
};
int main() { [[maybe_unused]] auto p = from<reading>() | assign_time<&reading::at>(punctuated<&reading::value>()); }
