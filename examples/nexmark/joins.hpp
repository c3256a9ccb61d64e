// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_JOINS_HPP
#define EXAMPLES_NEXMARK_JOINS_HPP

#include "nexmark.hpp"

#include <string_view>

namespace nexmark {
struct seller {
    dl::text name, city, state;
    std::int64_t id;
};
struct bid_with_value {
    std::int64_t auction, bidder, price;
    dl::event_time date_time;
    dl::text value;
};
struct counted_auction {
    std::int64_t id;
    dl::text item_name;
    std::int64_t bids;
};
struct bids_and_auctions {
    std::int64_t bids, auctions;
};
struct against_average {
    std::int64_t id;
    dl::text item_name;
    std::int64_t bids, all_bids, auctions;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::seller, name, city, state, id);
BOOST_HANA_ADAPT_STRUCT(nexmark::bid_with_value, auction, bidder, price, date_time, value);
BOOST_HANA_ADAPT_STRUCT(nexmark::counted_auction, id, item_name, bids);
BOOST_HANA_ADAPT_STRUCT(nexmark::bids_and_auctions, bids, auctions);
BOOST_HANA_ADAPT_STRUCT(nexmark::against_average, id, item_name, bids, all_bids, auctions);

/// Queries that put bids, auctions and persons together, and count what belongs to an auction.
namespace nexmark {

inline constexpr auto auction_table = auctions | dl::key_by<&auction::id>() | dl::table(dl::unbounded_state{});

/// q3: who sells things of category 10 in three states.
inline constexpr auto q3 = dl::join(
    auctions
        | dl::filter([](auction const& a) noexcept { return a.category == 10; })
        | dl::key_by<&auction::id>() | dl::table(dl::unbounded_state{}),
    persons
        | dl::filter([](person const& p) { return p.state == "or" || p.state == "id" || p.state == "ca"; })
        | dl::key_by<&person::id>() | dl::table(dl::unbounded_state{}),
    dl::foreign_key<&auction::seller>(),
    [](auction const& a, person const& p) { return seller{p.name, p.city, p.state, a.id}; });

/// q8: who opened an auction in the ten seconds in which they registered.
inline constexpr auto q8 = dl::join(
    persons | dl::key_by<&person::id>() | dl::window(dl::tumbling{10_s}),
    auctions | dl::key_by<&auction::seller>() | dl::window(dl::tumbling{10_s}),
    dl::left_semi{});

/// q13: every bid with what a small table of this many rows says of its auction.
constexpr auto q13(std::int64_t rows) {
    return dl::join(bids | dl::key_by([rows](bid const& b) { return b.auction % rows; }),
        dl::from<side_row>("side_input"_name)
            | dl::assign_time([](side_row const&) { return dl::event_time::min(); }, dl::monotone{})
            | dl::key_by<&side_row::key>() | dl::table(dl::unbounded_state{}),
        dl::as_of{},
        [](bid const& b, side_row const& s) {
            return bid_with_value{b.auction, b.bidder, b.price, b.date_time, s.value};
        });
}

/// q20: every bid on an auction of category 10, with the auction, whichever came first.
inline constexpr auto q20 = dl::join(
    bids | dl::key_by<&bid::seq>() | dl::table(dl::unbounded_state{}),
    auctions
        | dl::filter([](auction const& a) noexcept { return a.category == 10; })
        | dl::key_by<&auction::id>() | dl::table(dl::unbounded_state{}),
    dl::foreign_key<&bid::auction>());

/// q101: every auction with the highest bid on it, if there is one.
inline constexpr auto q101 = dl::join(auction_table,
    bids | dl::as_inserts() | dl::key_by<&bid::auction>()
        | dl::aggregate(dl::max<&bid::price>(), dl::unbounded_state{}),
    dl::left_outer{});

/// How many bids an auction has.
inline constexpr auto bid_counts =
    bids | dl::as_inserts() | dl::key_by<&bid::auction>() | dl::aggregate(dl::count(), dl::unbounded_state{});

/// q103: auctions with 20 bids or more.
inline constexpr auto q103 = dl::join(auction_table,
    bid_counts | dl::filter([](auto const& of) { return of.value >= 20; }), dl::left_semi{});

/// q104: all but those with 1 to 19 bids.
inline constexpr auto q104 = dl::join(auction_table,
    bid_counts | dl::filter([](auto const& of) { return of.value < 20; }), dl::left_anti{});

inline constexpr auto counted_auctions = dl::join(auction_table, bid_counts,
    [](auction const& a, auto const& of) { return counted_auction{a.id, a.item_name, of.value}; });

inline constexpr auto all_in_one = [](auto const&) { return std::int64_t{0}; };

/// q105: the thousand auctions with the most bids.
inline constexpr auto q105 = counted_auctions | dl::key_by(all_in_one)
    | dl::top<&counted_auction::bids>(1000, dl::unbounded_state{});

/// The average changes with every bid, and with it which auctions are above it: those rows follow every ten seconds.
inline constexpr auto average_bids = bid_counts | dl::key_by(all_in_one)
    | dl::aggregate<bids_and_auctions>(
        dl::sum([](auto const& of) { return of.value; }), dl::count(), dl::unbounded_state{})
    | dl::suppress(dl::time_limit{10_s});

inline constexpr auto auctions_and_average = dl::join(counted_auctions, average_bids, dl::foreign_key(all_in_one),
    [](counted_auction const& a, auto const& all) {
        return against_average{a.id, a.item_name, a.bids, all.value.bids, all.value.auctions};
    });
/// q102: auctions with at least as many bids as the average of those that have one, rounded down.
inline constexpr auto q102 = auctions_and_average
    | dl::filter([](against_average const& a) noexcept { return a.bids >= a.all_bids / a.auctions; });
}  // namespace nexmark
#endif
