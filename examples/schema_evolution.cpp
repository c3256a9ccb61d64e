// SPDX-License-Identifier: BSL-1.0
// examples/schema_evolution.cpp - three versions of a record in one log, read as the newest.
// expect: 2 of 2 segments can be read
// expect: tea: 4.5 EUR, 1 piece
// expect: rice: 2.25 EUR, 12 pieces
// expect: salt: 0.75 CHF, 3 pieces
// expect: backward: an old program would say: cents: i32 was i64, and numbers are not narrowed: give an upcaster
#include <driftless/codec/compatibility.hpp>
#include <driftless/driftless.hpp>
#include <driftless/log/evolution.hpp>
#include <driftless/testing/memory_files.hpp>

#include <iostream>

namespace dl = driftless;

// The program of the first year.
struct order_v1 {
    std::string sku;
    std::int32_t cents = 0;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order_v1, sku, cents, at);

// The second year: cents are wider, `at` has another name, and there are quantities; older orders are for 1 piece.
struct order_v2 {
    static constexpr auto schema_evolution = dl::evolving;
    static constexpr std::array schema_aliases{dl::schema_alias{"at", "ordered"}};
    std::string sku;
    std::int64_t cents = 0;
    std::uint32_t quantity = 1;
    dl::event_time ordered;
};
BOOST_HANA_ADAPT_STRUCT(order_v2, sku, cents, quantity, ordered);

// The third: no rule makes a price of cents, so a function does.
struct order_v3 {
    static constexpr auto schema_evolution = dl::evolving;
    std::string sku;
    double price = 0;
    std::string currency;
    std::uint32_t quantity = 1;
    dl::event_time ordered;
};
BOOST_HANA_ADAPT_STRUCT(order_v3, sku, price, currency, quantity, ordered);
template <>
inline constexpr auto driftless::schema_history<order_v3> =
    driftless::upcasters<order_v2, order_v3>([](order_v2 const& old) {
        return order_v3{old.sku, static_cast<double>(old.cents) / 100, "EUR", old.quantity, old.ordered};
    });

int main() {
    dl::testing::memory_files files;
    dl::file_log_options options;
    options.files = &files;

    dl::file_log<order_v1>{"orders", options}.append(order_v1{"tea", 450, dl::event_time{1}});
    dl::file_log<order_v2>{"orders", options}.append(order_v2{"rice", 225, 12, dl::event_time{2}});

    auto const found = dl::can_read_all<order_v3>("orders", files);
    std::cout << found.segments - found.unreadable.size() << " of " << found.segments << " segments can be read\n";

    dl::file_log<order_v3> log{"orders", options};
    log.append(order_v3{"salt", 0.75, "CHF", 3, dl::event_time{3}});
    auto print = dl::to([](order_v3 const& one) {
        std::cout << one.sku << ": " << one.price << ' ' << one.currency << ", " << one.quantity
                  << (one.quantity == 1 ? " piece\n" : " pieces\n");
    });
    dl::run(dl::batch{}, dl::from<order_v3>(), log, print);

    auto const change = dl::compatibility<order_v1, order_v2>();
    std::cout << to_string(change.kind()) << ": an old program would say: " << change.forward.front() << '\n';
}
