// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RETAIL_RETAIL_HPP
#define EXAMPLES_RETAIL_RETAIL_HPP

#include "../support/runner.hpp"
#include "../support/table.hpp"

#include <driftless/driftless.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
}  // namespace retail
BOOST_HANA_ADAPT_STRUCT(retail::line, seq, invoice_no, stock_code, description, country, customer_id, quantity,
    unit_price_pence, ts);

namespace retail {

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
struct product_totals {
    std::int64_t revenue_pence, units;
};
}  // namespace retail
BOOST_HANA_ADAPT_STRUCT(retail::product_totals, revenue_pence, units);  // before top(), which keeps such rows

namespace retail {
struct invoice_totals {
    dl::event_time first;
    std::int64_t customer_id, lines, units, total_pence;
};
struct returned {
    std::int64_t cancel_seq;
    std::optional<std::int64_t> purchase_seq;  // none: it was bought before the first day, or never
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

/// What sells best, per day.
inline constexpr auto top10_products_per_day =
    lines_by_day
    | dl::filter([](line const& l) { return l.quantity > 0; })
    | dl::key_by<&line::stock_code>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<product_totals>(dl::sum(amount), dl::sum<&line::quantity>())
    | dl::top<&product_totals::revenue_pence>(10, dl::with_row_number{});

/// An invoice has no window: it is complete when the input ends.
inline constexpr auto per_invoice =
    lines_by_day
    | dl::key_by<&line::invoice_no>()
    | dl::aggregate<invoice_totals>(dl::min<&line::ts>(), dl::max<&line::customer_id>(), dl::count(),
        dl::sum<&line::quantity>(), dl::sum(amount), dl::unbounded_state{});

/// Windows that begin together and end step by step: the first step, the first two, ... all of them. An assigner like
/// any other.
struct so_far {
    static constexpr std::string_view kind = "so_far";
    dl::duration step;
    std::int64_t steps;
    dl::duration offset;

    constexpr void assign_each(dl::event_time at, auto&& f) const {
        auto const start = dl::tumbling{dl::duration{step.ns() * steps}, offset}.assign(at).start;
        for (std::int64_t n = (at - start).ns() / step.ns() + 1; n <= steps; ++n) {
            f(dl::time_window{start, start + dl::duration{step.ns() * n}});
        }
    }
    void validate() const { dl::tumbling{dl::duration{step.ns() * steps}, offset}.validate(); }
    constexpr void describe(auto&& parameter) const {
        parameter("step", step);
        parameter("steps", steps);
        parameter("offset", offset);
    }
};
/// The best customers at the end of each day, by all they have bought since the shop opened (within 30 days).
inline constexpr auto top5_customers_cumulative =
    lines_by_day
    | dl::filter([](line const& l) { return l.customer_id != 0; })
    | dl::key_by<&line::customer_id>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate(dl::sum(amount))
    | dl::window(so_far{1_d, 30, 4_d})  // from 2010-12-01
    | dl::aggregate(dl::sum([](dl::pane<std::int64_t, std::int64_t> const& day) { return day.value; }))
    | dl::top(5, dl::with_row_number{});

/// What a cancelled line was bought with: the last purchase of the same product by the same customer until then.
inline constexpr auto lines_by_name =
    dl::from<line>("lines"_name)
    | dl::assign_time<&line::ts>(dl::bounded_disorder{1_h})
    | dl::filter([](line const& l) { return l.customer_id != 0; });
inline constexpr auto purchases =
    lines_by_name
    | dl::filter([](line const& l) { return l.quantity > 0; })
    | dl::key_by<&line::customer_id, &line::stock_code>()
    | dl::table(dl::unbounded_state{});
inline constexpr auto cancellations =
    lines_by_name
    | dl::filter([](line const& l) { return !l.invoice_no.empty() && l.invoice_no[0] == 'C'; })
    | dl::key_by<&line::customer_id, &line::stock_code>();
inline constexpr auto cancel_asof_purchase =
    dl::join(cancellations, purchases, dl::as_of{}, dl::left_outer{}, [](line const& cancelled, line const* bought) {
        return returned{cancelled.seq, bought != nullptr ? std::optional{bought->seq} : std::nullopt};
    });

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
using product_table = support::table<std::string, std::int64_t, std::string, std::int64_t, std::int64_t>;
using invoice_table = support::table<std::string, std::int64_t, std::optional<std::int64_t>, std::int64_t, std::int64_t,
    std::int64_t>;
using customer_table = support::table<std::string, std::int64_t, std::int64_t, std::int64_t>;
using cancel_table = support::table<std::int64_t, std::string>;
using seq_table = support::table<std::int64_t>;
using net_per_day_country_table = support::table<std::string, std::string, std::int64_t, std::int64_t>;

per_day_table make_per_day(support::runner<line_log> const& run);
hop_table make_hop_3h_1h(support::runner<line_log> const& run);
visit_table make_customer_sessions_30m30s(support::runner<line_log> const& run);
product_table make_top10_products_per_day(support::runner<line_log> const& run);
invoice_table make_per_invoice(support::runner<line_log> const& run);
customer_table make_top5_customers_cumulative(support::runner<line_log> const& run);
cancel_table make_cancel_asof_purchase(support::runner<line_log> const& run);
seq_table make_dedup_removed(support::runner<line_log> const& run);
net_per_day_country_table make_net_per_day_country(support::runner<line_log> const& run);
}  // namespace retail

BOOST_HANA_ADAPT_STRUCT(retail::day_totals, lines, invoices, units, gross_pence, refund_pence, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::hop_totals, lines, distinct_invoices, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::visit_totals, invoices, lines, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::country_totals, lines, net_pence);
BOOST_HANA_ADAPT_STRUCT(retail::invoice_totals, first, customer_id, lines, units, total_pence);
#endif
