// SPDX-License-Identifier: BSL-1.0
// The only place where the pipelines of bank are instantiated.
#include "bank.hpp"

#include <cstdint>
#include <map>

namespace dl = driftless;
using namespace driftless::literals;
using run_t = support::runner<bank::transfer_log>;

namespace {
struct tally {
    std::int64_t accepted = 0;
    std::int64_t dropped = 0;
};

std::map<dl::time_window, tally> tally_with(dl::duration lag, run_t const& run) {
    std::map<dl::time_window, tally> seconds;
    auto const count = [&](auto const& refused) { ++seconds[refused.window].dropped; };
    auto const accepted = run(bank::accepted_per_second(lag), dl::bind("dropped"_name, dl::to(count)));
    for (auto const& [key, window, transfers, info] : accepted) seconds[window].accepted = transfers;
    return seconds;
}
}  // namespace

bank::second_table bank::make_accepted_per_second_lag5s(run_t const& run) {
    second_table out{{"ts_ms", "accepted", "dropped"}};
    for (auto const& [second, of] : tally_with(5_s, run)) {
        out.rows.emplace_back(second.start.ms(), of.accepted, of.dropped);
    }
    return out;
}

bank::summary_table bank::make_accepted_summary(run_t const& run) {
    summary_table out{{"lag_ms", "arrived", "accepted", "dropped"}};
    for (auto const lag : {0_s, 2_s, 5_s, 10_s}) {
        tally all;
        for (auto const& [second, of] : tally_with(lag, run)) {
            all.accepted += of.accepted;
            all.dropped += of.dropped;
        }
        out.rows.emplace_back(lag.ns() / 1'000'000, all.accepted + all.dropped, all.accepted, all.dropped);
    }
    return out;
}

namespace {
template <class Rows>
bank::account_table balances(Rows const& rows) {
    bank::account_table out{{"account", "credits", "debits", "balance"}};
    for (auto const& [account, window, value, info] : rows) {
        auto const [credits, debits] = value;
        out.rows.emplace_back(account, credits, debits, credits - debits);
    }
    return out;
}
}  // namespace

bank::account_table bank::make_balances_all(run_t const& run) { return balances(run(bank::balances_all)); }
bank::account_table bank::make_balances_accepted_lag5s(run_t const& run) {
    return balances(run(bank::balances_accepted(5_s)));
}

bank::balance_table bank::make_balance_after_each_second(run_t const& run) {
    balance_table out{{"ts_ms", "account", "balance"}};
    for (auto const& [account, window, value, info] : run(bank::balances_after_each_second)) {
        auto const [credits, debits] = value;
        out.rows.emplace_back((window.end - 1_s).ms(), account, credits - debits);
    }
    return out;
}

bank::flow_table bank::make_flow_tumble_10s(run_t const& run) {
    flow_table out{{"window_start_ms", "from_account", "to_account", "amount"}};
    for (auto const& [accounts, window, amount, info] : run(bank::flow)) {
        out.rows.emplace_back(window.start.ms(), std::get<0>(accounts), std::get<1>(accounts), amount);
    }
    return out;
}
