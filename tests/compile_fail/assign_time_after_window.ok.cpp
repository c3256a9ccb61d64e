// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<event<int>>() | assign_time(bounded_disorder{1_s}) | window(tumbling{1_s});
}
