// SPDX-License-Identifier: BSL-1.0
// expect: driftless: expect needs a predicate of the record
#include <driftless/op/expect.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | expect("small"_name, [](int) {});
}
