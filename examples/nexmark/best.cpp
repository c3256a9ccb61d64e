// SPDX-License-Identifier: BSL-1.0
#include "best.hpp"

#include "answers.hpp"

namespace nexmark {
namespace {
answer answer_q5(runner const& run) {
    answer out{"auction,num"};
    for (auto const& [auction, window, bids, info] : run(q5, run.bids())) out.add(auction, bids);
    return out;
}
answer answer_q7(runner const& run) {
    answer out{"auction,price,bidder,date_time_ms"};
    for (auto const& [key, window, b, info] : run(q7, run.bids())) out.add(b.auction, b.price, b.bidder, b.date_time);
    return out;
}
answer answer_q18(runner const& run) {
    answer out{"auction,bidder,price,channel,url,date_time_ms,extra"};
    for (auto const& [key, window, b, info] : run(q18, run.bids())) {
        out.add(b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra);
    }
    return out;
}
answer answer_q19(runner const& run) {
    answer out{"auction,bidder,price,channel,url,date_time_ms,extra,rank_number"};
    for (auto const& [key, window, best, info] : run(q19, run.bids())) {
        bid const& b = best.row;
        out.add(b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra, best.rank);
    }
    return out;
}
constexpr query all[] = {{"q5", answer_q5}, {"q7", answer_q7}, {"q18", answer_q18}, {"q19", answer_q19}};
}  // namespace

std::span<query const> bests() { return all; }
}  // namespace nexmark
