// SPDX-License-Identifier: BSL-1.0
// examples/ride_sharing - 150 days of a ride-sharing company, from TripRequested to PaymentCaptured, in one log: the
// last 30 days of it hot, what is older cold. The surge of each zone is known five seconds after each half minute; the
// fares of each day are reconciled with the ledger of the bank every morning; trips that nobody paid for are told after
// an hour. On day 100 the airport introduces a fee that our price list does not know, and the ledger disagrees: a
// second price list is replayed over cold and hot events, has to agree with the ledger, and is cut over. On day 75
// everything was stopped, and went on from its snapshots.
// expect: day 19, north: the ledger has 1 trips and 3940 cents more
// expect: day 19: agrees since day 22
// expect: stopped on day 75, and started again: 4988 of 44988 events were read once more
// expect: day 100, airport: the ledger has 0 trips and 10500 cents more
// expect: prices_2: replayed 61666 events, 42420 of them cold; it agrees with the ledger, and is current
// expect: day 102: agrees since day 103
// expect: greatest surge of the last day: airport x 2
// expect: unpaid after an hour: 12 trips
// expect: hot: since day 119, cold: the days before
// expect: verdict: all of it is what plain loops say, and no answer was of two price lists
#include "city.hpp"
#include "company.hpp"
#include "trips.hpp"

#include "../support/kept_log.hpp"

#include <driftless/driftless.hpp>
#include <driftless/view.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/validate.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {
using namespace rides;

/// Every morning: the fares of yesterday against the ledger, and again those of days that did not agree.
class reconciliation_office {
    city const& city_;
    std::set<std::int64_t> open_;

public:
    explicit reconciliation_office(city const& of) : city_(of) {}
    [[nodiscard]] std::size_t open_days() const { return open_.size(); }

    void look(std::int64_t today, fare_reports const& reports) {
        auto const rows = reports.view().read()->snapshot();
        auto days = open_;
        days.insert(today - 1);
        for (auto const n : days) {
            if (dl::reconcile(dl::rows_of(rows.rows(day(n))), city_.ledger_of(n, n))) {
                if (open_.erase(n) != 0) std::cout << "day " << n << ": agrees since day " << today << '\n';
                continue;
            }
            if (!open_.insert(n).second) continue;
            for (auto const& [zone, booked] : city_.ledger.at(n)) {
                auto const told = rows.find(zone, day(n));
                auto const trips = booked.trips - (told ? told->trips : 0);
                auto const cents = booked.cents - (told ? told->cents : 0);
                if (trips == 0 && cents == 0) continue;
                std::cout << "day " << n << ", " << zone << ": the ledger has " << trips << " trips and " << cents
                          << " cents more\n";
            }
        }
    }
};
/// The surge of the last hours, as it is shown: what plain loops say, up to five seconds before the newest event.
void require_surge(city const& of, surge_view const& shown, dl::event_time newest) {
    auto const rows = shown.snapshot();
    auto const from = dl::tumbling{30_s}.assign(newest).start - 12_h;
    auto const recent = rows.rows_if([&](auto const& row) { return row.window.end > from; });
    if (rows.at().progress != newest
        || !dl::reconcile(dl::rows_of(recent), surge_by_loops(of, from, newest - disorder))) {
        throw std::runtime_error{"the surge is not what plain loops say"};
    }
}
dl::validation<std::string, fares> checks(city const& of, std::int64_t until) {
    std::vector<dl::time_window> since;
    for (auto n = day_of(fee_from); n <= until; ++n) since.push_back(day(n));
    dl::validation<std::string, fares> out;
    out.add(dl::counts{}).add(dl::only_changes{since}).agrees_with("ledger", of.ledger_of(0, until));
    return out;
}

/// Everything that was told, against plain loops over what happened.
bool verdict(city const& of, company const& running, company::seen const& readers) {
    auto const reports = running.reports.view().read();
    bool const fares_agree = bool{dl::reconcile(dl::rows_of(reports->snapshot()), of.ledger_of(0, city::days))};

    std::vector<unpaid> told;
    running.unpaid_now.snapshot().for_each([&](auto const& row) { told.push_back(row.value); });
    auto expected = unpaid_by_loops(of);
    std::sort(told.begin(), told.end());
    std::sort(expected.begin(), expected.end());
    std::cout << "unpaid after an hour: " << told.size() << " trips\n";

    auto const hot = running.log.read(0, running.log.hot_offset());
    std::cout << "hot: since day " << day_of(hot[0].at) << ", cold: the days before\n";

    bool const nobody_wrong = readers.wrong == 0 && readers.answers != 0;
    if (fares_agree && told == expected && nobody_wrong) {
        std::cout << "verdict: all of it is what plain loops say, and no answer was of two price lists\n";
        return true;
    }
    std::cout << "verdict: fares " << (fares_agree ? "agree" : "differ") << ", unpaid trips "
              << (told == expected ? "agree" : "differ") << ", " << readers.wrong << " of " << readers.answers
              << " answers were wrong\n";
    return false;
}

int run() {
    support::temporary_folder const folder;
    city const made{20'000};
    company::seen readers;
    auto running = std::make_unique<company>(folder.path(), readers);
    reconciliation_office office{made};

    auto next = made.arrivals.begin();
    auto newest = dl::event_time::min();
    auto const append_until = [&](dl::event_time until) {
        for (; next != made.arrivals.end() && next->first < until; ++next) {
            city_time = next->first.ns();
            newest = std::max(newest, next->second.at);
            running->log.append(next->second);
        }
        running->poll();
    };
    for (std::int64_t today = 0; today <= city::days; ++today) {
        append_until(day(today).start + 1_h);
        running->log.move();  // what is 30 days old is cold from now on
        if (today > 0) office.look(today, running->reports);

        if (today == 75) {
            running.reset();
            running = std::make_unique<company>(folder.path(), readers);
            auto const all = running->log.end_offset();
            std::cout << "stopped on day 75, and started again: " << all - running->reports.about_current().records
                      << " of " << all << " events were read once more\n";
        }
        if (office.open_days() == 3) {  // that is no phone without a network
            running->reports.validate_with(checks(made, today - 1));
            auto const all = running->log.end_offset();
            auto const cold = running->log.hot_offset();
            auto const wrong = running->deploy("prices_2");
            if (!wrong.empty()) throw std::runtime_error{wrong};
            std::cout << "prices_2: replayed " << all << " events, " << cold
                      << " of them cold; it agrees with the ledger, and is current\n";
            office.look(today, running->reports);
        }
        append_until(day(today).start + 18_h);
        if (today % 10 == 9) require_surge(made, running->surge_now, newest);
    }
    append_until(dl::event_time::max());
    auto const busiest = running->surge_now.snapshot().top(1, [](demand const& each) { return each.surge(); });
    for (auto const& row : busiest) {
        std::cout << "greatest surge of the last day: " << row.key << " x " << row.value.surge() << '\n';
    }
    running->log.append({"nothing", 0, "nowhere", 0, 0, 0, city_clock() + 5_d});  // lets the last day close
    running->poll();
    return verdict(made, *running, readers) ? 0 : 1;
}
}  // namespace

int main() {
    try {
        return run();
    } catch (std::exception const& problem) {
        std::cerr << "ride_sharing: " << problem.what() << '\n';
        return 1;
    }
}
