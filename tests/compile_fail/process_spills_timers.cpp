// SPDX-License-Identifier: BSL-1.0
// expect: driftless: process keeps windows, timers and times to live in memory: leave spill_to(...) out here, or keep them out of the function that spills
#include <driftless/op/process.hpp>

#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/state/spill.hpp>
#include <driftless/testing/memory_cold_store.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    text shop;
};
struct watch {
    struct state {
        value_state<int, time_to_live<(1_h).ns()>> n;
    };
    void on_record(state&, order const& o, auto& context) const { context.emit(o.id); }
};
BOOST_HANA_ADAPT_STRUCT(watch::state, n);
int main() {
    testing::memory_cold_store store;
    [[maybe_unused]] auto p = from<event<order>>() | key_by<&order::id>()
        | process<std::int64_t>(watch{}, unbounded_state{}, spill_to{store, 100});
}
