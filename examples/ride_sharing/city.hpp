// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RIDE_SHARING_CITY_HPP
#define EXAMPLES_RIDE_SHARING_CITY_HPP

#include "trips.hpp"

#include "../support/random.hpp"

#include <driftless/view/row_set.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rides {

using fares_by_zone = dl::row_set<std::string, fares>;

/// What happened, as the city knows it: the events in the order in which they reach us, and the ledger of the bank.
struct city {
    static constexpr std::int64_t days = 150;
    std::multimap<dl::event_time, trip_event> arrivals;
    /// By day and zone: trips and cents. It takes no notice of phones.
    std::map<std::int64_t, std::map<std::string, fares>> ledger;

    explicit city(std::int64_t trips) {
        constexpr dl::text zones[] = {"airport", "centre", "harbour", "north"};
        support::random random{4};
        auto const step = dl::duration{days * (1_d).ns() / trips};
        auto const seconds = [&](std::int64_t from, std::int64_t to) { return (from + random.below(to - from)) * 1_s; };
        for (std::int64_t trip = 1; trip <= trips; ++trip) {
            trip_event e{"TripRequested", trip, zones[random.below(4)], 0, 0, 0, {}};
            e.at = dl::event_time{} + step * (trip - 1) + dl::duration{random.below(step.ns())};
            auto const tell = [&](dl::text what, dl::duration on_the_way) {
                e.what = what;
                arrivals.insert({e.at + on_the_way, e});
            };
            auto const soon = [&] { return dl::duration{random.below(disorder.ns())}; };
            tell("TripRequested", soon());
            if (random.one_in(8)) continue;  // nobody came
            e.at = e.at + seconds(5, 100);
            tell("DriverMatched", soon());
            e.at = e.at + seconds(60, 600);
            tell("TripStarted", soon());
            e.minutes = 5 + random.below(40);
            e.hectometres = 10 + random.below(300);
            e.at = e.at + e.minutes * 1_min;
            bool const no_network = trip % 2600 == 0;
            tell("TripCompleted", no_network ? 40_h : soon());
            e.cents = price_2(e);
            auto const booked = day_of(e.at);
            // One number after the other: compilers differ in what of a sum they ask for first.
            auto const moment = seconds(1, 60);
            e.at = e.at + moment + (random.one_in(1000) ? 25_h : 0_h);
            tell("PaymentCaptured", soon());
            auto& of = ledger[booked][e.zone.str()];
            of = {of.trips + 1, of.hectometres + e.hectometres, of.minutes + e.minutes, of.cents + e.cents};
        }
    }
    /// What the ledger says of the days from ... to.
    [[nodiscard]] fares_by_zone ledger_of(std::int64_t from, std::int64_t to) const {
        return dl::rows_of<std::string, fares>([&](auto const& row) {
            for (auto at = ledger.lower_bound(from); at != ledger.end() && at->first <= to; ++at) {
                for (auto const& [zone, of] : at->second) row(zone, day(at->first), of);
            }
        });
    }
};

/// The surge by plain loops: of the ten minutes before each half minute in (from, until].
inline auto surge_by_loops(city const& of, dl::event_time from, dl::event_time until) {
    auto const half_minute = [](dl::event_time at) { return at.ms() / 30'000; };
    std::map<std::pair<std::int64_t, std::string>, demand> counts;
    for (auto const& [arrived, e] : of.arrivals) {
        bool const asked = e.what == "TripRequested";
        if (!asked && e.what != "DriverMatched") continue;
        for (auto end = half_minute(e.at) + 1; end <= half_minute(e.at) + 20; ++end) {
            if (end <= half_minute(from) || end > half_minute(until)) continue;
            auto& in = counts[{end, e.zone.str()}];
            ++(asked ? in.requested : in.matched);
        }
    }
    return dl::rows_of<std::string, demand>([&](auto const& row) {
        for (auto const& [at, value] : counts) {
            auto const end = dl::event_time{} + at.first * 30_s;
            row(at.second, {end - 10_min, end}, value);
        }
    });
}
/// The trips that are not paid an hour after their end.
inline std::vector<unpaid> unpaid_by_loops(city const& of) {
    std::map<std::int64_t, dl::event_time> paid;
    std::vector<unpaid> out;
    for (auto const& [arrived, e] : of.arrivals) {
        if (e.what == "PaymentCaptured") paid[e.trip] = e.at;
    }
    for (auto const& [arrived, e] : of.arrivals) {
        bool const heard_of_in_time = e.what == "TripCompleted" && arrived < e.at + 1_h;
        if (heard_of_in_time && paid[e.trip] > e.at + 2_h) out.push_back({e.trip, e.at});
    }
    return out;
}
}  // namespace rides
#endif
