// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | filter([](int) { return true; });
}
