// SPDX-License-Identifier: BSL-1.0
// expect: driftless: filter needs a predicate of the record
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | filter([](char const*) { return true; });
}
