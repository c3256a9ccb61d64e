// SPDX-License-Identifier: BSL-1.0
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
int main() { [[maybe_unused]] auto b = branch("all"_name, key_by<&order::id>()); }
