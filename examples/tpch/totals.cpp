// SPDX-License-Identifier: BSL-1.0
#include "totals.hpp"

#include "answers.hpp"

namespace tpch {
namespace {
using support::average;
using support::decimal;

answer answer_q1(runner const& run) {
    answer out{
        "l_returnflag,l_linestatus,sum_qty,sum_base_price,sum_disc_price,sum_charge,avg_qty,avg_price,avg_disc,"
        "count_order"};
    for (auto const& [key, window, of, info] : run(q1, run.lineitems())) {
        auto const& [flag, status] = key;
        out.add(flag, status, of.quantity, decimal(of.base_price_c, 2), decimal(of.disc_price, 4),
            decimal(of.charge, 6), average(of.quantity, of.count, 4), average(of.base_price_c, 100 * of.count, 4),
            average(of.discount_pct, 100 * of.count, 4), of.count);
    }
    return out;
}
answer answer_q6(runner const& run) {
    answer out{"revenue"};
    for (auto const& [key, window, revenue, info] : run(q6, run.lineitems())) out.add(decimal(revenue, 4));
    if (out.size() == 0) out.add("");  // the sum of no rows is null
    return out;
}
answer answer_q12(runner const& run) {
    answer out{"l_shipmode,high_line_count,low_line_count"};
    for (auto const& [mode, window, of, info] : run(q12, run.lineitems(), run.orders())) {
        out.add(mode, of.high, of.low);
    }
    return out;
}
answer answer_q14(runner const& run) {
    answer out{"promo_revenue"};
    for (auto const& [key, window, of, info] : run(q14, run.lineitems(), run.parts())) {
        if (of.all != 0) out.add(average(100 * of.promo, of.all, 16));
    }
    if (out.size() == 0) out.add("");
    return out;
}
constexpr query all[] = {{"q1", answer_q1, loops::q1}, {"q6", answer_q6, loops::q6}, {"q12", answer_q12, loops::q12},
    {"q14", answer_q14, loops::q14}};
}  // namespace

std::span<query const> totals() { return all; }
}  // namespace tpch
