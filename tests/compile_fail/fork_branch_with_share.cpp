// SPDX-License-Identifier: BSL-1.0
// expect: driftless: fork has a branch with share(...) in it: put the share before the fork, where all can use it
#include <driftless/op/fork.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>

#include <cstdint>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
};
constexpr auto orders = from<event<order>>();
int main() { [[maybe_unused]] auto p = orders | fork(branch("all"_name, share("orders"_name))); }
