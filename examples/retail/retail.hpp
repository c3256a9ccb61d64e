// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RETAIL_RETAIL_HPP
#define EXAMPLES_RETAIL_RETAIL_HPP

#include "../support/runner.hpp"
#include "../support/table.hpp"

#include <driftless/driftless.hpp>

#include <cstdint>
#include <string>

namespace retail {
namespace dl = driftless;
using namespace driftless::literals;

/// A line of an invoice. Less than nothing is sold when goods come back.
struct line {
    std::int64_t seq = 0;
    dl::text invoice_no;
    dl::text stock_code;
    dl::text description;
    dl::text country;
    std::int64_t customer_id = 0;  // 0: unknown
    std::int32_t quantity = 0;
    std::int32_t unit_price_pence = 0;
    dl::event_time ts;
};

struct day_totals {
    std::int64_t lines, invoices, units, gross_pence, refund_pence, net_pence;
};
struct hop_totals {
    std::int64_t lines, distinct_invoices, net_pence;
};
struct visit_totals {
    std::int64_t invoices, lines, net_pence;
};
struct country_totals {
    std::int64_t lines, net_pence;
};

inline constexpr auto amount = [](line const& l) { return std::int64_t{l.quantity} * l.unit_price_pence; };
inline constexpr auto gross = [](line const& l) { return l.quantity > 0 ? amount(l) : 0; };
inline constexpr auto refund = [](line const& l) { return l.quantity < 0 ? -amount(l) : 0; };

// --- the pipelines: written once, run as batch and as stream ---------------------------------------------------

inline constexpr auto lines_by_day =
    dl::from<line>()
    | dl::assign_time<&line::ts>(dl::bounded_disorder{1_h});

inline constexpr auto per_day =
    lines_by_day
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<day_totals>(dl::count(), dl::distinct<&line::invoice_no>(), dl::sum<&line::quantity>(),
        dl::sum(gross), dl::sum(refund), dl::sum(amount));

inline constexpr auto net_per_day_country =
    lines_by_day
    | dl::key_by<&line::country>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<country_totals>(dl::count(), dl::sum(amount));

/// The last three hours, every hour.
inline constexpr auto hop_3h_1h =
    lines_by_day
    | dl::window(dl::sliding{3_h, 1_h})
    | dl::aggregate<hop_totals>(dl::count(), dl::distinct<&line::invoice_no>(), dl::sum(amount));

/// What a customer buys without half an hour of rest in between.
inline constexpr auto customer_gap = 30_min + 30_s;
inline constexpr auto customer_sessions_30m30s =
    lines_by_day
    | dl::filter([](line const& l) { return l.customer_id != 0; })
    | dl::key_by<&line::customer_id>()
    | dl::window(dl::session{customer_gap})
    | dl::aggregate<visit_totals>(dl::distinct<&line::invoice_no>(), dl::count(), dl::sum(amount));

/// Lines that equal an earlier one in everything but their number: the others pass, these go to "duplicates".
inline constexpr auto distinct_lines =
    lines_by_day
    | dl::dedup<&line::invoice_no, &line::stock_code, &line::description, &line::country, &line::customer_id,
        &line::quantity, &line::unit_price_pence, &line::ts>(1_h, dl::divert_to{"duplicates"_name});

// --- the tables made of them: tables.cpp ------------------------------------------------------------------------

using line_log = dl::file_log<line, dl::columns>;
using per_day_table = support::table<std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
    std::int64_t>;
using hop_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using visit_table = support::table<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
using seq_table = support::table<std::int64_t>;
using net_per_day_country_table = support::table<std::string, std::string, std::int64_t, std::int64_t>;

per_day_table make_per_day(support::runner<line_log> const& run);
hop_table make_hop_3h_1h(support::runner<line_log> const& run);
visit_table make_customer_sessions_30m30s(support::runner<line_log> const& run);
seq_table make_dedup_removed(support::runner<line_log> const& run);
net_per_day_country_table make_net_per_day_country(support::runner<line_log> const& run);
}  // namespace retail

BOOST_HANA_ADAPT_STRUCT(
    retail::line, seq, invoice_no, stock_code, description, country, customer_id, quantity, unit_price_pence, ts);
BOOST_HANA_ADAPT_STRUCT(retail::day_totals, lines, invoices, units, gross_pence, refund_pence, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::hop_totals, lines, distinct_invoices, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::visit_totals, invoices, lines, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::country_totals, lines, net_pence);
#endif
