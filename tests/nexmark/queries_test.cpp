// SPDX-License-Identifier: BSL-1.0
// Each query of examples/nexmark over made-up events against plain loops: as a batch and as a stream, in order and out
// of order, on one thread and two, and stopped halfway.
#include "../../examples/nexmark/answers.hpp"
#include "../../examples/nexmark/generator.hpp"

#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace {
namespace dl = driftless;
using namespace driftless::literals;
using nexmark::auction;
using nexmark::bid;
using nexmark::person;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t day = 86'400 * second;

/// The events in vectors; their text lies in the logs.
struct events {
    std::vector<person> persons;
    std::vector<auction> auctions;
    std::vector<bid> bids;
    std::vector<nexmark::side_row> side_input;
};
template <class T>
std::vector<T> all_of(dl::memory_log<T> const& log) {
    std::vector<T> out;
    for (std::uint64_t at = 0; at < log.end_offset(0);) {
        auto const block = log.read(0, at);
        block.each(0, block.size(), [&](std::size_t, T const& row) { out.push_back(row); });
        at += block.size();
    }
    return out;
}

std::int64_t window_of(dl::event_time at, std::int64_t size) { return at.ns() / size * size; }
std::string ms(std::int64_t ns) { return std::to_string(ns / 1'000'000); }
int rank_of(bid const& b) { return b.price < 10'000 ? 1 : b.price < 1'000'000 ? 2
                                                                              : 3; }
std::string minutes(dl::event_time at) { return nexmark::clock(at.ns() % day / (60 * second)); }

/// Bids made while their auction was open, by auction.
struct offer {
    auction const* of;
    bid const* by;
};
std::vector<offer> valid(events const& in) {
    std::vector<offer> out;
    for (auto const& b : in.bids) {
        for (auto const& a : in.auctions) {
            if (a.id == b.auction && a.date_time <= b.date_time && b.date_time <= a.expires) out.push_back({&a, &b});
        }
    }
    return out;
}
std::map<auction const*, std::int64_t> final_prices(events const& in) {
    std::map<auction const*, std::int64_t> out;
    for (auto const& [a, b] : valid(in)) {
        auto const at = out.try_emplace(a, b->price).first;
        at->second = std::max(at->second, b->price);
    }
    return out;
}
std::map<std::int64_t, std::int64_t> bids_per_auction(events const& in) {
    std::map<std::int64_t, std::int64_t> out;
    for (auto const& b : in.bids) ++out[b.auction];
    return out;
}

/// Numbers, bidders and auctions, in total and by rank.
struct ranks {
    std::int64_t bids[4] = {};
    std::set<std::int64_t> bidders[4], auctions[4];
    std::string last;

    void take(bid const& b) {
        for (int const r : {0, rank_of(b)}) {
            ++bids[r];
            bidders[r].insert(b.bidder);
            auctions[r].insert(b.auction);
        }
        last = std::max(last, minutes(b.date_time));
    }
    template <class... Before>
    void put(nexmark::answer& out, Before const&... before) const {
        out.add(before..., bids[0], bids[1], bids[2], bids[3], bidders[0].size(), bidders[1].size(), bidders[2].size(),
            bidders[3].size(), auctions[0].size(), auctions[1].size(), auctions[2].size(), auctions[3].size());
    }
};

using oracle = std::function<void(events const&, nexmark::answer&)>;

