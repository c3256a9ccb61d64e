// SPDX-License-Identifier: BSL-1.0
#include "joins.hpp"

#include "answers.hpp"

namespace tpch {
namespace {
using support::decimal;

answer answer_q3(runner const& run) {
    answer out{"l_orderkey,revenue,o_orderdate,o_shippriority"};
    for (auto const& [key, window, o, info] : run(q3, run.lineitems(), run.orders(), run.customers())) {
        out.add(o.order, decimal(o.revenue, 4), o.order_date, o.ship_priority);
    }
    return out;
}
answer answer_q4(runner const& run) {
    answer out{"o_orderpriority,order_count"};
    for (auto const& [priority, window, count, info] : run(q4, run.orders(), run.lineitems())) out.add(priority, count);
    return out;
}
answer answer_q5(runner const& run) {
    answer out{"n_name,revenue"};
    for (auto const& [nation, window, revenue, info] : run(q5, run.lineitems(), run.orders(), run.customers(),
             run.suppliers(), run.nations(), run.regions())) {
        out.add(nation, decimal(revenue, 4));
    }
    return out;
}
answer answer_q10(runner const& run) {
    answer out{"c_custkey,c_name,revenue,c_acctbal,n_name,c_phone"};
    for (auto const& [key, window, c, info] :
        run(q10, run.customers(), run.nations(), run.lineitems(), run.orders())) {
        out.add(c.customer, c.name, decimal(c.revenue, 4), support::quotient(c.acctbal_c, 100), c.nation, c.phone);
    }
    return out;
}
answer answer_q13(runner const& run) {
    answer out{"c_count,custdist"};
    for (auto const& [placed, window, count, info] : run(q13, run.customers(), run.orders())) out.add(placed, count);
    return out;
}
constexpr query all[] = {{"q3", answer_q3, loops::q3}, {"q4", answer_q4, loops::q4}, {"q5", answer_q5, loops::q5},
    {"q10", answer_q10, loops::q10}, {"q13", answer_q13, loops::q13}};
}  // namespace

std::span<query const> joins() { return all; }
}  // namespace tpch
