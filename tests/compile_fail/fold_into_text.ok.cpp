// SPDX-License-Identifier: BSL-1.0
#include <driftless/agg/fold.hpp>
#include <driftless/core/text.hpp>
#include <string>
using namespace driftless;
using namespace driftless::literals;
int main() {
    auto f = fold(std::string{}, [](std::string all, int) { return all; });
}
