// SPDX-License-Identifier: BSL-1.0
// The only place where the pipelines of retail are instantiated.
#include "retail.hpp"

#include <set>

retail::per_day_table retail::make_per_day(support::runner<line_log> const& run) {
    per_day_table out{support::columns_of<day_totals>("day")};
    for (auto const& [key, window, totals, info] : run(per_day)) {
        out.rows.push_back(support::row_of(totals, support::date(window.start)));
    }
    return out;
}

retail::net_per_day_country_table retail::make_net_per_day_country(support::runner<line_log> const& run) {
    net_per_day_country_table out{support::columns_of<country_totals>("day", "country")};
    for (auto const& [country, window, totals, info] : run(net_per_day_country)) {
        out.rows.push_back(support::row_of(totals, support::date(window.start), country));
    }
    return out;
}

retail::hop_table retail::make_hop_3h_1h(support::runner<line_log> const& run) {
    hop_table out{support::columns_of<hop_totals>("window_start_ms")};
    for (auto const& [key, window, totals, info] : run(hop_3h_1h)) {
        out.rows.push_back(support::row_of(totals, window.start.ms()));
    }
    return out;
}

retail::visit_table retail::make_customer_sessions_30m30s(support::runner<line_log> const& run) {
    visit_table out{support::columns_of<visit_totals>("customer_id", "first_ms", "last_ms")};
    for (auto const& [customer, window, totals, info] : run(customer_sessions_30m30s)) {
        out.rows.push_back(support::row_of(totals, customer, window.start.ms(), (window.end - customer_gap).ms()));
    }
    return out;
}

retail::product_table retail::make_top10_products_per_day(support::runner<line_log> const& run) {
    product_table out{{"day", "rank", "stock_code", "revenue_pence", "units"}};
    for (auto const& [key, window, best, info] : run(top10_products_per_day)) {
        auto const& [code, of_day, totals, pane] = best.row;
        out.rows.emplace_back(
            support::date(window.start), best.rank, code.str(), totals.revenue_pence, totals.units);
    }
    return out;
}

retail::invoice_table retail::make_per_invoice(support::runner<line_log> const& run) {
    invoice_table out{{"invoice_no", "first_ts_ms", "customer_id", "lines", "units", "total_pence"}};
    for (auto const& [invoice, window, of, info] : run(per_invoice)) {
        auto const customer = of.customer_id != 0 ? std::optional{of.customer_id} : std::nullopt;
        out.rows.emplace_back(invoice, of.first.ms(), customer, of.lines, of.units, of.total_pence);
    }
    return out;
}

retail::customer_table retail::make_top5_customers_cumulative(support::runner<line_log> const& run) {
    customer_table out{{"day", "rank", "customer_id", "net_pence_so_far"}};
    std::set<dl::event_time> days_of_trade;
    for (auto const& day : run(per_day)) days_of_trade.insert(day.window.end);
    for (auto const& [key, window, best, info] : run(top5_customers_cumulative)) {
        if (!days_of_trade.contains(window.end)) continue;
        out.rows.emplace_back(support::date(window.end - 1_ns), best.rank, best.row.key, best.row.value);
    }
    return out;
}

retail::cancel_table retail::make_cancel_asof_purchase(support::runner<line_log> const& run) {
    cancel_table out{{"cancel_seq", "purchase_seq"}};
    for (auto const& [key, window, row, info] : run(cancel_asof_purchase)) {
        out.rows.emplace_back(row.cancel_seq, row.purchase_seq ? std::to_string(*row.purchase_seq) : std::string{});
    }
    return out;
}

retail::seq_table retail::make_dedup_removed(support::runner<line_log> const& run) {
    seq_table out{{"seq"}};
    auto const add = [&](line const& removed) { out.rows.emplace_back(removed.seq); };
    static_cast<void>(run(distinct_lines, dl::bind("duplicates"_name, dl::to(add))));
    return out;
}
