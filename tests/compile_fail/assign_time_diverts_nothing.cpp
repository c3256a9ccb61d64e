// SPDX-License-Identifier: BSL-1.0
// expect: driftless: assign_time has nothing to divert: beside divert_to{...} give it at_most_ahead{...}
#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    event_time at;
};
int main() {
    [[maybe_unused]] auto p = from<reading>() | assign_time<&reading::at>(monotone{}, divert_to{"insane"_name});
}