void sessions_by_hand(events const& in, nexmark::answer& out) {
    std::map<std::int64_t, std::vector<std::int64_t>> times;
    for (auto const& b : in.bids) times[b.bidder].push_back(b.date_time.ns());
    for (auto& [bidder, at] : times) {
        std::sort(at.begin(), at.end());
        for (std::size_t i = 0; i < at.size();) {
            std::size_t j = i + 1;
            while (j < at.size() && at[j] - at[j - 1] < 10 * second) ++j;
            out.add(bidder, j - i, ms(at[i]), ms(at[j - 1] + 10 * second));
            i = j;
        }
    }
}
void hot_auctions_by_hand(events const& in, nexmark::answer& out) {
    std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> counts;
    for (auto const& b : in.bids) {
        auto const last = window_of(b.date_time, 2 * second);
        for (auto start = last; start > b.date_time.ns() - 10 * second; start -= 2 * second) ++counts[start][b.auction];
    }
    for (auto const& [start, of] : counts) {
        std::int64_t most = 0;
        for (auto const& [id, n] : of) most = std::max(most, n);
        for (auto const& [id, n] : of) {
            if (n == most) out.add(id, n);
        }
    }
}
void highest_by_hand(events const& in, nexmark::answer& out) {
    std::map<std::int64_t, std::int64_t> highest;
    for (auto const& b : in.bids) {
        auto& price = highest[window_of(b.date_time, 10 * second)];
        price = std::max(price, b.price);
    }
    for (auto const& [start, price] : highest) {
        for (auto const& b : in.bids) {
            bool const inside = start <= b.date_time.ns() && b.date_time.ns() <= start + 10 * second;
            if (inside && b.price == price) out.add(b.auction, b.price, b.bidder, b.date_time);
        }
    }
}
void last_bids_by_hand(events const& in, nexmark::answer& out) {
    std::map<std::pair<std::int64_t, std::int64_t>, bid const*> last;
    for (auto const& b : in.bids) {
        auto& there = last[{b.bidder, b.auction}];
        bool const newer = there == nullptr || b.date_time > there->date_time
            || (b.date_time == there->date_time && b.extra.view() < there->extra.view());
        if (newer) there = &b;
    }
    for (auto const& [key, b] : last) {
        out.add(b->auction, b->bidder, b->price, b->channel, b->url, b->date_time, b->extra);
    }
}
void ten_dearest_by_hand(events const& in, nexmark::answer& out) {
    std::map<std::int64_t, std::vector<bid const*>> of;
    for (auto const& b : in.bids) of[b.auction].push_back(&b);
    for (auto& [id, some] : of) {
        // Of equal prices the earlier one in the log: a bid lies behind those before it.
        std::sort(some.begin(), some.end(),
            [](bid const* a, bid const* b) { return a->price != b->price ? a->price > b->price : a < b; });
        for (std::size_t i = 0; i < std::min<std::size_t>(10, some.size()); ++i) {
            bid const& b = *some[i];
            out.add(b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra, i + 1);
        }
    }
}
void moving_averages_by_hand(events const& in, nexmark::answer& out) {
    std::map<auction const*, bid const*> least;
    for (auto const& [a, b] : valid(in)) {
        auto& there = least[a];
        bool const less =
            there == nullptr || std::pair{b->price, b->date_time} < std::pair{there->price, there->date_time};
        if (less) there = b;
    }
    std::map<std::int64_t, std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>>> of;
    for (auto const& [a, b] : least) of[a->seller].push_back({b->date_time.ns(), a->id, b->price});
    for (auto& [seller, rows] : of) {
        std::sort(rows.begin(), rows.end());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::int64_t sum = 0, count = 0;
            for (std::size_t j = 0; j <= i; ++j) {
                if (j + 10 >= i) sum += std::get<2>(rows[j]), ++count;
            }
            out.add(seller, nexmark::average(sum, count, 2));
        }
    }
}

