// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | flat_map<int>([](int n, auto out) { out(n); });
}
