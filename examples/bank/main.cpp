// SPDX-License-Identifier: BSL-1.0
// examples/bank - transfers that arrive up to ten seconds late: balances of accounts, in all, after each second, and of
// what a watermark with a lag lets in; as a stream while the log is written, then in batch. Where the watermark is
// declared, both refuse the same transfers.
// args:
// expect: accepted_per_second_lag5s
// expect: accepted_summary
// expect: balances_all
// expect: balances_accepted_lag5s
// expect: balance_after_each_second
// expect: flow_tumble_10s
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result accepted_per_second_lag5s --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/accepted_per_second_lag5s.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result accepted_per_second_lag5s --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/accepted_per_second_lag5s.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result accepted_summary --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/accepted_summary.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result accepted_summary --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/accepted_summary.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balances_all --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balances_all.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balances_all --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balances_all.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balances_accepted_lag5s --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balances_accepted_lag5s.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balances_accepted_lag5s --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balances_accepted_lag5s.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balance_after_each_second --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balance_after_each_second.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result balance_after_each_second --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/balance_after_each_second.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result flow_tumble_10s --mode stream --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/flow_tumble_10s.csv
// args: --input "$DRIFTLESS_DATA_DIR/bank/transactions.csv" --result flow_tumble_10s --mode batch --csv
// expect file: $DRIFTLESS_DATA_DIR/bank/expected/flow_tumble_10s.csv
#include "bank.hpp"

#include "../support/append_csv.hpp"
#include "../support/kept_log.hpp"
#include "../support/options.hpp"
#include "../support/program.hpp"
#include "../support/random.hpp"
#include "../support/two_modes.hpp"

#include <cstdint>

namespace {
namespace dl = driftless;
using namespace driftless::literals;
using bank::transfer;
using bank::transfer_log;

/// Made-up transfers, a thousand a second, each up to ten seconds late.
void append_generated(std::uint64_t count, transfer_log& log) {
    auto const start = dl::event_time::from_ms(1'609'459'200'000);  // 2021-01-01
    support::random random{42};
    dl::progress bar{"making transfers", count, "transfers"};
    for (std::uint64_t i = 0; i < count; ++i) {
        auto const second = static_cast<std::int64_t>(i / 1000);
        log.append(transfer{.ts = start + second * 1_s - random.below(11) * 1_s,
            .id = static_cast<std::int64_t>(i),
            .from_account = static_cast<std::int32_t>(random.below(10)),
            .to_account = static_cast<std::int32_t>(random.below(10)),
            .amount = 1});
        bar.update(i + 1);
    }
}
}  // namespace

int main(int argc, char** argv) {
    return support::program("bank",
        {"accepted_per_second_lag5s", "accepted_summary", "balances_all", "balances_accepted_lag5s",
            "balance_after_each_second", "flow_tumble_10s"},
        argc, argv,
        [](support::options const& asked) {
            support::kept_log<transfer_log> kept{asked};
            auto& log = kept.log();
            bool const is_full = kept.has_records();
            auto const fill = [&] {
                if (is_full) return;
                if (asked.input.empty()) append_generated(asked.records, log);
                else support::append_csv<transfer>(asked, {}, log);
            };
            return support::in_two_modes(asked, log, fill,
                support::result{"accepted_per_second_lag5s", bank::make_accepted_per_second_lag5s},
                support::result{"accepted_summary", bank::make_accepted_summary},
                support::result{"balances_all", bank::make_balances_all},
                support::result{"balances_accepted_lag5s", bank::make_balances_accepted_lag5s},
                support::result{"balance_after_each_second", bank::make_balance_after_each_second},
                support::result{"flow_tumble_10s", bank::make_flow_tumble_10s});
        });
}
