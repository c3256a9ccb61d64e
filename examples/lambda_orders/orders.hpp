// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LAMBDA_ORDERS_ORDERS_HPP
#define EXAMPLES_LAMBDA_ORDERS_ORDERS_HPP

#include "../support/random.hpp"

#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace shop {
namespace dl = driftless;
using namespace driftless::literals;

struct order {
    std::string id;
    std::int64_t cents;
    dl::event_time at;  // when the customer pressed the button
};

// Times are those of a clock of the shop: day 0 begins at 0.
inline std::int64_t hour_of(dl::event_time at) { return at.ns() / (1_h).ns(); }
inline dl::event_time start_of(std::int64_t hour) { return dl::event_time{} + hour * 1_h; }
inline dl::time_window window_of(std::int64_t hour) { return {start_of(hour), start_of(hour + 1)}; }

/// An order, and when it reaches the log.
struct arrival {
    dl::event_time comes;
    order what;
};

/// The flash sale: the hour that everybody asks about, on day 1 from 9:00 to 10:00.
inline constexpr std::int64_t sale_hour = 24 + 9;

/// Two days of a shop. In the flash sale 1,440 orders of 100 come in time; the line is overloaded, and 60 of these
/// phones send theirs once more. Ten more orders were made in the underground, and come at 10:40.
inline std::vector<arrival> two_days() {
    std::vector<arrival> out;
    support::random random{150};
    auto const add = [&](std::string id, std::int64_t cents, dl::event_time at, dl::event_time comes) {
        out.push_back({comes, {std::move(id), cents, at}});
    };
    for (std::int64_t hour = 0; hour < 48 + 3; ++hour) {
        if (hour == sale_hour) continue;
        for (std::int64_t i = 0; i < 120; ++i) {
            auto const at = start_of(hour) + i * 30_s;
            auto const cents = 500 + random.below(9'500);
            add("o" + std::to_string(hour * 10'000 + i), cents, at, at + random.below(120) * 1_s);
        }
    }
    for (std::int64_t i = 0; i < 1'440; ++i) {
        auto const at = start_of(sale_hour) + i * 2'500_ms;
        auto const id = "f" + std::to_string(i);
        auto const comes = at + random.below(60) * 1_s;
        add(id, 100'00, at, comes);
        // The same order, with the time of the second press.
        if (i % 24 == 5) {
            auto const again = at + 10_s + random.below(30) * 1_s;
            add(id, 100'00, again, again + 5_s);
        }
    }
    for (std::int64_t i = 0; i < 10; ++i) {
        add("u" + std::to_string(i), 100'00, start_of(sale_hour) + (20 + i) * 1_min,
            start_of(sale_hour) + 100_min + i * 1_s);
    }
    std::sort(out.begin(), out.end(), [](arrival const& a, arrival const& b) {
        return std::pair{a.comes.ns(), a.what.id} < std::pair{b.comes.ns(), b.what.id};
    });
    return out;
}
}  // namespace shop
BOOST_HANA_ADAPT_STRUCT(shop::order, id, cents, at);
#endif
