// SPDX-License-Identifier: BSL-1.0
// expect: driftless: join takes one as_of{}, one kind, one allowed_lateness{d} or after_grace{d} and one function
#include <driftless/op/as_of_join.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
using namespace driftless;
using namespace driftless::literals;
constexpr auto orders = from<event<int>>("orders"_name) | key_by([](int i) { return i % 9; });
constexpr auto prices = from<event<int>>("prices"_name) | key_by([](int i) { return i % 9; });
constexpr auto latest = prices | table(unbounded_state{});
constexpr auto pass = filter([](int i) { return i > 0; });
int main() {
    [[maybe_unused]] auto p = join(orders, latest, as_of{}, allowed_lateness{1_s}, after_grace{1_s});
}
