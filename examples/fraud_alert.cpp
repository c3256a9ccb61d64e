// SPDX-License-Identifier: BSL-1.0
// examples/fraud_alert.cpp - a card is tried with a small payment and emptied within two minutes: keyed state and a
// timer. Payments that the terminal sent twice count once; all go on to a second result, the turnover per minute.
// expect: alert: card 4711, 25 then 90000 after 80 s
// expect: alert: card 77, 10 then 60000 after 120 s
// expect: 2 alerts, 1 payment came twice
// expect: turnover by minute: 25 90000 95 20000 60000 10
#include <driftless/driftless.hpp>

#include <cstdint>
#include <iostream>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct payment {
    std::int64_t id;
    std::int64_t card;
    std::int64_t cents;
    dl::event_time at;
};
struct alert {
    std::int64_t tried, taken, seconds;
};
BOOST_HANA_ADAPT_STRUCT(payment, id, card, cents, at);
BOOST_HANA_ADAPT_STRUCT(alert, tried, taken, seconds);

/// After a payment of less than 1 a card is watched for two minutes; then it is forgotten.
struct fraud {
    struct state {
        dl::value_state<payment> tried;
        dl::event_timer forget;
    };
    void on_record(state& own, payment const& p, auto& context) const {
        if (own.tried && p.cents > 50'000) {
            payment const& first = *own.tried;
            context.emit({first.cents, p.cents, (p.at - first.at).ns() / 1'000'000'000});
            return context.clear();
        }
        if (p.cents >= 100) return;
        own.tried = p;
        context.set(own.forget, p.at + 2_min);
    }
    void on_timer(state&, dl::fired_timer const&, auto& context) const { context.clear(); }
};
BOOST_HANA_ADAPT_STRUCT(fraud::state, tried, forget);

inline constexpr auto alerts =
    dl::from<payment>()
    | dl::assign_time<&payment::at>(dl::bounded_disorder{10_s})
    | dl::dedup<&payment::id>(1_h, dl::divert_to{"twice"_name})
    | dl::fork(dl::branch("turnover"_name, dl::window(dl::tumbling{1_min}), dl::aggregate(dl::sum<&payment::cents>())))
    | dl::sorted_by_time()  // a card's payments in the order in which they were made
    | dl::key_by<&payment::card>()
    | dl::process<alert>(fraud{}, dl::unbounded_state{});  // a card is kept for two minutes, its timer sees to that

int main() {
    auto const second = [](std::int64_t s) { return dl::event_time{} + s * 1_s; };
    std::vector<payment> const log{{1, 4711, 25, second(30)}, {3, 4711, 90'000, second(110)},
        {3, 4711, 90'000, second(110)},                           // sent again
        {5, 77, 10, second(140)}, {4, 12, 85, second(133)},       // out of order
        {6, 12, 20'000, second(199)},
        {7, 77, 60'000, second(260)},  // two minutes are within two minutes
        {8, 5, 10, second(310)}};
    std::int64_t twice = 0;
    std::int64_t found = 0;
    auto again = dl::to([&](payment const&) { ++twice; });
    std::vector<dl::pane<dl::unkeyed, std::int64_t>> minutes;
    auto per_minute = dl::to([&](dl::pane<dl::unkeyed, std::int64_t> const& row) { minutes.push_back(row); });
    auto print = dl::to([&](dl::pane<std::int64_t, alert> const& row) {
        ++found;
        auto const& [tried, taken, seconds] = row.value;
        std::cout << "alert: card " << row.key << ", " << tried << " then " << taken << " after " << seconds << " s\n";
    });
    dl::run(dl::stream{.until = dl::drained}, alerts, log, dl::bind("twice"_name, again),
        dl::bind("turnover"_name, per_minute), print);
    std::cout << found << " alerts, " << twice << " payment came twice\nturnover by minute:";
    for (auto const& minute : minutes) std::cout << ' ' << minute.value;
    std::cout << '\n';
}
