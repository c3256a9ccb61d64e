// SPDX-License-Identifier: BSL-1.0
#include "winners.hpp"

#include "answers.hpp"

namespace nexmark {
namespace {
answer answer_q4(runner const& run) {
    answer out{"category,avg_final"};
    for (auto const& [category, window, of, info] : run(q4, run.bids(), run.auctions())) {
        out.add(category, average(of.sum, of.count, 2));
    }
    return out;
}
answer answer_q6(runner const& run) {
    answer out{"seller,avg_final"};
    for (auto const& [key, window, of, info] : run(q6, run.bids(), run.auctions())) {
        out.add(of.seller, average(of.sum, of.count, 2));
    }
    return out;
}
answer answer_q9(runner const& run) {
    answer out{
        "id,item_name,description,initial_bid,reserve,date_time_ms,expires_ms,seller,category,auction,bidder,"
        "price,bid_date_time_ms"};
    for (auto const& [id, window, won, info] : run(q9, run.bids(), run.auctions())) {
        auto const& a = won.of;
        out.add(a.id, a.item_name, a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller,
            a.category, a.id, won.bidder, won.price, won.date_time);
    }
    return out;
}
answer answer_q106(runner const& run) {
    answer out{"min_final"};
    for (auto const& [key, window, least, info] : run(q106, run.bids(), run.auctions())) out.add(least);
    return out;
}
constexpr query all[] = {{"q4", answer_q4}, {"q6", answer_q6}, {"q9", answer_q9}, {"q106", answer_q106}};
}  // namespace

std::span<query const> winners() { return all; }
}  // namespace nexmark
