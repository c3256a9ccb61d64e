// SPDX-License-Identifier: BSL-1.0
// expect: driftless: two inputs have one name and not the same record type
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
using namespace driftless;
using namespace driftless::literals;
void f(std::vector<int> const& in) {
    run(batch{}, merge(from<int>("a"_name), from<long>("a"_name) | map([](long) { return 1; })), bind("a"_name, in));
}
