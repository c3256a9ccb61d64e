// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_TOTALS_HPP
#define EXAMPLES_TPCH_TOTALS_HPP

#include "tpch.hpp"

#include <driftless/agg/where.hpp>

namespace tpch {
struct pricing_summary {
    std::int64_t quantity, base_price_c, disc_price, charge, discount_pct, count;
};
struct shipment {
    dl::text ship_mode;
    bool is_urgent;
};
struct line_counts {
    std::int64_t high, low;
};
struct sold_part {
    bool is_promo;
    std::int64_t revenue;
};
struct promo_revenue {
    std::int64_t promo, all;
};
}  // namespace tpch
BOOST_HANA_ADAPT_STRUCT(tpch::pricing_summary, quantity, base_price_c, disc_price, charge, discount_pct, count);
BOOST_HANA_ADAPT_STRUCT(tpch::shipment, ship_mode, is_urgent);
BOOST_HANA_ADAPT_STRUCT(tpch::line_counts, high, low);
BOOST_HANA_ADAPT_STRUCT(tpch::sold_part, is_promo, revenue);
BOOST_HANA_ADAPT_STRUCT(tpch::promo_revenue, promo, all);

/// Queries that add up lineitems.
namespace tpch {

/// With the tax, in 1/1000000.
inline constexpr auto charge_of = [](lineitem const& l) noexcept { return revenue_of(l) * (100 + l.l_tax_pct); };

/// q1: what was shipped up to a day, by return flag and status.
inline constexpr auto q1 = lineitems
    | dl::filter([](lineitem const& l) { return l.l_shipdate <= "1998-09-21"; })
    | dl::key_by<&lineitem::l_returnflag, &lineitem::l_linestatus>()
    | dl::aggregate<pricing_summary>(dl::sum<&lineitem::l_quantity>(), dl::sum<&lineitem::l_extendedprice_c>(),
        dl::sum(revenue_of), dl::sum(charge_of), dl::sum<&lineitem::l_discount_pct>(), dl::count(),
        dl::unbounded_state{});

/// q6: what more would have come in without the discounts on small lines of 1994, in 1/10000.
inline constexpr auto q6 = lineitems
    | dl::filter([](lineitem const& l) {
          return l.l_shipdate >= "1994-01-01" && l.l_shipdate < "1995-01-01" && l.l_discount_pct >= 7
              && l.l_discount_pct <= 9 && l.l_quantity < 24;
      })
    | dl::key_by(all_in_one)
    | dl::aggregate(dl::sum([](lineitem const& l) noexcept { return l.l_extendedprice_c * l.l_discount_pct; }),
        dl::unbounded_state{});

/// Lines sent by ship that came in 1994 and later than promised, by how urgent their orders were.
inline constexpr auto late_shipments = dl::join(
    lineitems | dl::filter([](lineitem const& l) {
        return (l.l_shipmode == "FOB" || l.l_shipmode == "SHIP") && l.l_shipdate < l.l_commitdate
            && l.l_commitdate < l.l_receiptdate && l.l_receiptdate >= "1994-01-01" && l.l_receiptdate < "1995-01-01";
    }),
    orders, dl::foreign_key<&lineitem::l_orderkey>(),
    [](lineitem const& l, order const& o) {
        return shipment{l.l_shipmode, o.o_orderpriority == "1-URGENT" || o.o_orderpriority == "2-HIGH"};
    });
/// q12: how many of them were urgent, and how many not.
inline constexpr auto q12 = late_shipments
    | dl::key_by<&shipment::ship_mode>()
    | dl::aggregate<line_counts>(dl::where<&shipment::is_urgent>(dl::count()),
        dl::where([](shipment const& s) noexcept { return !s.is_urgent; }, dl::count()), dl::unbounded_state{});

inline constexpr auto sold_parts = dl::join(
    lineitems | dl::filter([](lineitem const& l) {
        return l.l_shipdate >= "1995-09-01" && l.l_shipdate < "1995-10-01";
    }),
    parts, dl::foreign_key<&lineitem::l_partkey>(),
    [](lineitem const& l, part const& p) { return sold_part{p.p_type.view().starts_with("PROMO"), revenue_of(l)}; });

/// q14: the revenue of a month, and what of it promoted parts made.
inline constexpr auto q14 = sold_parts
    | dl::key_by(all_in_one)
    | dl::aggregate<promo_revenue>(dl::where<&sold_part::is_promo>(dl::sum<&sold_part::revenue>()),
        dl::sum<&sold_part::revenue>(), dl::unbounded_state{});
}  // namespace tpch
#endif
