// SPDX-License-Identifier: BSL-1.0
// expect: driftless: fold keeps its state after the push, and text is borrowed
#include <driftless/agg/fold.hpp>
#include <driftless/core/text.hpp>
#include <string>
using namespace driftless;
using namespace driftless::literals;
int main() {
    auto f = fold(text{}, [](text, int) { return text{}; });
}