std::map<std::string_view, oracle> const by_hand{
    {"q0", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) out.add(b.auction, b.bidder, b.price, b.date_time);
     }},
    {"q1", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) out.add(b.auction, b.bidder, nexmark::decimal(b.price * 908, 3), b.date_time);
     }},
    {"q2", [](events const& in, nexmark::answer& out) {
         std::set<std::int64_t> const wanted{1007, 1020, 2001, 2019, 2087};
         for (auto const& b : in.bids) {
             if (wanted.count(b.auction) != 0) out.add(b.auction, b.price);
         }
     }},
    {"q3", [](events const& in, nexmark::answer& out) {
         std::set<std::string> const states{"or", "id", "ca"};
         for (auto const& a : in.auctions) {
             for (auto const& p : in.persons) {
                 bool const wanted = a.category == 10 && p.id == a.seller && states.count(p.state.str()) != 0;
                 if (wanted) out.add(p.name, p.city, p.state, a.id);
             }
         }
     }},
    {"q4", [](events const& in, nexmark::answer& out) {
         std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> of;
         for (auto const& [a, price] : final_prices(in)) {
             of[a->category].first += price;
             ++of[a->category].second;
         }
         for (auto const& [category, sum] : of) out.add(category, nexmark::average(sum.first, sum.second, 2));
     }},
    {"q5", hot_auctions_by_hand},
    {"q6", moving_averages_by_hand},
    {"q7", highest_by_hand},
    {"q8", [](events const& in, nexmark::answer& out) {
         for (auto const& p : in.persons) {
             auto const start = window_of(p.date_time, 10 * second);
             bool const sells = std::any_of(in.auctions.begin(), in.auctions.end(), [&](auction const& a) {
                 return a.seller == p.id && window_of(a.date_time, 10 * second) == start;
             });
             if (sells) out.add(p.id, p.name, ms(start));
         }
     }},
    {"q9", [](events const& in, nexmark::answer& out) {
         std::map<auction const*, bid const*> won;
         for (auto const& [a, b] : valid(in)) {
             auto& there = won[a];
             bool const better = there == nullptr || b->price > there->price
                 || (b->price == there->price && b->date_time < there->date_time);
             if (better) there = b;
         }
         for (auto const& [a, b] : won) {
             out.add(a->id, a->item_name, a->description, a->initial_bid, a->reserve, a->date_time, a->expires,
                 a->seller, a->category, b->auction, b->bidder, b->price, b->date_time);
         }
     }},
    {"q10", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) {
             auto const minute = b.date_time.ns() % day / (60 * second);
             auto const hour = minute / 60 % 12 == 0 ? 12 : minute / 60 % 12;
             out.add(b.auction, b.bidder, b.price, b.date_time, nexmark::date(b.date_time),
                 nexmark::clock(hour * 60 + minute % 60));
         }
     }},
    {"q11", sessions_by_hand},
    {"q12", [](events const& in, nexmark::answer& out) {
         std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
         for (auto const& b : in.bids) ++counts[{b.bidder, window_of(b.date_time, 10 * second)}];
         for (auto const& [key, n] : counts) out.add(key.first, n, ms(key.second), ms(key.second + 10 * second));
     }},
    {"q13", [](events const& in, nexmark::answer& out) {
         auto const rows = static_cast<std::int64_t>(in.side_input.size());
         for (auto const& b : in.bids) {
             for (auto const& s : in.side_input) {
                 if (s.key == b.auction % rows) out.add(b.auction, b.bidder, b.price, b.date_time, s.value);
             }
         }
     }},
    {"q14", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) {
             auto const euros = b.price * 908;
             if (euros <= 1'000'000'000 || euros >= 50'000'000'000) continue;
             auto const hour = b.date_time.ns() % day / (3600 * second);
             char const* time = "otherTime";
             if (hour >= 8 && hour <= 18) time = "dayTime";
             if (hour <= 6 || hour >= 20) time = "nightTime";
             auto const extra = b.extra.str();
             out.add(b.auction, b.bidder, nexmark::decimal(euros, 3), time, b.date_time,
                 std::count(extra.begin(), extra.end(), 'c'));
         }
     }},
    {"q15", [](events const& in, nexmark::answer& out) {
         std::map<std::string, ranks> days;
         for (auto const& b : in.bids) days[nexmark::date(b.date_time)].take(b);
         for (auto const& [date, of] : days) of.put(out, date);
     }},
    {"q16", [](events const& in, nexmark::answer& out) {
         std::map<std::pair<std::string, std::string>, ranks> of;
         for (auto const& b : in.bids) of[{b.channel.str(), nexmark::date(b.date_time)}].take(b);
         for (auto const& [key, some] : of) some.put(out, key.first, key.second, some.last);
     }},
    {"q17", [](events const& in, nexmark::answer& out) {
         std::map<std::pair<std::int64_t, std::string>, std::vector<bid>> of;
         for (auto const& b : in.bids) of[{b.auction, nexmark::date(b.date_time)}].push_back(b);
         for (auto const& [key, some] : of) {
             std::int64_t counts[4] = {}, sum = 0, least = some[0].price, most = some[0].price;
             for (auto const& b : some) {
                 ++counts[0];
                 ++counts[rank_of(b)];
                 sum += b.price;
                 least = std::min(least, b.price);
                 most = std::max(most, b.price);
             }
             out.add(key.first, key.second, counts[0], counts[1], counts[2], counts[3], least, most,
                 nexmark::quotient(sum, counts[0]), sum);
         }
     }},
    {"q18", last_bids_by_hand},
    {"q19", ten_dearest_by_hand},
    {"q20", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) {
             for (auto const& a : in.auctions) {
                 if (a.id != b.auction || a.category != 10) continue;
                 out.add(b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra, a.item_name,
                     a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category, a.extra);
             }
         }
     }},
    {"q21", [](events const& in, nexmark::answer& out) {
         std::map<std::string, std::string> const known{
             {"apple", "0"}, {"google", "1"}, {"facebook", "2"}, {"baidu", "3"}};
         for (auto const& b : in.bids) {
             auto name = b.channel.str();
             for (auto& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
             auto const at = known.find(name);
             auto const url = '&' + b.url.str() + '&';
             auto const from = url.find("&channel_id=");
             if (at != known.end()) {
                 out.add(b.auction, b.bidder, b.price, b.channel, at->second);
             } else if (from != std::string::npos) {
                 auto const to = url.find('&', from + 1);
                 out.add(b.auction, b.bidder, b.price, b.channel, url.substr(from + 12, to - from - 12));
             }
         }
     }},
    {"q22", [](events const& in, nexmark::answer& out) {
         for (auto const& b : in.bids) {
             std::vector<std::string> parts{""};
             for (char const c : b.url) {
                 if (c == '/') parts.emplace_back();
                 else parts.back() += c;
             }
             parts.resize(std::max<std::size_t>(parts.size(), 6));
             out.add(b.auction, b.bidder, b.price, b.channel, parts[3], parts[4], parts[5]);
         }
     }},
    {"q101", [](events const& in, nexmark::answer& out) {
         for (auto const& a : in.auctions) {
             std::optional<std::int64_t> most;
             for (auto const& b : in.bids) {
                 if (b.auction == a.id && b.price > most.value_or(-1)) most = b.price;
             }
             out.add(a.id, a.item_name, most);
         }
     }},
    {"q102", [](events const& in, nexmark::answer& out) {
         auto const counts = bids_per_auction(in);
         auto const average = in.bids.size() / std::max<std::size_t>(1, counts.size());
         for (auto const& a : in.auctions) {
             auto const at = counts.find(a.id);
             if (at != counts.end() && at->second >= static_cast<std::int64_t>(average)) {
                 out.add(a.id, a.item_name, at->second);
             }
         }
     }},
    {"q103", [](events const& in, nexmark::answer& out) {
         auto const counts = bids_per_auction(in);
         for (auto const& a : in.auctions) {
             auto const at = counts.find(a.id);
             if (at != counts.end() && at->second >= 20) out.add(a.id, a.item_name);
         }
     }},
    {"q104", [](events const& in, nexmark::answer& out) {
         auto const counts = bids_per_auction(in);
         for (auto const& a : in.auctions) {
             auto const at = counts.find(a.id);
             if (at == counts.end() || at->second >= 20) out.add(a.id, a.item_name);
         }
     }},
    {"q105", [](events const& in, nexmark::answer& out) {
         auto const counts = bids_per_auction(in);  // fewer than a thousand auctions here
         for (auto const& a : in.auctions) {
             auto const at = counts.find(a.id);
             if (at != counts.end()) out.add(a.id, a.item_name, at->second);
         }
     }},
    {"q106", [](events const& in, nexmark::answer& out) {
         std::optional<std::int64_t> least;
         for (auto const& [a, price] : final_prices(in)) least = std::min(least.value_or(price), price);
         if (least) out.add(*least);
     }},
};

