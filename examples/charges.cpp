// SPDX-License-Identifier: BSL-1.0
// examples/charges.cpp - a charge for each order above 1000 cents: recorded exactly once, whatever happens to the job,
// and made until it works. The bank is down at first; one account is closed.
// expect: job.out.0: Ada pays 1200: the bank is down
// expect: job.out.0: Ada pays 1200: paid
// expect: job.out.1: Eve pays 5000: account closed
// expect: job.out.2: Bob pays 3000: paid
// expect: given up: Eve 5000, account closed
#include <driftless/driftless.hpp>
#include <driftless/io/outbox.hpp>
#include <driftless/io/outbox_sink.hpp>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    dl::text customer;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, cents);

inline constexpr auto large_orders =
    dl::from<order>()
    | dl::filter([](order const& o) { return o.cents > 1000; });

dl::event_time hands{};  // so that nobody waits here
dl::event_time by_hand() { return hands; }

dl::call_result charge(dl::effect<order> const& each, bool bank_is_up) {
    std::cout << each.id << ": " << each.row.customer.view() << " pays " << each.row.cents << ": ";
    if (each.row.customer == dl::text{"Eve"}) {
        std::cout << "account closed\n";
        return {dl::call_state::refused, "account closed"};
    }
    std::cout << (bank_is_up ? "paid\n" : "the bank is down\n");
    return bank_is_up ? dl::call_state::done : dl::call_state::again;  // a real bank is given each.id as well
}

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_charges").string();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);

    dl::memory_log<order> orders;
    orders.append({"Ada", 1200});
    orders.append({"Ada", 300});
    orders.append({"Eve", 5000});
    orders.append({"Bob", 3000});
    {
        dl::outbox_sink<order> charges{folder + "/charges"};
        dl::run(dl::stream{.snapshots = folder, .until = dl::end_of_log}, large_orders, orders, charges);
    }

    // Another thread, or another program.
    dl::outbox<order> charges{folder + "/charges", {.waiting = 1, .clock = &by_hand}};
    charges.deliver([](auto const& each) { return charge(each, false); });
    hands = hands + 1_s;
    charges.deliver([](auto const& each) { return charge(each, true); });
    for (auto const& each : charges.dead_letters()) {
        std::cout << "given up: " << each.row.customer.view() << ' ' << each.row.cents << ", " << each.reason << '\n';
    }
    std::filesystem::remove_all(folder);
}
