// SPDX-License-Identifier: BSL-1.0
// expect: driftless: merge needs streams of one type
#include <driftless/op/from.hpp>
#include <driftless/op/merge.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = merge(from<int>("a"_name), from<long>("b"_name)); }
