// SPDX-License-Identifier: BSL-1.0
// The answers by plain loops over the rows.
#include "answers.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace tpch::loops {
namespace {
using support::average;
using support::decimal;
using number = std::int64_t;

/// The rows of a table by one member.
template <auto Member, class Row>
std::map<number, Row> by(rows<Row> const& table) {
    std::map<number, Row> out;
    for (auto const& row : table.all()) out[row.*Member] = row;
    return out;
}
number paid(lineitem const& l) { return l.l_extendedprice_c * (100 - l.l_discount_pct); }

/// Of rows whose measure is last and negative, the first n.
template <class Row>
std::vector<Row> first(std::vector<Row> all, std::size_t n) {
    std::sort(all.begin(), all.end());
    if (all.size() > n) all.resize(n);
    return all;
}
}  // namespace

answer q1(database const& of) {
    std::map<std::pair<std::string, std::string>, std::array<number, 6>> groups;
    for (auto const& l : of.lineitems.all()) {
        if (l.l_shipdate > "1998-09-21") continue;
        auto& [quantity, price, discounted, charge, discount, count] =
            groups[{l.l_returnflag.str(), l.l_linestatus.str()}];
        quantity += l.l_quantity;
        price += l.l_extendedprice_c;
        discounted += paid(l);
        charge += paid(l) * (100 + l.l_tax_pct);
        discount += l.l_discount_pct;
        ++count;
    }
    answer out{
        "l_returnflag,l_linestatus,sum_qty,sum_base_price,sum_disc_price,sum_charge,avg_qty,avg_price,avg_disc,"
        "count_order"};
    for (auto const& [key, sums] : groups) {
        auto const& [quantity, price, discounted, charge, discount, count] = sums;
        out.add(key.first, key.second, quantity, decimal(price, 2), decimal(discounted, 4), decimal(charge, 6),
            average(quantity, count, 4), average(price, 100 * count, 4), average(discount, 100 * count, 4), count);
    }
    return out;
}
answer q3(database const& of) {
    std::map<number, number> revenue;
    for (auto const& l : of.lineitems.all()) {
        if (l.l_shipdate > "1995-03-29") revenue[l.l_orderkey] += paid(l);
    }
    auto const customers = by<&customer::c_custkey>(of.customers);
    std::vector<std::tuple<number, std::string, number, number>> found;
    for (auto const& o : of.orders.all()) {
        auto const buyer = customers.find(o.o_custkey);
        auto const sum = revenue.find(o.o_orderkey);
        if (sum == revenue.end() || buyer == customers.end() || buyer->second.c_mktsegment != "FURNITURE") continue;
        if (o.o_orderdate < "1995-03-29") {
            found.emplace_back(-sum->second, o.o_orderdate.str(), o.o_orderkey, o.o_shippriority);
        }
    }
    answer out{"l_orderkey,revenue,o_orderdate,o_shippriority"};
    for (auto const& [less, date, key, priority] : first(found, 10)) out.add(key, decimal(-less, 4), date, priority);
    return out;
}
answer q4(database const& of) {
    std::set<number> late;
    for (auto const& l : of.lineitems.all()) {
        if (l.l_commitdate < l.l_receiptdate) late.insert(l.l_orderkey);
    }
    std::map<std::string, number> counts;
    for (auto const& o : of.orders.all()) {
        bool const in_quarter = o.o_orderdate >= "1997-07-01" && o.o_orderdate < "1997-10-01";
        if (in_quarter && late.contains(o.o_orderkey)) ++counts[o.o_orderpriority.str()];
    }
    answer out{"o_orderpriority,order_count"};
    for (auto const& [priority, count] : counts) out.add(priority, count);
    return out;
}
answer q5(database const& of) {
    auto const regions = by<&region::r_regionkey>(of.regions);
    auto const nations = by<&nation::n_nationkey>(of.nations);
    auto const suppliers = by<&supplier::s_suppkey>(of.suppliers);
    auto const customers = by<&customer::c_custkey>(of.customers);
    auto const orders = by<&order::o_orderkey>(of.orders);
    std::map<std::string, number> sums;
    for (auto const& l : of.lineitems.all()) {
        auto const o = orders.find(l.l_orderkey);
        auto const s = suppliers.find(l.l_suppkey);
        if (o == orders.end() || s == suppliers.end()) continue;
        if (o->second.o_orderdate < "1994-01-01" || o->second.o_orderdate >= "1995-01-01") continue;
        auto const c = customers.find(o->second.o_custkey);
        if (c == customers.end() || c->second.c_nationkey != s->second.s_nationkey) continue;
        auto const n = nations.find(s->second.s_nationkey);
        if (n == nations.end()) continue;
        auto const r = regions.find(n->second.n_regionkey);
        if (r != regions.end() && r->second.r_name == "MIDDLE EAST") sums[n->second.n_name.str()] += paid(l);
    }
    answer out{"n_name,revenue"};
    for (auto const& [name, sum] : sums) out.add(name, decimal(sum, 4));
    return out;
}
answer q6(database const& of) {
    number sum = 0, count = 0;
    for (auto const& l : of.lineitems.all()) {
        if (l.l_shipdate < "1994-01-01" || l.l_shipdate >= "1995-01-01" || l.l_quantity >= 24) continue;
        if (l.l_discount_pct < 7 || l.l_discount_pct > 9) continue;
        sum += l.l_extendedprice_c * l.l_discount_pct;
        ++count;
    }
    answer out{"revenue"};
    out.add(count > 0 ? decimal(sum, 4) : "");
    return out;
}
answer q10(database const& of) {
    auto const nations = by<&nation::n_nationkey>(of.nations);
    auto const customers = by<&customer::c_custkey>(of.customers);
    auto const orders = by<&order::o_orderkey>(of.orders);
    std::map<number, number> sums;
    for (auto const& l : of.lineitems.all()) {
        auto const o = orders.find(l.l_orderkey);
        if (l.l_returnflag != "R" || o == orders.end()) continue;
        auto const date = o->second.o_orderdate;
        if (date >= "1994-01-01" && date < "1994-04-01") sums[o->second.o_custkey] += paid(l);
    }
    std::vector<std::pair<number, number>> found;
    for (auto const& [key, sum] : sums) {
        auto const c = customers.find(key);
        if (c != customers.end() && nations.contains(c->second.c_nationkey)) found.emplace_back(-sum, key);
    }
    answer out{"c_custkey,c_name,revenue,c_acctbal,n_name,c_phone"};
    for (auto const& [less, key] : first(found, 20)) {
        auto const& c = customers.at(key);
        out.add(key, c.c_name, decimal(-less, 4), support::quotient(c.c_acctbal_c, 100),
            nations.at(c.c_nationkey).n_name, c.c_phone);
    }
    return out;
}
answer q12(database const& of) {
    auto const orders = by<&order::o_orderkey>(of.orders);
    std::map<std::string, std::pair<number, number>> counts;
    for (auto const& l : of.lineitems.all()) {
        auto const o = orders.find(l.l_orderkey);
        if (o == orders.end() || (l.l_shipmode != "FOB" && l.l_shipmode != "SHIP")) continue;
        if (l.l_receiptdate < "1994-01-01" || l.l_receiptdate >= "1995-01-01") continue;
        if (l.l_shipdate >= l.l_commitdate || l.l_commitdate >= l.l_receiptdate) continue;
        auto& [high, low] = counts[l.l_shipmode.str()];
        auto const priority = o->second.o_orderpriority;
        ++(priority == "1-URGENT" || priority == "2-HIGH" ? high : low);
    }
    answer out{"l_shipmode,high_line_count,low_line_count"};
    for (auto const& [mode, count] : counts) out.add(mode, count.first, count.second);
    return out;
}
answer q13(database const& of) {
    std::map<number, number> placed, customers;
    for (auto const& o : of.orders.all()) ++placed[o.o_custkey];
    for (auto const& c : of.customers.all()) ++customers[placed[c.c_custkey]];
    answer out{"c_count,custdist"};
    for (auto const& [count, number_of] : customers) out.add(count, number_of);
    return out;
}
answer q14(database const& of) {
    auto const parts = by<&part::p_partkey>(of.parts);
    number promo = 0, all = 0;
    for (auto const& l : of.lineitems.all()) {
        auto const p = parts.find(l.l_partkey);
        if (p == parts.end() || l.l_shipdate < "1995-09-01" || l.l_shipdate >= "1995-10-01") continue;
        all += paid(l);
        if (p->second.p_type.view().starts_with("PROMO")) promo += paid(l);
    }
    answer out{"promo_revenue"};
    out.add(all != 0 ? average(100 * promo, all, 16) : "");
    return out;
}
}  // namespace tpch::loops
