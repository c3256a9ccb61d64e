// SPDX-License-Identifier: BSL-1.0
// feature_flag.cpp - a tax is switched on while a job reads; a replay charges the very orders that were charged then.
// expect: live 2160, replayed 2160, first taxed offset 6
#include <driftless/agg/sum.hpp>
#include <driftless/log/flag_values.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/flag.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <iostream>

namespace dl = driftless;
using namespace dl::literals;

struct order {
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, cents, at);

int main() {
    dl::memory_log<order> orders;
    dl::memory_log<dl::flag_change<bool>> changes;  // a file_log keeps them for the next program
    dl::flag_values taxed{changes, false};
    auto const with_tax = [](order const& o, bool on) { return on ? order{o.cents * 12 / 10, o.at} : o; };
    auto const revenue = dl::from<order>() | dl::flag<"taxed"_name>(taxed, with_tax)
        | dl::assign_time<&order::at>(dl::bounded_disorder{0_s}) | dl::window(dl::tumbling{1_d})
        | dl::aggregate(dl::sum<&order::cents>());

    std::int64_t live = 0;
    auto show = dl::to([&](auto const& row) { live = row.value; });
    dl::job job{dl::stream{}, revenue, orders, show};
    for (int i = 0; i < 18; ++i) {
        if (i == 6) taxed.set(true, orders);  // what is appended from now on
        orders.append({i < 6 ? 120 : 100, dl::event_time{} + i * 1_min});
        if (i % 4 == 3) job.poll();
    }
    job.drain();

    auto const replayed = dl::run(dl::batch{}, revenue, orders);
    std::cout << "live " << live << ", replayed " << replayed[0].value << ", first taxed offset "
              << taxed.history()[0].from[0] << '\n';
}
