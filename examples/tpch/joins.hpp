// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_JOINS_HPP
#define EXAMPLES_TPCH_JOINS_HPP

#include "tpch.hpp"

#include <cstdint>
#include <tuple>
#include <utility>

namespace tpch {
struct order_revenue {
    std::int64_t order, revenue;
    dl::text order_date;
    std::int64_t ship_priority;
};
struct supplier_nation {
    std::int64_t nation;
    dl::text name;
};
struct order_nation {
    std::int64_t order, nation;
};
struct delivery {
    std::int64_t supplier, customer_nation, revenue;
};
struct nation_revenue {
    dl::text nation;
    std::int64_t revenue;
    bool is_home;
};
struct customer_revenue {
    std::int64_t customer, revenue;
};
struct returner {
    std::int64_t customer;
    dl::text name;
    std::int64_t revenue, acctbal_c;
    dl::text nation, phone;
};
}  // namespace tpch
BOOST_HANA_ADAPT_STRUCT(tpch::order_revenue, order, revenue, order_date, ship_priority);
BOOST_HANA_ADAPT_STRUCT(tpch::supplier_nation, nation, name);
BOOST_HANA_ADAPT_STRUCT(tpch::order_nation, order, nation);
BOOST_HANA_ADAPT_STRUCT(tpch::delivery, supplier, customer_nation, revenue);
BOOST_HANA_ADAPT_STRUCT(tpch::nation_revenue, nation, revenue, is_home);
BOOST_HANA_ADAPT_STRUCT(tpch::customer_revenue, customer, revenue);
BOOST_HANA_ADAPT_STRUCT(tpch::returner, customer, name, revenue, acctbal_c, nation, phone);

