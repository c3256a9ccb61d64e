// SPDX-License-Identifier: BSL-1.0
// expect: driftless: process needs records, and its input yields changes: put process before the aggregate
#include <driftless/op/process.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    text shop;
};
constexpr auto orders = from<event<order>>() | key_by<&order::id>();
struct watch {
    struct state {
        value_state<int> n;
    };
    void on_record(state&, auto const&, auto&) const {}
};
BOOST_HANA_ADAPT_STRUCT(watch::state, n);
int main() {
    [[maybe_unused]] auto p = orders | window(tumbling{1_h}, allowed_lateness{1_h}) | aggregate(count())
        | process<std::int64_t>(watch{});
}
