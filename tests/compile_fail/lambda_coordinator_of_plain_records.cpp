// SPDX-License-Identifier: BSL-1.0
// expect: a lambda_view keeps a row per key and window
#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>

namespace {
struct sale {
    std::int64_t user, id;
    driftless::event_time at;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(sale, user, id, at);

int main() {
    using namespace driftless;
    using namespace driftless::literals;
    memory_log<sale> sales;
    auto const timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{5_min});
    lambda_coordinator both{"users", {}, timed, sales};
}
