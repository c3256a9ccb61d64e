// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_NEXMARK_HPP
#define EXAMPLES_NEXMARK_NEXMARK_HPP

#include <driftless/driftless.hpp>

#include <cstdint>
#include <limits>

/// An auction house: who registers, what is put up for sale, and who bids.
///
/// Source      P. Tucker, K. Tufte, V. Papadimos, D. Maier, "NEXMark - a benchmark for queries over data streams"
///             (2002); what the queries mean is as in the end-to-end tests of RisingWave.
namespace nexmark {
namespace dl = driftless;
using namespace driftless::literals;

struct person {
    std::int64_t id = 0;
    dl::text name, email_address, credit_card, city, state;
    dl::event_time date_time;
    dl::text extra;
};
struct auction {
    std::int64_t id = 0;
    dl::text item_name, description;
    std::int64_t initial_bid = 0, reserve = 0;  // cents
    dl::event_time date_time, expires;
    std::int64_t seller = 0, category = 0;
    dl::text extra;
};
struct bid {
    std::int64_t seq = 0, auction = 0, bidder = 0, price = 0;  // cents
    dl::text channel, url;
    dl::event_time date_time;
    dl::text extra;
};
/// A row of the small table that q13 looks bids up in; it holds from the beginning of time.
struct side_row {
    std::int64_t key = 0;
    dl::text value;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(
    nexmark::person, id, name, email_address, credit_card, city, state, date_time, extra);
BOOST_HANA_ADAPT_STRUCT(nexmark::auction, id, item_name, description, initial_bid, reserve, date_time, expires, seller,
    category, extra);
BOOST_HANA_ADAPT_STRUCT(nexmark::bid, seq, auction, bidder, price, channel, url, date_time, extra);
BOOST_HANA_ADAPT_STRUCT(nexmark::side_row, key, value);

namespace nexmark {
/// How far behind the newest row before it a row may be.
inline constexpr auto disorder = 4_s;

inline constexpr auto persons = dl::from<person>("person"_name)
    | dl::assign_time<&person::date_time>(dl::bounded_disorder{disorder});
inline constexpr auto auctions = dl::from<auction>("auction"_name)
    | dl::assign_time<&auction::date_time>(dl::bounded_disorder{disorder});
inline constexpr auto bids = dl::from<bid>("bid"_name)
    | dl::assign_time<&bid::date_time>(dl::bounded_disorder{disorder});
}  // namespace nexmark
#endif
