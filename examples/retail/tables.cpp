// SPDX-License-Identifier: BSL-1.0
// The only place where the pipelines of retail are instantiated.
#include "retail.hpp"

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

retail::seq_table retail::make_dedup_removed(support::runner<line_log> const& run) {
    seq_table out{{"seq"}};
    auto const add = [&](line const& removed) { out.rows.emplace_back(removed.seq); };
    static_cast<void>(run(distinct_lines, dl::bind("duplicates"_name, dl::to(add))));
    return out;
}