/// Queries over orders and customers.
namespace tpch {

/// 1995-03-14 is 19950314.
constexpr std::int64_t day_number(dl::text date) noexcept {
    std::int64_t out = 0;
    for (auto const c : date.view()) {
        if (c != '-') out = out * 10 + (c - '0');
    }
    return out;
}

/// Orders from the first of these days on, before the other.
constexpr auto ordered_in(dl::text first, dl::text end) {
    return orders | dl::filter([=](order const& o) { return o.o_orderdate >= first && o.o_orderdate < end; });
}

/// What each order would bring of what is not yet shipped on a day.
inline constexpr auto unshipped = lineitems
    | dl::filter([](lineitem const& l) { return l.l_shipdate > "1995-03-29"; })
    | dl::key_by<&lineitem::l_orderkey>()
    | dl::aggregate(dl::sum(revenue_of), dl::unbounded_state{});

inline constexpr auto of_customer = dl::foreign_key([](auto const& row) { return row.first; });

/// Orders before that day of customers in a market segment, with it.
inline constexpr auto unshipped_orders = dl::join(
    dl::join(unshipped, ordered_in("", "1995-03-29"),
        [](auto const& of, order const& o) {
            return std::pair{o.o_custkey, order_revenue{o.o_orderkey, of.value, o.o_orderdate, o.o_shippriority}};
        }),
    customers | dl::filter([](customer const& c) { return c.c_mktsegment == "FURNITURE"; }),
    of_customer, dl::left_semi{});

inline constexpr auto most_then_earliest = [](order_revenue const& o) {
    return std::tuple{o.revenue, -day_number(o.order_date)};
};
/// q3: the ten of them that would bring the most.
inline constexpr auto q3 = unshipped_orders
    | dl::map([](auto const& row) { return row.second; })
    | dl::key_by(all_in_one)
    | dl::top(10, most_then_earliest, dl::unbounded_state{});

/// How many lines of an order came later than promised.
inline constexpr auto late_lines = lineitems
    | dl::filter([](lineitem const& l) { return l.l_commitdate < l.l_receiptdate; })
    | dl::key_by<&lineitem::l_orderkey>()
    | dl::aggregate(dl::count(), dl::unbounded_state{});

inline constexpr auto late_orders = dl::join(ordered_in("1997-07-01", "1997-10-01"), late_lines, dl::left_semi{});

/// q4: orders of a quarter that have such a line, by priority.
inline constexpr auto q4 = late_orders
    | dl::key_by<&order::o_orderpriority>()
    | dl::aggregate(dl::count(), dl::unbounded_state{});

inline constexpr auto nations_of_region = dl::join(nations,
    regions | dl::filter([](region const& r) { return r.r_name == "MIDDLE EAST"; }),
    dl::foreign_key<&nation::n_regionkey>(), dl::left_semi{});

inline constexpr auto suppliers_of_region = dl::join(suppliers, nations_of_region,
    dl::foreign_key<&supplier::s_nationkey>(),
    [](supplier const&, nation const& n) { return supplier_nation{n.n_nationkey, n.n_name}; });

inline constexpr auto orders_by_nation = dl::join(ordered_in("1994-01-01", "1995-01-01"), customers,
    dl::foreign_key<&order::o_custkey>(),
    [](order const& o, customer const& c) { return order_nation{o.o_orderkey, c.c_nationkey}; });

inline constexpr auto deliveries = dl::join(lineitems, orders_by_nation, dl::foreign_key<&lineitem::l_orderkey>(),
    [](lineitem const& l, order_nation const& o) { return delivery{l.l_suppkey, o.nation, revenue_of(l)}; });

inline constexpr auto deliveries_from_region = dl::join(deliveries, suppliers_of_region,
    dl::foreign_key<&delivery::supplier>(),
    [](delivery const& d, supplier_nation const& s) {
        return nation_revenue{s.name, d.revenue, d.customer_nation == s.nation};
    });

/// q5: what suppliers of a region sold to customers of their own nation in 1994.
inline constexpr auto q5 = deliveries_from_region
    | dl::filter([](nation_revenue const& n) noexcept { return n.is_home; })
    | dl::key_by<&nation_revenue::nation>()
    | dl::aggregate(dl::sum<&nation_revenue::revenue>(), dl::unbounded_state{});

inline constexpr auto returned_lines = dl::join(
    lineitems | dl::filter([](lineitem const& l) { return l.l_returnflag == "R"; }),
    ordered_in("1994-01-01", "1994-04-01"), dl::foreign_key<&lineitem::l_orderkey>(),
    [](lineitem const& l, order const& o) { return customer_revenue{o.o_custkey, revenue_of(l)}; });

/// What each customer sent back of the orders of a quarter.
inline constexpr auto returned = returned_lines
    | dl::key_by<&customer_revenue::customer>()
    | dl::aggregate(dl::sum<&customer_revenue::revenue>(), dl::unbounded_state{});

inline constexpr auto customers_with_nation = dl::join(customers, nations, dl::foreign_key<&customer::c_nationkey>());

inline constexpr auto returners = dl::join(customers_with_nation, returned, [](auto const& of, auto const& sum) {
    auto const& [c, n] = of;
    return returner{c.c_custkey, c.c_name, sum.value, c.c_acctbal_c, n.n_name, c.c_phone};
});

/// q10: the twenty customers who sent back the most.
inline constexpr auto q10 = returners
    | dl::key_by(all_in_one)
    | dl::top<&returner::revenue>(20, dl::unbounded_state{});

/// How many orders a customer has.
inline constexpr auto order_counts = orders
    | dl::key_by<&order::o_custkey>()
    | dl::aggregate(dl::count(), dl::unbounded_state{});

/// Of each customer; of one without orders 0.
inline constexpr auto customer_orders = dl::join(customers, order_counts, dl::left_outer{},
    [](customer const&, auto const* placed) { return placed != nullptr ? placed->value : 0; });

/// q13: how many customers have how many orders.
inline constexpr auto q13 = customer_orders
    | dl::key_by([](std::int64_t placed) noexcept { return placed; })
    | dl::aggregate(dl::count(), dl::unbounded_state{});
}  // namespace tpch
#endif
