// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_BEST_HPP
#define EXAMPLES_NEXMARK_BEST_HPP

#include "nexmark.hpp"

#include <tuple>

namespace nexmark {
struct highest_bid {
    std::int64_t auction, price, bidder;
    dl::event_time date_time;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::highest_bid, auction, price, bidder, date_time);

/// Queries for the most, the dearest and the last.
namespace nexmark {

/// q5: the auctions with the most bids of ten seconds, every two seconds.
inline constexpr auto q5 = bids
    | dl::key_by<&bid::auction>()
    | dl::window(dl::sliding{10_s, 2_s})
    | dl::aggregate(dl::count())
    | dl::top(1, dl::with_ties{});

/// The highest price of ten seconds. It has the time of the last nanosecond of its window.
inline constexpr auto highest_prices = bids
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::max<&bid::price>())
    | dl::key_by([](auto const& highest) { return highest.value; });

/// q7: bids at the highest price of a window of ten seconds, from its start to its end, both included.
inline constexpr auto q7 = dl::join(bids | dl::key_by<&bid::price>(), highest_prices,
    dl::interval{-1_ns, 10_s - 1_ns},
    [](bid const& b, auto const&) { return highest_bid{b.auction, b.price, b.bidder, b.date_time}; });

/// q18: the last bid of each bidder on an auction; of several at one time the one with the least remark.
inline constexpr auto q18 = bids
    | dl::key_by<&bid::bidder, &bid::auction>()
    | dl::aggregate(dl::arg_min([](bid const& b) { return std::tuple{-b.date_time.ns(), b.extra}; }),
        dl::unbounded_state{});

/// q19: the ten dearest bids of each auction.
inline constexpr auto q19 = bids
    | dl::key_by<&bid::auction>()
    | dl::top<&bid::price>(10, dl::with_row_number{}, dl::unbounded_state{});
}  // namespace nexmark
#endif
