// SPDX-License-Identifier: BSL-1.0
// examples/orders_with_prices.cpp - each order at the price that held when it was placed; and a table of products with
// their latest price and stock.
// expect: 09:30 tea 2 x 250 = 500
// expect: 10:05 tea 1 x 280 = 280
// expect: 10:06 jam: no price
// expect: products: cake 320, 4 left
// expect: products: tea 280, 7 left
#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text sku;
    std::int64_t units;
    dl::event_time at;
};
struct price {
    dl::text sku;
    std::int64_t cents;  // 0: not for sale any more
    dl::event_time from;
};
struct stock {
    dl::text sku;
    std::int64_t units;
    dl::event_time counted;
};
BOOST_HANA_ADAPT_STRUCT(order, sku, units, at);
BOOST_HANA_ADAPT_STRUCT(price, sku, cents, from);
BOOST_HANA_ADAPT_STRUCT(stock, sku, units, counted);

inline constexpr auto prices =
    dl::from<price>("prices"_name)
    | dl::assign_time<&price::from>(dl::bounded_disorder{1_h})
    | dl::key_by<&price::sku>()
    | dl::table(dl::max_keys{100'000}, dl::deleted_if([](price const& p) { return p.cents == 0; }));

inline constexpr auto stocks =
    dl::from<stock>("stocks"_name)
    | dl::assign_time<&stock::counted>(dl::bounded_disorder{1_h})
    | dl::key_by<&stock::sku>()
    | dl::table(dl::max_keys{100'000});

/// A new price later in the day does not change what was ordered before.
inline constexpr auto priced_orders = dl::join(
    dl::from<order>("orders"_name)
        | dl::assign_time<&order::at>(dl::bounded_disorder{5_min})
        | dl::key_by<&order::sku>(),
    prices, dl::as_of{}, dl::left_outer{});

/// Changes with either table.
inline constexpr auto products = dl::join(prices, stocks);

int main() {
    auto const at = [](int hour, int minute) { return dl::event_time{} + 1_h * hour + 1_min * minute; };
    // Prices and orders come in any order: what counts is from when they hold.
    std::vector<price> const price_list{
        {"tea", 280, at(10, 0)}, {"tea", 250, at(8, 0)}, {"jam", 400, at(8, 0)}, {"jam", 0, at(10, 6)},
        {"cake", 320, at(9, 0)}};
    std::vector<order> const orders{{"tea", 1, at(10, 5)}, {"tea", 2, at(9, 30)}, {"jam", 3, at(10, 6)}};
    std::vector<stock> const counts{{"tea", 7, at(7, 0)}, {"jam", 2, at(7, 0)}, {"cake", 4, at(9, 10)}};

    for (auto const& [sku, window, row, info] :
        dl::run(dl::batch{}, priced_orders, dl::bind("prices"_name, price_list), dl::bind("orders"_name, orders))) {
        auto const minutes = row.left.at.ms() / 60'000;
        auto const two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
        std::cout << two(minutes / 60) << ':' << two(minutes % 60) << ' ' << sku;
        if (!row.right) {
            std::cout << ": no price\n";
            continue;
        }
        std::cout << ' ' << row.left.units << " x " << row.right->cents << " = " << row.left.units * row.right->cents
                  << '\n';
    }

    std::vector<std::string> lines;
    for (auto const& [sku, window, row, info] :
        dl::run(dl::batch{}, products, dl::bind("prices"_name, price_list), dl::bind("stocks"_name, counts))) {
        lines.push_back("products: " + sku + ' ' + std::to_string(row.left.cents) + ", "
            + std::to_string(row.right.units) + " left\n");
    }
    std::sort(lines.begin(), lines.end());
    for (auto const& line : lines) std::cout << line;
}
