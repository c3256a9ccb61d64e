// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_WINNERS_HPP
#define EXAMPLES_NEXMARK_WINNERS_HPP

#include "joins.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

namespace nexmark {
struct total {
    std::int64_t sum, count;
};
struct lowest_bid {
    std::int64_t seller, auction, price;
    dl::event_time date_time;
};
struct seller_average {
    std::int64_t seller, sum, count;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::total, sum, count);
BOOST_HANA_ADAPT_STRUCT(nexmark::lowest_bid, seller, auction, price, date_time);
BOOST_HANA_ADAPT_STRUCT(nexmark::seller_average, seller, sum, count);

/// Queries over valid bids: those made while their auction was open.
namespace nexmark {

struct valid_bid {
    auction of;
    std::int64_t bidder, price;
    dl::event_time date_time;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::valid_bid, of, bidder, price, date_time);

namespace nexmark {
/// As of the time of a bid its auction is there if it has been opened.
inline constexpr auto bids_with_auction = dl::join(bids | dl::key_by<&bid::auction>(), auction_table, dl::as_of{},
    [](bid const& b, auction const& a) { return valid_bid{a, b.bidder, b.price, b.date_time}; });
inline constexpr auto valid_bids = bids_with_auction
    | dl::filter([](valid_bid const& v) noexcept { return v.date_time <= v.of.expires; });

/// Of two equal ones the earlier.
inline constexpr auto lowest = dl::arg_min([](valid_bid const& v) { return std::tuple{v.price, v.date_time}; });
inline constexpr auto highest = dl::arg_min([](valid_bid const& v) { return std::tuple{-v.price, v.date_time}; });

/// q9: the winning bid of each auction.
inline constexpr auto q9 = valid_bids
    | dl::key_by([](valid_bid const& v) { return v.of.id; })
    | dl::aggregate(highest, dl::unbounded_state{});

/// The price for which each auction went, by category.
inline constexpr auto final_prices = valid_bids
    | dl::key_by([](valid_bid const& v) { return v.of.id; }, [](valid_bid const& v) { return v.of.category; })
    | dl::aggregate(dl::max<&valid_bid::price>(), dl::unbounded_state{});

inline constexpr auto value_of = [](auto const& row) { return row.value; };

/// q4: the average of the final prices of a category.
inline constexpr auto q4 = final_prices
    | dl::key_by([](auto const& price) { return std::get<1>(price.key); })
    | dl::aggregate<total>(dl::sum(value_of), dl::count(), dl::unbounded_state{});

/// q106: the least of all final prices.
inline constexpr auto q106 = final_prices
    | dl::key_by(all_in_one)
    | dl::aggregate(dl::min(value_of), dl::unbounded_state{});

/// The average of each with the ten before it.
inline constexpr auto moving_average = [](auto const& of_seller, auto out) {
    auto rows = of_seller.value;
    std::sort(rows.begin(), rows.end(), [](lowest_bid const& a, lowest_bid const& b) {
        return std::tuple{a.date_time, a.auction} < std::tuple{b.date_time, b.auction};
    });
    for (std::size_t i = 0; i < rows.size(); ++i) {
        seller_average row{of_seller.key, 0, 0};
        for (std::size_t j = i < 10 ? 0 : i - 10; j <= i; ++j, ++row.count) row.sum += rows[j].price;
        out(row);
    }
};
/// q6: for each auction of a seller, by the time of the lowest valid bid, the average of these bids over it and the ten
/// before it.
inline constexpr auto q6 = valid_bids
    | dl::key_by([](valid_bid const& v) { return v.of.id; })
    | dl::aggregate(lowest, dl::unbounded_state{})
    | dl::map([](auto const& row) {
          return lowest_bid{row.value.of.seller, row.value.of.id, row.value.price, row.value.date_time};
      })
    | dl::key_by<&lowest_bid::seller>()
    | dl::aggregate(dl::collect(), dl::unbounded_state{})
    | dl::flat_map<seller_average>(moving_average);
}  // namespace nexmark
#endif
