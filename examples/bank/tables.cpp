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
