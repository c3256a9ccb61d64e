// SPDX-License-Identifier: BSL-1.0
#include "joins.hpp"

#include "answers.hpp"

namespace nexmark {
namespace {
answer answer_q3(runner const& run) {
    answer out{"name,city,state,id"};
    for (auto const& [key, window, s, info] : run(q3, run.auctions(), run.persons())) {
        out.add(s.name, s.city, s.state, s.id);
    }
    return out;
}
answer answer_q8(runner const& run) {
    answer out{"id,name,window_start_ms"};
    for (auto const& [key, window, p, info] : run(q8, run.persons(), run.auctions())) {
        out.add(p.id, p.name, dl::tumbling{10_s}.assign(p.date_time).start);
    }
    return out;
}
answer answer_q13(runner const& run) {
    if (run.side_rows() == 0) {
        throw dl::error{dl::error_code::not_there,
            "q13 looks bids up in side_input.csv, with the columns key and value, and the folder has none, or an empty "
            "one: write one, or make data with --generate"};
    }
    answer out{"auction,bidder,price,date_time_ms,value"};
    for (auto const& [key, window, b, info] : run(q13(run.side_rows()), run.bids(), run.side_input())) {
        out.add(b.auction, b.bidder, b.price, b.date_time, b.value);
    }
    return out;
}
answer answer_q20(runner const& run) {
    answer out{
        "auction,bidder,price,channel,url,bid_date_time_ms,bid_extra,item_name,description,initial_bid,reserve,"
        "auction_date_time_ms,expires_ms,seller,category,auction_extra"};
    for (auto const& [key, window, row, info] : run(q20, run.bids(), run.auctions())) {
        auto const& [b, a] = row;
        out.add(b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra, a.item_name, a.description,
            a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category, a.extra);
    }
    return out;
}
answer answer_q101(runner const& run) {
    answer out{"auction_id,auction_item_name,current_highest_bid"};
    for (auto const& [id, window, row, info] : run(q101, run.auctions(), run.bids())) {
        out.add(id, row.left.item_name, row.right ? std::optional{row.right->value} : std::nullopt);
    }
    return out;
}
answer answer_q102(runner const& run) {
    answer out{"auction_id,auction_item_name,bid_count"};
    for (auto const& [id, window, a, info] : run(q102, run.auctions(), run.bids())) {
        out.add(a.id, a.item_name, a.bids);
    }
    return out;
}
answer answer_q103(runner const& run) {
    answer out{"auction_id,auction_item_name"};
    for (auto const& [id, window, a, info] : run(q103, run.auctions(), run.bids())) out.add(a.id, a.item_name);
    return out;
}
answer answer_q104(runner const& run) {
    answer out{"auction_id,auction_item_name"};
    for (auto const& [id, window, a, info] : run(q104, run.auctions(), run.bids())) out.add(a.id, a.item_name);
    return out;
}
answer answer_q105(runner const& run) {
    answer out{"auction_id,auction_item_name,bid_count"};
    for (auto const& [key, window, a, info] : run(q105, run.auctions(), run.bids())) {
        out.add(a.id, a.item_name, a.bids);
    }
    return out;
}
constexpr query all[] = {{"q3", answer_q3}, {"q8", answer_q8}, {"q13", answer_q13}, {"q20", answer_q20},
    {"q101", answer_q101}, {"q102", answer_q102}, {"q103", answer_q103}, {"q104", answer_q104}, {"q105", answer_q105}};
}  // namespace

std::span<query const> joins() { return all; }
}  // namespace nexmark
