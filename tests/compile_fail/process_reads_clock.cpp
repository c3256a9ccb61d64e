// SPDX-License-Identifier: BSL-1.0
// expect: driftless: process: this function reads the clock and does not say so: add `static constexpr bool reads_clock = true;`, which makes its pipeline not replayable
#include <driftless/run/batch.hpp>
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
        value_state<int, time_to_live<(1_h).ns()>> n;
    };
    void on_record(state&, order const&, auto& context) const { context.emit(context.clock().ns()); }
};
BOOST_HANA_ADAPT_STRUCT(watch::state, n);
int main() { run(batch{}, orders | process<std::int64_t>(watch{}), std::vector<event<order>>{}); }