void check(std::span<nexmark::query const> queries, nexmark::history const& made) {
    events const in{all_of(made.persons), all_of(made.auctions), all_of(made.bids), all_of(made.side_input)};
    for (auto const& query : queries) {
        INFO(query.name);
        nexmark::answer want{""};
        by_hand.at(query.name)(in, want);
        auto const rows = want.str();
        auto const rows_of = [](std::string const& csv) { return csv.substr(csv.find('\n')); };
        for (auto const how : {nexmark::mode::batch, nexmark::mode::stream, nexmark::mode::restarted}) {
            for (int const threads : {1, 2}) {
                INFO("mode " << static_cast<int>(how) << ", threads " << threads);
                CHECK(rows_of(query.run(nexmark::runner{made, how, threads}).str()) == rows_of(rows));
            }
        }
    }
}
void check(std::span<nexmark::query const> queries, std::uint64_t seed, std::uint64_t count, dl::duration disorder) {
    INFO("seed " << seed << ", " << count << " events, disorder " << disorder.ns());
    nexmark::history made;
    // Slow enough that windows of ten seconds end, and sessions.
    nexmark::generator::options const how{
        .events = count, .seed = seed, .every = 40_ms, .disorder = disorder, .side_rows = 100};
    nexmark::generator{how}.fill(made);
    check(queries, made);
}
void check_all(std::span<nexmark::query const> queries) {
    check(queries, 1, 1500, {});
    for (std::uint64_t seed = 2; seed < (test::slow() ? 30U : 4U); ++seed) check(queries, seed, 1500, 3_s);
    check(queries, 9, 30, 3_s);
    check(queries, 10, 1, 3_s);  // a person, and nobody bids
}
}  // namespace

