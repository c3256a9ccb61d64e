// SPDX-License-Identifier: BSL-1.0
// examples/surge_pricing.cpp - what a ride costs when many are asked for and few drivers are free: each request with
// the drivers who said in the two minutes before it that they are free in the same zone (an interval join), then a factor
// per zone and five minutes. Requests and drivers come from two logs, each a little out of order.
// expect: 00:00 harbour: 2 requests, 2 drivers, price x 1.0
// expect: 00:00 airport: 3 requests, 2 drivers, price x 1.5
// expect: 00:05 airport: 2 requests, 0 drivers, price x 2.0
// expect: batch = stream
#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct ride_request {
    std::int64_t ride;
    dl::text zone;
    dl::event_time at;
};
struct free_driver {
    std::int64_t driver;
    dl::text zone;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(ride_request, ride, zone, at);
BOOST_HANA_ADAPT_STRUCT(free_driver, driver, zone, at);

/// A ride and a driver who could take it; 0 for nobody.
struct chance {
    std::int64_t ride, driver;
};
struct zone_load {
    std::int64_t requests, drivers, without;
};
BOOST_HANA_ADAPT_STRUCT(chance, ride, driver);
BOOST_HANA_ADAPT_STRUCT(zone_load, requests, drivers, without);

inline constexpr auto requests = dl::from<ride_request>("requests"_name)
    | dl::assign_time<&ride_request::at>(dl::bounded_disorder{30_s})
    | dl::key_by<&ride_request::zone>();
inline constexpr auto drivers = dl::from<free_driver>("drivers"_name)
    | dl::assign_time<&free_driver::at>(dl::bounded_disorder{30_s})
    | dl::key_by<&free_driver::zone>();

inline constexpr auto load =
    dl::join(requests, drivers, dl::interval{-2_min, 0_s}, dl::left_outer{},
        [](ride_request const& asked, free_driver const* driver) {
            return chance{asked.ride, driver != nullptr ? driver->driver : 0};
        })
    | dl::window(dl::tumbling{5_min})
    | dl::aggregate<zone_load>(dl::distinct<&chance::ride>(), dl::distinct<&chance::driver>(),
        dl::max([](chance const& c) { return c.driver == 0 ? 1 : 0; }));

template <class Rows>
std::string report(Rows const& rows) {
    std::string out;
    for (auto const& [zone, window, of, info] : rows) {
        auto const free = of.drivers - of.without;  // nobody is no driver
        auto const asked = static_cast<double>(of.requests);
        auto const factor = std::max(1.0, asked / static_cast<double>(std::max<std::int64_t>(free, 1)));
        char line[96];
        std::snprintf(line, sizeof line, "00:%02d %s: %d requests, %d drivers, price x %.1f\n",
            static_cast<int>(window.start.ms() / 60'000), std::string{zone}.c_str(), static_cast<int>(of.requests),
            static_cast<int>(free), factor);
        out += line;
    }
    return out;
}

int main() {
    auto const second = [](std::int64_t s) { return dl::event_time{} + s * 1_s; };
    std::vector<ride_request> const asked{{1, "airport", second(70)}, {2, "harbour", second(80)},
        {3, "airport", second(95)}, {4, "harbour", second(90)}, {5, "airport", second(130)},
        {6, "airport", second(320)}, {7, "airport", second(310)}};
    std::vector<free_driver> const free{{11, "airport", second(10)}, {12, "airport", second(60)},
        {13, "harbour", second(75)}, {14, "harbour", second(50)}, {15, "airport", second(330)}};

    auto const batch = report(dl::run(dl::batch{}, load, asked, free));
    dl::memory_log<ride_request> asked_log;
    dl::memory_log<free_driver> free_log;
    for (auto const& each : asked) asked_log.append(each);
    for (auto const& each : free) free_log.append(each);
    auto const stream = report(dl::run(dl::stream{.until = dl::drained}, load, asked_log, free_log));
    std::cout << batch << (batch == stream ? "batch = stream\n" : "batch and stream differ\n" + stream);
}
