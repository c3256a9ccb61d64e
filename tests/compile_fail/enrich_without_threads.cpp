// SPDX-License-Identifier: BSL-1.0
// not precompiled
// expect: driftless: enrich calls on threads of its own: #include <driftless/run/call_pool.hpp>
#include <driftless/op/enrich.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/window.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
using namespace driftless;
using namespace driftless::literals;
struct order {
    std::int64_t id;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(order, id, cents);
struct plain {
    void* at;
};
constexpr auto rate = [](order const& o) { return o.cents * 2; };
int main() { [[maybe_unused]] auto p = from<event<order>>() | enrich(rate, concurrency{8}); }
