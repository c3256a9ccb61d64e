// SPDX-License-Identifier: BSL-1.0
// examples/recent_orders.cpp - with each order of a customer, what was ordered in the 24 hours up to it: a list that is
// forgotten when nothing has come for a day, so that the state is bounded by those who order.
// expect: Ada orders 10: 1 order, 10 in a day
// expect: Bob orders 7: 1 order, 7 in a day
// expect: Ada orders 20: 2 orders, 30 in a day
// expect: Ada orders 5: 2 orders, 25 in a day
// expect: Ada orders 8: 1 order, 8 in a day
// expect: batch = stream
#include <driftless/driftless.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text customer;
    std::int64_t cents;
    dl::event_time at;
};
struct kept_order {
    dl::event_time at;
    std::int64_t cents;
};
struct recent {
    std::int64_t cents, orders, in_a_day;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, cents, at);
BOOST_HANA_ADAPT_STRUCT(kept_order, at, cents);
BOOST_HANA_ADAPT_STRUCT(recent, cents, orders, in_a_day);

struct last_24_hours {
    struct state {
        dl::list_state<kept_order, dl::time_to_live<(24_h).ns()>> orders;
    };
    void on_record(state& own, order const& o, auto& context) const {
        own.orders.erase_if([&](kept_order const& old) { return old.at <= o.at - 24_h; });
        own.orders.push_back({o.at, o.cents});
        recent row{o.cents, 0, 0};
        for (auto const& each : own.orders) {
            ++row.orders;
            row.in_a_day += each.cents;
        }
        context.emit(row);
    }
};
BOOST_HANA_ADAPT_STRUCT(last_24_hours::state, orders);

inline constexpr auto recent_orders =
    dl::from<order>()
    | dl::assign_time<&order::at>(dl::bounded_disorder{1_h})
    | dl::sorted_by_time()
    | dl::key_by<&order::customer>()
    | dl::process<recent>(last_24_hours{});

int main() {
    auto const hour = [](std::int64_t h) { return dl::event_time{} + h * 1_h; };
    std::vector<order> const log{{"Bob", 7, hour(9)}, {"Ada", 10, hour(8)}, {"Ada", 20, hour(31)}, {"Ada", 5, hour(32)},
        {"Ada", 8, hour(60)}};
    std::string lines;
    auto print = dl::to([&](dl::pane<dl::text, recent> const& row) {
        auto const& [cents, orders, in_a_day] = row.value;
        lines += row.key.str() + " orders " + std::to_string(cents) + ": " + std::to_string(orders)
            + (orders == 1 ? " order, " : " orders, ") + std::to_string(in_a_day) + " in a day\n";
    });
    dl::run(dl::stream{.until = dl::drained}, recent_orders, log, print);
    std::cout << lines;
    auto const streamed = std::move(lines);
    lines.clear();
    dl::run(dl::batch{}, recent_orders, log, print);
    std::cout << (lines == streamed ? "batch = stream\n" : "batch and stream differ\n");
}
