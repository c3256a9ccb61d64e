// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_NEXMARK_GENERATOR_HPP
#define EXAMPLES_NEXMARK_GENERATOR_HPP

#include "../support/random.hpp"
#include "nexmark.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nexmark {

/// The auction house of the public benchmark: of fifty events one is a person, three are auctions, the others bids.
/// Half of the bids go to the auction that is hot just then; one bidder, and one seller, is in three of four.
///
/// Order       Rows of each kind come up to `disorder` late. Their times are those of an even rate.
/// Source      The generator of Apache Beam's Nexmark suite: proportions, leads, hot ratios, prices.
class generator {
public:
    struct options {
        std::uint64_t events = 0;
        std::uint64_t seed = 1;
        dl::duration every = 100_us;      ///< one event each: 10,000 per second
        dl::duration disorder = 3_s;      ///< less than nexmark::disorder, so that no row is late
        dl::event_time start = dl::event_time::from_ms(1'436'918'400'000);  // 2015-07-15
        std::int64_t side_rows = 10'000;
    };
    explicit generator(options const& how) : how_(how), random_(how.seed) {}

    /// Appends to to.persons, to.auctions, to.bids and to.side_input: logs, or what has append(row).
    void fill(auto& to) {
        std::vector<arrival> order;
        order.reserve(chunk);
        for (std::int64_t key = 0; key < how_.side_rows; ++key) {
            auto const value = "value-" + std::to_string(key);
            to.side_input.append(side_row{key, value});
        }
        // Each event arrives with a delay; those that are further apart than the greatest one never overtake.
        for (std::uint64_t n = 0; n < how_.events; ++n) {
            order.push_back({time_of(n) + delay(), n});
            if (order.size() >= 2 * chunk + spread()) send(order, chunk, to);
        }
        send(order, order.size(), to);
    }

private:
    static constexpr std::uint64_t of_all = 50, first_id = 1000, hot = 100;
    static constexpr std::uint64_t auctions_of_all = 3, in_flight = 100, lead = 10, active_persons = 1000;
    static constexpr std::size_t chunk = 1 << 16;
    struct arrival {
        dl::event_time at;
        std::uint64_t number;
        friend bool operator<(arrival const& a, arrival const& b) {
            return a.at != b.at ? a.at < b.at : a.number < b.number;
        }
    };
    options how_;
    support::random random_;
    std::string text_[5];

    /// In whole milliseconds, as CSV has them.
    dl::event_time time_of(std::uint64_t n) const {
        return dl::event_time::from_ms((how_.start + static_cast<std::int64_t>(n) * how_.every).ms());
    }
    dl::duration delay() {
        return how_.disorder > dl::duration{} ? dl::duration{random_.below(how_.disorder.ns())} : dl::duration{};
    }
    std::size_t spread() const { return static_cast<std::size_t>(how_.disorder.ns() / how_.every.ns()) + 1; }

