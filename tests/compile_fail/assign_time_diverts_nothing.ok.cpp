// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
struct reading {
    event_time at;
};
int main() {
    [[maybe_unused]] auto p =
        from<reading>() | assign_time<&reading::at>(monotone{}, at_most_ahead{1_h}, divert_to{"insane"_name});
}
