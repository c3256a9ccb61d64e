// SPDX-License-Identifier: BSL-1.0
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
    void on_record(state&, order const& o, auto& context) const { context.emit(o.id); }
};
BOOST_HANA_ADAPT_STRUCT(watch::state, n);
int main() {
    [[maybe_unused]] auto p = from<order>() | key_by<&order::id>()
        | process<std::int64_t>(watch{}, unbounded_state{});
}
