// SPDX-License-Identifier: BSL-1.0
#include "totals.hpp"

#include "answers.hpp"

namespace nexmark {
namespace {
answer answer_q11(runner const& run) {
    answer out{"bidder,bid_count,start_ms,end_ms"};
    for (auto const& [bidder, window, bids, info] : run(q11, run.bids())) {
        out.add(bidder, bids, window.start, window.end);
    }
    return out;
}
answer answer_q12(runner const& run) {
    answer out{"bidder,bid_count,start_ms,end_ms"};
    for (auto const& [bidder, window, bids, info] : run(q12, run.bids())) {
        out.add(bidder, bids, window.start, window.end);
    }
    return out;
}
answer answer_q15(runner const& run) {
    answer out{
        "day,total_bids,rank1_bids,rank2_bids,rank3_bids,total_bidders,rank1_bidders,rank2_bidders,"
        "rank3_bidders,total_auctions,rank1_auctions,rank2_auctions,rank3_auctions"};
    for (auto const& [key, window, of, info] : run(q15, run.bids())) {
        out.add(date(window.start), of.total_bids, of.rank1_bids, of.rank2_bids, of.rank3_bids, of.total_bidders,
            of.rank1_bidders, of.rank2_bidders, of.rank3_bidders, of.total_auctions, of.rank1_auctions,
            of.rank2_auctions, of.rank3_auctions);
    }
    return out;
}
answer answer_q16(runner const& run) {
    answer out{
        "channel,day,minute,total_bids,rank1_bids,rank2_bids,rank3_bids,total_bidders,rank1_bidders,"
        "rank2_bidders,rank3_bidders,total_auctions,rank1_auctions,rank2_auctions,rank3_auctions"};
    for (auto const& [channel, window, of, info] : run(q16, run.bids())) {
        out.add(channel, date(window.start), clock(of.minute), of.total_bids, of.rank1_bids, of.rank2_bids,
            of.rank3_bids, of.total_bidders, of.rank1_bidders, of.rank2_bidders, of.rank3_bidders, of.total_auctions,
            of.rank1_auctions, of.rank2_auctions, of.rank3_auctions);
    }
    return out;
}
answer answer_q17(runner const& run) {
    answer out{"auction,day,total_bids,rank1_bids,rank2_bids,rank3_bids,min_price,max_price,avg_price,sum_price"};
    for (auto const& [auction, window, of, info] : run(q17, run.bids())) {
        out.add(auction, date(window.start), of.total_bids, of.rank1_bids, of.rank2_bids, of.rank3_bids, of.min_price,
            of.max_price, quotient(of.sum_price, of.total_bids), of.sum_price);
    }
    return out;
}
constexpr query all[] = {
    {"q11", answer_q11}, {"q12", answer_q12}, {"q15", answer_q15}, {"q16", answer_q16}, {"q17", answer_q17}};
}  // namespace

std::span<query const> totals() { return all; }
}  // namespace nexmark
