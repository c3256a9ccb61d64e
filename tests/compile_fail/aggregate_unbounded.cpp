// SPDX-License-Identifier: BSL-1.0
// expect: driftless: aggregate keeps one state per key for ever here
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | key_by([](int n) { return n; }) | aggregate(count());
}
