// SPDX-License-Identifier: BSL-1.0
// expect: driftless: suppress(final_results{}) waits for the end of windows: put it behind an aggregate
#include <driftless/op/suppress.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto numbers = from<event<int>>() | key_by([](int i) { return i % 9; });
constexpr auto latest = numbers | table(unbounded_state{});
constexpr auto grace = allowed_lateness{1_s};
int main() {
    [[maybe_unused]] auto p = latest | suppress(final_results{});
}
