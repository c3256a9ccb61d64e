// SPDX-License-Identifier: BSL-1.0
// expect: driftless: process saves the state of its function, and this one has no codec or borrows text: write BOOST_HANA_ADAPT_STRUCT(F::state, members...), with std::string in place of text
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
        text shop;
    };
    void on_record(state&, order const& o, auto& context) const { context.emit(o.id); }
};
BOOST_HANA_ADAPT_STRUCT(watch::state, shop);
int main() { [[maybe_unused]] auto p = orders | process<std::int64_t>(watch{}, unbounded_state{}); }
