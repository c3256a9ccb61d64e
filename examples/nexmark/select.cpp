// SPDX-License-Identifier: BSL-1.0
#include "select.hpp"

#include "answers.hpp"
#include "totals.hpp"

namespace nexmark {
namespace {
answer answer_q0(runner const& run) {
    answer out{"auction,bidder,price,date_time_ms"};
    for (auto const& [key, window, b, info] : run(q0, run.bids())) out.add(b.auction, b.bidder, b.price, b.date_time);
    return out;
}
answer answer_q1(runner const& run) {
    answer out{"auction,bidder,price,date_time_ms"};
    for (auto const& [key, window, b, info] : run(q1, run.bids())) {
        out.add(b.auction, b.bidder, decimal(b.price, 3), b.date_time);
    }
    return out;
}
answer answer_q2(runner const& run) {
    answer out{"auction,price"};
    for (auto const& [key, window, b, info] : run(q2, run.bids())) out.add(b.auction, b.price);
    return out;
}
answer answer_q10(runner const& run) {
    answer out{"auction,bidder,price,date_time_ms,date,time"};
    for (auto const& [key, window, b, info] : run(q10, run.bids())) {
        auto const minutes = minute_of_day(b);
        auto const hour = (minutes / 60 + 11) % 12 + 1;  // of a clock with twelve hours
        out.add(b.auction, b.bidder, b.price, b.date_time, date(b.date_time), clock(hour * 60 + minutes % 60));
    }
    return out;
}
answer answer_q14(runner const& run) {
    answer out{"auction,bidder,price,bid_time_type,date_time_ms,c_counts"};
    for (auto const& [key, window, b, info] : run(q14, run.bids())) {
        out.add(b.auction, b.bidder, decimal(b.price, 3), b.time_type, b.date_time, b.letters_c);
    }
    return out;
}
answer answer_q21(runner const& run) {
    answer out{"auction,bidder,price,channel,channel_id"};
    for (auto const& [key, window, b, info] : run(q21, run.bids())) {
        out.add(b.auction, b.bidder, b.price, b.channel, b.channel_id);
    }
    return out;
}
answer answer_q22(runner const& run) {
    answer out{"auction,bidder,price,channel,dir1,dir2,dir3"};
    for (auto const& [key, window, b, info] : run(q22, run.bids())) {
        out.add(b.auction, b.bidder, b.price, b.channel, b.dir1, b.dir2, b.dir3);
    }
    return out;
}
constexpr query all[] = {{"q0", answer_q0}, {"q1", answer_q1}, {"q2", answer_q2}, {"q10", answer_q10},
    {"q14", answer_q14}, {"q21", answer_q21}, {"q22", answer_q22}};
}  // namespace

std::span<query const> selections() { return all; }
}  // namespace nexmark
