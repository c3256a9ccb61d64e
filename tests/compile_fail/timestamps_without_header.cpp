// SPDX-License-Identifier: BSL-1.0
// expect: driftless: earliest_timestamp{} and latest_timestamp{} need their header: #include <driftless/op/timestamps.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <vector>
using namespace driftless;
using namespace driftless::literals;
constexpr auto hours = window(tumbling{1_h}, earliest_timestamp{});
int main() {
    std::vector<event<int>> const input;
    static_cast<void>(run(batch{}, from<event<int>>() | hours | aggregate(count()), input));
}
