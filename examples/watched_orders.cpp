// SPDX-License-Identifier: BSL-1.0
// examples/watched_orders.cpp - a job that is watched: its metrics for Prometheus, an alert that fires once and ends
// once, and the customer who makes a third of all orders.
// expect: ALERT driftless_lag_records{job="orders",partition="0"} is 5000, above 1000
// expect: ALERT driftless_lag_records{job="orders",partition="0"} is good again: 0
// expect: driftless_refused_total{job="orders",operator="aggregate",stage="0",reason="late"} 50
// expect: driftless_late_by_seconds_bucket{job="orders",operator="aggregate",stage="0",le="60"} 50
// expect: the hot key is 7, with 33 % of the orders
#include <driftless/driftless.hpp>
#include <driftless/metrics.hpp>
#include <driftless/run/input_sampler.hpp>
#include <driftless/run/job_metrics.hpp>

#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>

namespace dl = driftless;
using namespace driftless::literals;

struct order {
    std::int64_t customer;
    std::int64_t cents;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, cents, at);

inline constexpr auto per_customer =
    dl::from<order>()
    | dl::assign_time<&order::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&order::customer>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count(), dl::sum<&order::cents>());

int main() {
    dl::memory_log<order> log;
    dl::job job{dl::stream{}, per_customer, log, dl::to([](auto const&) {})};
    dl::input_sampler sampler{per_customer, log, {.records = 100'000}};
    dl::alerts watch;
    watch.alert("driftless_lag_records", dl::above(1'000).back_at(100).for_at_least(30_s),
        [](dl::alert_event const& e) { std::cout << "ALERT " << e.str() << '\n'; });
    // What a dl::watcher would do every ten seconds, on its own thread; here the clock is made up.
    auto const look = [&](dl::event_time now) {
        sampler.look(job.metrics());
        auto all = dl::metrics_of(job.metrics(), now, "orders");
        sampler.collect(all, "orders");
        watch.collect(all);
        watch.look(all, now);
        return all;
    };

    auto const begin = dl::event_time{} + 1_d;
    for (std::int64_t i = 0; i < 5'000; ++i) {
        auto const customer = i % 3 == 0 ? 7 : i % 1'000;
        auto const late = i >= 2'500 && i % 50 == 0 ? 45_s : 0_s;
        log.append({customer, 100, begin + i * 100_ms - late});
    }
    for (int second = 0; second <= 40; second += 10) look(begin + second * 1_s);  // nobody polls: the job is stuck
    job.poll();
    auto const all = look(begin + 50_s);

    std::istringstream text{dl::prometheus_text(all)};
    for (std::string line; std::getline(text, line);) {
        bool const refused = line.starts_with("driftless_refused_total") && line.find("reason=\"late\"") != line.npos;
        bool const late = line.starts_with("driftless_late_by") && line.find("le=\"60\"") != line.npos;
        if (refused || late) std::cout << line << '\n';
    }
    auto const hot = sampler.hot_keys(1)[0];
    auto const percent = hot.count * 100 / sampler.records();
    std::cout << "the hot key is " << hot.name << ", with " << percent << " % of the orders\n";
    return 0;
}
