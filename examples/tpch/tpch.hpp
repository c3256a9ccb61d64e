// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_TPCH_HPP
#define EXAMPLES_TPCH_TPCH_HPP

#include <driftless/driftless.hpp>

#include <cstdint>
#include <tuple>

/// A wholesaler: customers, what they order, and who supplies it. Money is in cents, `_pct` in percent, dates are text.
///
/// Source      The tables and queries of TPC Benchmark H, at the values for which there are published results.
namespace tpch {
namespace dl = driftless;
using namespace driftless::literals;

struct region {
    std::int64_t r_regionkey;
    dl::text r_name;
};
struct nation {
    std::int64_t n_nationkey;
    dl::text n_name;
    std::int64_t n_regionkey;
};
struct supplier {
    std::int64_t s_suppkey;
    dl::text s_name;
    std::int64_t s_nationkey, s_acctbal_c;
};
struct customer {
    std::int64_t c_custkey;
    dl::text c_name;
    std::int64_t c_nationkey;
    dl::text c_phone;
    std::int64_t c_acctbal_c;
    dl::text c_mktsegment;
};
struct part {
    std::int64_t p_partkey;
    dl::text p_name, p_mfgr, p_brand, p_type;
    std::int64_t p_size;
    dl::text p_container;
    std::int64_t p_retailprice_c;
};
struct partsupp {
    std::int64_t ps_partkey, ps_suppkey, ps_availqty, ps_supplycost_c;
};
struct order {
    std::int64_t o_orderkey, o_custkey;
    dl::text o_orderstatus;
    std::int64_t o_totalprice_c;
    dl::text o_orderdate, o_orderpriority;
    std::int64_t o_shippriority;
};
struct lineitem {
    std::int64_t l_orderkey, l_partkey, l_suppkey, l_linenumber;
    std::int64_t l_quantity, l_extendedprice_c, l_discount_pct, l_tax_pct;
    dl::text l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode;
};

/// A row as it comes: from this time on it is that of its key, or there is none.
template <class Row>
struct arrival {
    BOOST_HANA_DEFINE_STRUCT(arrival, (Row, row), (driftless::event_time, at), (bool, deleted));
};

/// The members that are the key of a table.
template <class Row, auto... Members>
struct columns {
    static constexpr void copy(Row const& from, Row& to) { ((to.*Members = from.*Members), ...); }
    /// Makes the key one that no table has: they count from 0 or 1.
    static constexpr void forge(Row& row) { ((row.*Members = -1 - row.*Members), ...); }
    static constexpr auto of(Row const& row) { return std::tuple{row.*Members...}; }

    template <auto Member>
    struct column {
        constexpr auto operator()(arrival<Row> const& a) const noexcept { return a.row.*Member; }
    };
    static constexpr auto key_by() { return dl::key_by(column<Members>{}...); }
};
template <class Row>
struct key_of;
template <>
struct key_of<region> : columns<region, &region::r_regionkey> {};
template <>
struct key_of<nation> : columns<nation, &nation::n_nationkey> {};
template <>
struct key_of<supplier> : columns<supplier, &supplier::s_suppkey> {};
template <>
struct key_of<customer> : columns<customer, &customer::c_custkey> {};
template <>
struct key_of<part> : columns<part, &part::p_partkey> {};
template <>
struct key_of<partsupp> : columns<partsupp, &partsupp::ps_partkey, &partsupp::ps_suppkey> {};
template <>
struct key_of<order> : columns<order, &order::o_orderkey> {};
template <>
struct key_of<lineitem> : columns<lineitem, &lineitem::l_orderkey, &lineitem::l_linenumber> {};
}  // namespace tpch
BOOST_HANA_ADAPT_STRUCT(tpch::region, r_regionkey, r_name);
BOOST_HANA_ADAPT_STRUCT(tpch::nation, n_nationkey, n_name, n_regionkey);
BOOST_HANA_ADAPT_STRUCT(tpch::supplier, s_suppkey, s_name, s_nationkey, s_acctbal_c);
BOOST_HANA_ADAPT_STRUCT(tpch::customer, c_custkey, c_name, c_nationkey, c_phone, c_acctbal_c, c_mktsegment);
BOOST_HANA_ADAPT_STRUCT(
    tpch::part, p_partkey, p_name, p_mfgr, p_brand, p_type, p_size, p_container, p_retailprice_c);
BOOST_HANA_ADAPT_STRUCT(tpch::partsupp, ps_partkey, ps_suppkey, ps_availqty, ps_supplycost_c);
BOOST_HANA_ADAPT_STRUCT(
    tpch::order, o_orderkey, o_custkey, o_orderstatus, o_totalprice_c, o_orderdate, o_orderpriority, o_shippriority);
BOOST_HANA_ADAPT_STRUCT(tpch::lineitem, l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice_c,
    l_discount_pct, l_tax_pct, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct,
    l_shipmode);

namespace tpch {
/// The table of what has arrived so far.
template <class Row>
constexpr auto table_of(auto name) {
    return dl::from<arrival<Row>>(name)
        | dl::template assign_time<&arrival<Row>::at>(dl::monotone{})
        | key_of<Row>::key_by()
        | dl::table(dl::unbounded_state{}, dl::template deleted_if<&arrival<Row>::deleted>())
        | dl::map([](arrival<Row> const& a) { return a.row; });
}
inline constexpr auto regions = table_of<region>("region"_name);
inline constexpr auto nations = table_of<nation>("nation"_name);
inline constexpr auto suppliers = table_of<supplier>("supplier"_name);
inline constexpr auto customers = table_of<customer>("customer"_name);
inline constexpr auto parts = table_of<part>("part"_name);
inline constexpr auto orders = table_of<order>("orders"_name);
inline constexpr auto lineitems = table_of<lineitem>("lineitem"_name);

/// What is paid for a line without the tax, in 1/10000.
inline constexpr auto revenue_of = [](lineitem const& l) noexcept {
    return l.l_extendedprice_c * (100 - l.l_discount_pct);
};
/// The key of the one group of all rows.
inline constexpr auto all_in_one = [](auto const&) noexcept { return std::int64_t{0}; };
}  // namespace tpch
#endif
