// SPDX-License-Identifier: BSL-1.0
// expect: driftless: release_on_close keeps every record of window(global{}) until the input ends: name other windows, or say release_on_close(unbounded_state{})
#include <driftless/op/release_on_close.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
int main() { [[maybe_unused]] auto p = from<event<int>>() | window(global{}) | release_on_close(); }
