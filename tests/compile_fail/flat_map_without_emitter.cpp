// SPDX-License-Identifier: BSL-1.0
// expect: driftless: flat_map<U> needs a function of the record and an emitter
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | flat_map<int>([](int n) { return n; });
}
