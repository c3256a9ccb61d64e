// SPDX-License-Identifier: BSL-1.0
// expect: driftless: two shares have one name and are not the same pipeline
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/fingerprint.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    auto a = from<int>("a"_name);
    auto b = a | map([](int n) { return n; });
    run(batch{}, merge(a | share("x"_name), b | share("x"_name)), bind("a"_name, in));
}
