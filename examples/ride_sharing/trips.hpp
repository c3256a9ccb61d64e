// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_RIDE_SHARING_TRIPS_HPP
#define EXAMPLES_RIDE_SHARING_TRIPS_HPP

#include <driftless/driftless.hpp>
#include <driftless/log/tiered_log.hpp>
#include <driftless/view.hpp>
#include <driftless/view/deployment.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace rides {
namespace dl = driftless;
using namespace driftless::literals;

/// What happens to a trip, in this order: TripRequested, DriverMatched, TripStarted, TripCompleted, PaymentCaptured.
struct trip_event {
    dl::text what;
    std::int64_t trip;
    dl::text zone;
    std::int64_t minutes, hectometres;  // of TripCompleted
    std::int64_t cents;                 // of PaymentCaptured
    dl::event_time at;
};

/// How many ask in a zone, and how many are picked up.
struct demand {
    std::int64_t requested, matched;
    friend bool operator==(demand const&, demand const&) = default;
    [[nodiscard]] double surge() const {
        return std::max(1.0, static_cast<double>(requested) / static_cast<double>(std::max<std::int64_t>(matched, 1)));
    }
};
/// What the trips of a zone and a day come to.
struct fares {
    std::int64_t trips, hectometres, minutes, cents;
    friend bool operator==(fares const&, fares const&) = default;
};
struct unpaid {
    std::int64_t trip;
    dl::event_time completed;
    friend auto operator<=>(unpaid const&, unpaid const&) = default;
};
}  // namespace rides
BOOST_HANA_ADAPT_STRUCT(rides::trip_event, what, trip, zone, minutes, hectometres, cents, at);
BOOST_HANA_ADAPT_STRUCT(rides::demand, requested, matched);
BOOST_HANA_ADAPT_STRUCT(rides::fares, trips, hectometres, minutes, cents);
BOOST_HANA_ADAPT_STRUCT(rides::unpaid, trip, completed);

namespace rides {
constexpr auto disorder = 5_s;
inline constexpr auto events =
    dl::from<trip_event>()
    | dl::assign_time<&trip_event::at>(dl::bounded_disorder{disorder});

/// The last ten minutes of each zone, every half minute: known five seconds later.
inline constexpr auto surge =
    events
    | dl::filter([](trip_event const& e) { return e.what == "TripRequested" || e.what == "DriverMatched"; })
    | dl::key_by<&trip_event::zone>()
    | dl::window(dl::sliding{10_min, 30_s})
    | dl::aggregate<demand>(dl::sum([](trip_event const& e) { return e.what == "TripRequested" ? 1 : 0; }),
        dl::sum([](trip_event const& e) { return e.what == "DriverMatched" ? 1 : 0; }));

/// The fares of a day, by a price list. A phone without a network may tell of a trip up to three days later.
constexpr auto daily_fares(auto price) {
    return events
        | dl::filter([](trip_event const& e) { return e.what == "TripCompleted"; })
        | dl::key_by<&trip_event::zone>()
        | dl::window(dl::tumbling{1_d}, dl::allowed_lateness{3_d})
        | dl::aggregate<fares>(dl::count(), dl::sum<&trip_event::hectometres>(), dl::sum<&trip_event::minutes>(),
            dl::sum(price));
}
constexpr std::int64_t base_fare(std::int64_t trips, std::int64_t hectometres, std::int64_t minutes) {
    return 250 * trips + 12 * hectometres + 30 * minutes;
}
/// From this day on the airport takes a fee for each trip; version 1 does not know.
constexpr auto fee_from = dl::event_time{} + 100_d;
constexpr std::int64_t airport_fee = 300;

inline constexpr auto price_1 = [](trip_event const& e) { return base_fare(1, e.hectometres, e.minutes); };
inline constexpr auto price_2 = [](trip_event const& e) {
    return price_1(e) + (e.zone == "airport" && e.at >= fee_from ? airport_fee : 0);
};
inline constexpr auto fares_1 = daily_fares(price_1);
inline constexpr auto fares_2 = daily_fares(price_2);

/// Trips whose payment has not come an hour after their end. What is known of a trip is forgotten after four days.
struct payment_is_due {
    struct state {
        dl::value_state<dl::event_time> completed;
        dl::value_state<bool> paid;
        dl::event_timer due, forget;
    };
    void on_record(state& own, trip_event const& e, auto& context) const {
        context.set(own.forget, e.at + 4_d);
        if (e.what == "PaymentCaptured") {
            own.paid = true;
            context.cancel(own.due);
        } else if (!own.paid) {
            own.completed = e.at;
            context.set(own.due, e.at + 1_h);
        }
    }
    void on_timer(state& own, dl::fired_timer const& fired, auto& context) const {
        if (fired.is(own.due)) context.emit({context.key(), *own.completed});
        else context.clear();
    }
};
}  // namespace rides
BOOST_HANA_ADAPT_STRUCT(rides::payment_is_due::state, completed, paid, due, forget);

namespace rides {
inline constexpr auto unpaid_trips =
    events
    | dl::filter([](trip_event const& e) { return e.what == "TripCompleted" || e.what == "PaymentCaptured"; })
    | dl::key_by<&trip_event::trip>()
    | dl::process<unpaid>(payment_is_due{}, dl::unbounded_state{});  // its timers bound it

using trip_log = dl::tiered_log<dl::file_log<trip_event>>;
using surge_view = dl::view<std::string, demand>;
using unpaid_view = dl::view<std::int64_t, unpaid>;
using fare_reports = dl::deployment<std::string, fares>;

constexpr dl::time_window day(std::int64_t n) { return dl::tumbling{1_d}.assign(dl::event_time{} + n * 1_d); }
constexpr std::int64_t day_of(dl::event_time at) { return at.ms() / 86'400'000; }
}  // namespace rides
#endif
