// SPDX-License-Identifier: BSL-1.0
// expect: driftless: assign_time has a guard that cannot read the record: at_most_ahead_of needs a member or a function
#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    event_time at;
    int value;
};
int main() {
    [[maybe_unused]] auto p =
        from<reading>() | assign_time<&reading::at>(monotone{}, at_most_ahead_of<&reading::value>(1_h));
}