    void send(std::vector<arrival>& order, std::size_t count, auto& to) {
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < count; ++i) {
            auto const n = order[i].number;
            auto const place = n % of_all;
            if (place == 0) to.persons.append(make_person(n));
            else if (place <= auctions_of_all) to.auctions.append(make_auction(n));
            else to.bids.append(make_bid(n));
        }
        order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    }

    // --- numbers, counted from 0 -------------------------------------------------------------------------------

    static std::uint64_t last_person(std::uint64_t n) { return n / of_all; }
    static std::uint64_t last_auction(std::uint64_t n) {
        auto const round = n / of_all * auctions_of_all;
        auto const place = n % of_all;
        if (place == 0) return round == 0 ? 0 : round - 1;
        return round + std::min(place, auctions_of_all) - 1;
    }
    std::uint64_t some_person(std::uint64_t n) {
        auto const known = last_person(n) + 1;
        auto const active = std::min(known, active_persons);
        return known - active + random_.below(active + lead);
    }
    std::uint64_t some_auction(std::uint64_t n) {
        auto const last = last_auction(n);
        auto const first = last < in_flight ? 0 : last - in_flight;
        return first + random_.below(last - first + 1 + lead);
    }
    static std::int64_t id(std::uint64_t number) { return static_cast<std::int64_t>(first_id + number); }

    // --- rows --------------------------------------------------------------------------------------------------

    person make_person(std::uint64_t n) {
        constexpr std::array<std::string_view, 11> first{"peter", "paul", "luke", "john", "saul", "vicky", "kate",
            "julie", "sarah", "deiter", "walter"};
        constexpr std::array<std::string_view, 9> last{
            "shultz", "abrams", "spencer", "white", "bartels", "walton", "smith", "jones", "noris"};
        constexpr std::array<std::string_view, 10> cities{"phoenix", "los angeles", "san francisco", "boise",
            "portland", "bend", "redmond", "seattle", "kent", "cheyenne"};
        constexpr std::array<std::string_view, 6> states{"az", "ca", "id", "or", "wa", "wy"};
        // One number after the other: compilers differ in what of a sum they ask for first.
        (text_[0] = pick(first)) += ' ';
        text_[0] += pick(last);
        (text_[1] = letters(7)) += '@';
        (text_[1] += letters(5)) += ".com";
        text_[2].clear();
        for (int i = 0; i < 4; ++i) text_[2] += (i > 0 ? " " : "") + std::to_string(1000 + random_.below(9000));
        text_[3] = letters(100);
        return {id(last_person(n)), text_[0], text_[1], text_[2], pick(cities), pick(states), time_of(n), text_[3]};
    }
    auction make_auction(std::uint64_t n) {
        text_[0] = letters(20);
        text_[1] = letters(60);
        text_[2] = letters(200);
        auto const initial = price();
        // Long enough that as many auctions are open at a time as there are in flight.
        auto const length = 1_ms + dl::duration{random_.below(2 * horizon().ns())};
        auto const hot_seller = last_person(n) / hot * hot;
        auto const seller = random_.one_in(4) ? some_person(n) : hot_seller;
        return {id(last_auction(n)), text_[0], text_[1], initial, initial + price(), time_of(n),
            dl::event_time::from_ms((time_of(n) + length).ms()), id(seller), 10 + random_.below(5), text_[2]};
    }
    bid make_bid(std::uint64_t n) {
        constexpr std::array<std::string_view, 4> channels{"Google", "Facebook", "Baidu", "Apple"};
        auto const of = random_.one_in(2) ? some_auction(n) : last_auction(n) / hot * hot;
        auto const by = random_.one_in(4) ? some_person(n) : last_person(n) / hot * hot + 1;
        text_[1] = "https://www.nexmark.com";
        for (int i = 0; i < 3; ++i) (text_[1] += '/') += letters(5);
        text_[1] += "/item.htm?query=1";
        if (random_.one_in(2)) {
            text_[0] = pick(channels);
        } else {
            auto const channel = random_.below(10'000);
            text_[0] = "channel-" + std::to_string(channel);
            if (!random_.one_in(10)) text_[1] += "&channel_id=" + std::to_string(channel * 214'748 % 2'147'483'647);
        }
        text_[2] = letters(60);
        auto const before = n / of_all * (of_all - 1 - auctions_of_all);
        return {static_cast<std::int64_t>(before + n % of_all - 1 - auctions_of_all),
            id(of), id(by), price(), text_[0], text_[1], time_of(n), text_[2]};
    }

    dl::duration horizon() const {
        return static_cast<std::int64_t>(in_flight * of_all / auctions_of_all) * how_.every;
    }
    /// One to a million, of each length as many.
    std::int64_t price() {
        std::int64_t least = 100;
        for (auto digits = random_.below(6); digits > 0; --digits) least *= 10;
        return least + random_.below(9 * least);
    }
    template <class List>
    std::string_view pick(List const& list) {
        return list[random_.below(list.size())];
    }
    /// Lower-case letters, from half as many to as many.
    std::string letters(std::size_t most) {
        std::string out(most / 2 + random_.below(most - most / 2 + 1), 'a');
        for (auto& letter : out) letter = static_cast<char>('a' + random_.below(26));
        return out;
    }
};
}  // namespace nexmark
#endif