TEST_CASE("nexmark: bids one at a time", "[nexmark]") { check_all(nexmark::selections()); }
TEST_CASE("nexmark: totals", "[nexmark]") { check_all(nexmark::totals()); }
TEST_CASE("nexmark: the most, the dearest, the last", "[nexmark]") { check_all(nexmark::bests()); }
TEST_CASE("nexmark: joins", "[nexmark]") { check_all(nexmark::joins()); }
TEST_CASE("nexmark: valid bids", "[nexmark]") { check_all(nexmark::winners()); }

TEST_CASE("nexmark: on the nanosecond at which windows and auctions end", "[nexmark]") {
    nexmark::history made;
    auto const at = [](std::int64_t ms) { return dl::event_time::from_ms(1'436'918'400'000 + ms); };
    made.persons.append({1001, "a", "", "", "", "or", at(9'999), ""});
    made.persons.append({1002, "b", "", "", "", "ca", at(10'000), ""});
    for (auto const& [id, seller, from, to] :
        {std::tuple{1000, 1001, 9'999, 20'000}, {1001, 1002, 10'000, 30'000}, {1002, 1001, 10'000, 10'000}}) {
        made.auctions.append({id, "x", "", 0, 0, at(from), at(to), seller, 10 + id % 2, ""});
    }
    std::int64_t seq = 0;
    for (auto const& [auction, bidder, price, when] : {std::tuple{1000, 7, 500, 9'999}, {1001, 7, 500, 10'000},
             {1002, 8, 500, 10'000}, {1001, 7, 500, 9'999}, {1002, 7, 400, 10'001}, {1000, 8, 500, 19'999},
             {1000, 9, 900, 20'001}, {1000, 9, 500, 20'000}, {1001, 8, 400, 30'000}, {1000, 7, 10'000, 30'001},
             {1000, 7, 1'000'000, 40'001}}) {
        made.bids.append({seq++, auction, bidder, price, "Apple", "channel_id=5&x", at(when), "c"});
    }
    made.side_input.append({0, "even"});
    made.side_input.append({1, "odd"});
    for (auto const some : {nexmark::selections(), nexmark::totals(), nexmark::bests(), nexmark::joins(),
             nexmark::winners()}) {
        check(some, made);
    }
}

TEST_CASE("nexmark: averages are rounded half away from zero, quotients cut", "[nexmark]") {
    CHECK(nexmark::average(1, 3, 2) == "0.33");
    CHECK(nexmark::average(2, 3, 2) == "0.67");
    CHECK(nexmark::average(1, 200, 2) == "0.01");
    CHECK(nexmark::average(-1, 200, 2) == "-0.01");
    CHECK(nexmark::average(7, 1, 2) == "7.00");
    CHECK(nexmark::average(9'223'372'036'854'775'807 / 100, 1, 2) == "92233720368547758.00");
    CHECK(nexmark::quotient(7, 1) == "7");
    CHECK(nexmark::quotient(-15, 2) == "-7.5");
    CHECK(nexmark::quotient(2, 3) == "0.66666666666666666666");
    CHECK(nexmark::decimal(5, 3) == "0.005");
    CHECK(nexmark::decimal(-1234, 2) == "-12.34");
}
