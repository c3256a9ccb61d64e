// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_TOTALS_HPP
#define EXAMPLES_NEXMARK_TOTALS_HPP

#include "nexmark.hpp"

#include <driftless/agg/where.hpp>

namespace nexmark {
struct day_totals {
    std::int64_t total_bids, rank1_bids, rank2_bids, rank3_bids, total_bidders, rank1_bidders, rank2_bidders,
        rank3_bidders, total_auctions, rank1_auctions, rank2_auctions, rank3_auctions;
};
struct channel_totals {
    std::int64_t minute, total_bids, rank1_bids, rank2_bids, rank3_bids, total_bidders, rank1_bidders, rank2_bidders,
        rank3_bidders, total_auctions, rank1_auctions, rank2_auctions, rank3_auctions;
};
struct price_totals {
    std::int64_t total_bids, rank1_bids, rank2_bids, rank3_bids, min_price, max_price, sum_price;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::day_totals, total_bids, rank1_bids, rank2_bids, rank3_bids, total_bidders,
    rank1_bidders, rank2_bidders, rank3_bidders, total_auctions, rank1_auctions, rank2_auctions, rank3_auctions);
BOOST_HANA_ADAPT_STRUCT(nexmark::channel_totals, minute, total_bids, rank1_bids, rank2_bids, rank3_bids, total_bidders,
    rank1_bidders, rank2_bidders, rank3_bidders, total_auctions, rank1_auctions, rank2_auctions, rank3_auctions);
BOOST_HANA_ADAPT_STRUCT(
    nexmark::price_totals, total_bids, rank1_bids, rank2_bids, rank3_bids, min_price, max_price, sum_price);

/// Queries that count bids: in windows, by sessions, by day.
namespace nexmark {

/// q11: bids of a bidder without ten seconds of rest in between.
inline constexpr auto q11 = bids
    | dl::key_by<&bid::bidder>()
    | dl::window(dl::session{10_s})
    | dl::aggregate(dl::count());

/// q12: bids of a bidder in ten seconds, by event time.
inline constexpr auto q12 = bids
    | dl::key_by<&bid::bidder>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count());

/// The price in three ranks: below 100, below 10,000, the rest.
template <int N>
struct in_rank {
    constexpr bool operator()(bid const& b) const noexcept {
        return (b.price < 10'000 ? 1 : b.price < 1'000'000 ? 2
                                                           : 3)
            == N;
    }
};
inline constexpr auto bidders = dl::distinct<&bid::bidder>();
inline constexpr auto auctions_bid_on = dl::distinct<&bid::auction>();

/// q15: bids, bidders and auctions of a day, in total and by the rank of the price.
inline constexpr auto q15 = bids
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<day_totals>(dl::count(), dl::where(in_rank<1>{}, dl::count()), dl::where(in_rank<2>{}, dl::count()),
        dl::where(in_rank<3>{}, dl::count()), bidders, dl::where(in_rank<1>{}, bidders),
        dl::where(in_rank<2>{}, bidders), dl::where(in_rank<3>{}, bidders), auctions_bid_on,
        dl::where(in_rank<1>{}, auctions_bid_on), dl::where(in_rank<2>{}, auctions_bid_on),
        dl::where(in_rank<3>{}, auctions_bid_on));

/// The time of day of a bid, in whole minutes.
inline constexpr auto minute_of_day = [](bid const& b) noexcept {
    return (b.date_time - dl::tumbling{24_h}.assign(b.date_time).start).ns() / (1_min).ns();
};
/// q16: the same per channel, with the last minute of the day in which it had a bid.
inline constexpr auto q16 = bids
    | dl::key_by<&bid::channel>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<channel_totals>(dl::max(minute_of_day), dl::count(), dl::where(in_rank<1>{}, dl::count()),
        dl::where(in_rank<2>{}, dl::count()), dl::where(in_rank<3>{}, dl::count()), bidders,
        dl::where(in_rank<1>{}, bidders), dl::where(in_rank<2>{}, bidders), dl::where(in_rank<3>{}, bidders),
        auctions_bid_on, dl::where(in_rank<1>{}, auctions_bid_on), dl::where(in_rank<2>{}, auctions_bid_on),
        dl::where(in_rank<3>{}, auctions_bid_on));

/// q17: bids and prices of an auction and day.
inline constexpr auto q17 = bids
    | dl::key_by<&bid::auction>()
    | dl::window(dl::tumbling{24_h})
    | dl::aggregate<price_totals>(dl::count(), dl::where(in_rank<1>{}, dl::count()),
        dl::where(in_rank<2>{}, dl::count()), dl::where(in_rank<3>{}, dl::count()), dl::min<&bid::price>(),
        dl::max<&bid::price>(), dl::sum<&bid::price>());
}  // namespace nexmark
#endif
