// SPDX-License-Identifier: BSL-1.0
// expect: driftless: tap needs a function of the record
#include <driftless/op/from.hpp>
#include <driftless/op/tap.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() {
    [[maybe_unused]] auto p = from<int>() | tap([](char const*) {});
}
