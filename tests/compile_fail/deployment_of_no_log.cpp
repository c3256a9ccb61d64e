// SPDX-License-Identifier: BSL-1.0
// expect: a deployment replays logs
// expect: a deployment borrows its logs
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/view/deployment.hpp>

#include <cstdint>
#include <vector>

namespace {
struct sale {
    std::int64_t user, cents;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(sale, user, cents);

int main() {
    using namespace driftless;
    auto const per_user =
        from<sale>() | key_by<&sale::user>() | aggregate(sum<&sale::cents>(), unbounded_state{});
    deployment<std::int64_t, std::int64_t> shop{"shop"};
    std::vector<sale> const sales;
    shop.define("v1", per_user, sales);
    shop.define("v2", per_user, memory_log<sale>{});
}
