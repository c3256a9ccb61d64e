// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_SELECT_HPP
#define EXAMPLES_NEXMARK_SELECT_HPP

#include "nexmark.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nexmark {
struct bid_in_euros {
    std::int64_t auction, bidder, price;
    dl::event_time date_time;
};
struct bid_by_channel {
    std::int64_t auction, bidder, price;
    dl::text channel, channel_id;
};
struct bid_by_folder {
    std::int64_t auction, bidder, price;
    dl::text channel, dir1, dir2, dir3;
};
}  // namespace nexmark
BOOST_HANA_ADAPT_STRUCT(nexmark::bid_in_euros, auction, bidder, price, date_time);
BOOST_HANA_ADAPT_STRUCT(nexmark::bid_by_channel, auction, bidder, price, channel, channel_id);
BOOST_HANA_ADAPT_STRUCT(nexmark::bid_by_folder, auction, bidder, price, channel, dir1, dir2, dir3);

/// Queries that look at one bid at a time.
namespace nexmark {

/// q0: every bid.
inline constexpr auto q0 = bids;

/// In thousandths of a euro cent: 0.908 euros for a dollar.
inline constexpr auto euros = [](bid const& b) noexcept { return b.price * 908; };

/// q1: every bid, in euros.
inline constexpr auto q1 = bids
    | dl::map([](bid const& b) { return bid_in_euros{b.auction, b.bidder, euros(b), b.date_time}; });

/// q2: bids on some auctions.
inline constexpr auto q2 = bids
    | dl::filter([](bid const& b) noexcept {
          return b.auction == 1007 || b.auction == 1020 || b.auction == 2001 || b.auction == 2019 || b.auction == 2087;
      });

/// q10: every bid, to be filed by day and minute.
inline constexpr auto q10 = bids;

/// q14: bids between ten thousand and half a million euros, with the time of day and the letters c in their remarks.
struct priced_bid {
    std::int64_t auction, bidder, price;
    std::string_view time_type;
    dl::event_time date_time;
    std::int64_t letters_c;
};
constexpr std::string_view time_of_day(dl::event_time at) noexcept {
    auto const hour = dl::tumbling{24_h}.assign(at);
    auto const hours = (at - hour.start).ns() / (1_h).ns();
    return hours >= 8 && hours <= 18 ? "dayTime" : hours <= 6 || hours >= 20 ? "nightTime"
                                                                             : "otherTime";
}
inline constexpr auto q14 = bids
    | dl::filter([](bid const& b) noexcept { return euros(b) > 1'000'000'000 && euros(b) < 50'000'000'000; })
    | dl::map([](bid const& b) {
          return priced_bid{b.auction, b.bidder, euros(b), time_of_day(b.date_time), b.date_time,
              std::count(b.extra.begin(), b.extra.end(), 'c')};
      });

/// q21: the number of the channel, from its name or from the address.
constexpr bool is_word(std::string_view text, std::string_view lower_case) noexcept {
    return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
        [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}
/// What stands behind `channel_id=` in an address, up to the next &; nothing if it is not there.
constexpr std::optional<std::string_view> channel_in(std::string_view url) noexcept {
    constexpr std::string_view word = "channel_id=";
    for (std::size_t from = 0; (from = url.find(word, from)) != url.npos; from += word.size()) {
        if (from != 0 && url[from - 1] != '&') continue;
        auto const rest = url.substr(from + word.size());
        return rest.substr(0, rest.find('&'));
    }
    return std::nullopt;
}
constexpr std::optional<std::string_view> channel_of(bid const& b) noexcept {
    constexpr std::array<std::string_view, 4> names{"apple", "google", "facebook", "baidu"};
    constexpr std::array<std::string_view, 4> numbers{"0", "1", "2", "3"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_word(b.channel.view(), names[i])) return numbers[i];
    }
    return channel_in(b.url.view());
}
inline constexpr auto q21 = bids
    | dl::flat_map<bid_by_channel>([](bid const& b, auto out) {
          auto const id = channel_of(b);
          if (id) out(bid_by_channel{b.auction, b.bidder, b.price, b.channel, dl::text{*id}});
      });

/// q22: the folders in the address.
/// The n-th part of an address between slashes, counted from 1; empty if there are fewer.
constexpr dl::text part_of(std::string_view url, int n) noexcept {
    for (; n > 1; --n) {
        auto const slash = url.find('/');
        if (slash == url.npos) return {};
        url.remove_prefix(slash + 1);
    }
    return dl::text{url.substr(0, url.find('/'))};
}
inline constexpr auto q22 = bids
    | dl::map([](bid const& b) {
          auto const url = b.url.view();
          return bid_by_folder{
              b.auction, b.bidder, b.price, b.channel, part_of(url, 4), part_of(url, 5), part_of(url, 6)};
      });
}  // namespace nexmark
#endif
