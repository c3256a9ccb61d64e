// SPDX-License-Identifier: BSL-1.0
// expect: driftless: map needs a function of the record that returns a value
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | map([](int) {});
}
