// SPDX-License-Identifier: BSL-1.0
// examples/retail - takings per day and country from invoice lines: streaming jobs follow a log while it is written,
// the same pipelines then run over it in batch, and the tables are compared.
// args:
// expect: per_day
// expect: net_per_day_country
// expect: batch = stream, 69537 rows
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv"
// expect:   2010-12-01   3108       143  26814      5896079         32523    5863556
// expect: batch = stream, 2757 rows
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result per_day --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/per_day.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result net_per_day_country --mode stream --threads 2 --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/net_per_day_country.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result hop_3h_1h --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/hop_3h_1h.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result customer_sessions_30m30s --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/customer_sessions_30m30s.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result top10_products_per_day --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/top10_products_per_day.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result per_invoice --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/per_invoice.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result top5_customers_cumulative --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/top5_customers_cumulative.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result cancel_asof_purchase --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/cancel_asof_purchase.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result cancel_asof_purchase --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/cancel_asof_purchase.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result dedup_removed --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/dedup_removed.csv
// args: --input "$DRIFTLESS_DATA_DIR/retail/lines.csv" --result dedup_removed --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/dedup_removed.csv
// args: --log kept --input "$DRIFTLESS_DATA_DIR/retail/lines.csv"
// expect: batch = stream, 2757 rows
// args: --log kept --result per_day --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/retail/expected/per_day.csv
#include "read_lines.hpp"
#include "retail.hpp"

#include "../support/append_csv.hpp"
#include "../support/kept_log.hpp"
#include "../support/options.hpp"
#include "../support/program.hpp"
#include "../support/random.hpp"
#include "../support/two_modes.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {
namespace dl = driftless;
using namespace driftless::literals;
using retail::line;
using retail::line_log;

/// Eight days of made-up trade: up to half an hour out of order, one line in fifty comes twice, one in thirty is
/// a refund.
void append_generated(std::uint64_t count, line_log& log) {
    constexpr dl::text countries[] = {"United Kingdom", "EIRE", "France", "Germany", "Norway", "Spain"};
    auto const first_day = dl::event_time::from_ms(1'291'161'600'000);  // 2010-12-01
    auto const step = dl::duration{((8_d).ns() - (30_min).ns()) / static_cast<std::int64_t>(count)};
    support::random random{2010};
    dl::progress bar{"making invoice lines", count, "lines"};
    for (std::uint64_t i = 0; i < count; ++i) {
        bool const is_refund = random.one_in(30);
        std::string const invoice = (is_refund ? "C" : "") + std::to_string(536'365 + i / 20);
        auto const quantity = 1 + random.below(12);
        std::string const stock_code = std::to_string(20'000 + std::min(random.below(800), random.below(800)));
        line const made{.seq = static_cast<std::int64_t>(i),
            .invoice_no = invoice,
            .stock_code = stock_code,
            .description = "goods",
            .country = countries[std::min(random.below(6), random.below(6))],
            .customer_id = random.one_in(3) ? 0 : 12'000 + random.below(300),
            .quantity = is_refund ? -quantity : quantity,
            .unit_price_pence = 50 + random.below(1000),
            .ts = first_day + step * static_cast<std::int64_t>(i) + dl::duration{random.below((30_min).ns())}};
        log.append(made);
        if (random.one_in(50)) log.append(made);
        bar.update(i + 1);
    }
}
}  // namespace

int main(int argc, char** argv) {
    return support::program("retail",
        {"per_day", "net_per_day_country", "hop_3h_1h", "customer_sessions_30m30s", "top10_products_per_day",
            "per_invoice", "top5_customers_cumulative", "cancel_asof_purchase", "dedup_removed"},
        argc, argv,
        [](support::options const& asked) {
            support::kept_log<line_log> kept{asked};
            auto& log = kept.log();
            bool const is_full = kept.has_records();
            auto const fill = [&] {
                if (is_full) return;
                if (asked.input.empty()) append_generated(asked.records, log);
                else support::append_csv<line>(asked, {.defaults = retail::often_missing}, log);
            };
            return support::in_two_modes(asked, log, fill, support::result{"per_day", retail::make_per_day},
                support::result{"net_per_day_country", retail::make_net_per_day_country},
                support::result{"hop_3h_1h", retail::make_hop_3h_1h},
                support::result{"customer_sessions_30m30s", retail::make_customer_sessions_30m30s},
                support::result{"top10_products_per_day", retail::make_top10_products_per_day},
                support::result{"per_invoice", retail::make_per_invoice},
                support::result{"top5_customers_cumulative", retail::make_top5_customers_cumulative},
                support::result{"cancel_asof_purchase", retail::make_cancel_asof_purchase},
                support::result{"dedup_removed", retail::make_dedup_removed});
        });
}
