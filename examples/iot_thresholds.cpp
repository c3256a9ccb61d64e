// SPDX-License-Identifier: BSL-1.0
// examples/iot_thresholds.cpp - a sensor that is over its limit for five minutes: alerts from keyed state and timers. A
// pause of more than two minutes ends such a time, a sensor without a word for ten is reported missing. Readings come
// up to 30 s out of order, and some later than that: these are refused and counted. At last all sensors fall silent,
// and the clock alone has them reported.
// expect: sensor 1: over its limit since 00:00:20 (00:05:20)
// expect: sensor 1: below its limit again (00:06:00)
// expect: sensor 1: missing (00:40:00)
// expect: refused as late: 126 readings
// expect: while nothing came, 39 sensors were reported missing by the clock
// expect: the alerts of the stream are those of plain loops, and those of the batch: 606
#include "support/random.hpp"

#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct reading {
    std::int64_t sensor;
    double celsius;
    dl::event_time at;
};
struct alert {
    dl::text what;
    dl::event_time since, at;
};
BOOST_HANA_ADAPT_STRUCT(reading, sensor, celsius, at);
BOOST_HANA_ADAPT_STRUCT(alert, what, since, at);

constexpr double limit = 80;
constexpr auto for_so_long = 5_min;
constexpr auto longest_gap = 2_min;
constexpr auto missing_after = 10_min;
constexpr auto disorder = 30_s;

struct threshold {
    struct state {
        dl::value_state<dl::event_time> since;  // over the limit, without a gap
        dl::value_state<bool> told, missing;
        dl::event_timer long_enough, gap, silence;
    };
    void on_record(state& own, reading const& r, auto& context) const {
        if (own.missing) context.emit({"back", r.at, r.at});
        own.missing.reset();
        context.set(own.silence, r.at + missing_after);
        if (r.celsius <= limit) return end(own, "below its limit again", r.at, context);
        if (!own.since) {
            own.since = r.at;
            context.set(own.long_enough, r.at + for_so_long);
        }
        context.set(own.gap, r.at + longest_gap);
    }
    void on_timer(state& own, dl::fired_timer const& fired, auto& context) const {
        if (fired.is(own.long_enough)) {
            own.told = true;
            context.emit({"over its limit", *own.since, fired.at});
        } else if (fired.is(own.gap)) {
            end(own, "no readings to tell", fired.at, context);
        } else {
            own.missing = true;
            context.emit({"missing", fired.at - missing_after, fired.at});
        }
    }

private:
    static void end(state& own, dl::text why, dl::event_time at, auto& context) {
        if (own.told) context.emit({why, *own.since, at});
        own.since.reset();
        own.told.reset();
        context.cancel(own.long_enough);
        context.cancel(own.gap);
    }
};
BOOST_HANA_ADAPT_STRUCT(threshold::state, since, told, missing, long_enough, gap, silence);

inline constexpr auto alerts =
    dl::from<reading>()
    | dl::assign_time<&reading::at>(dl::bounded_disorder{disorder})
    | dl::sorted_by_time()  // timers and readings of a sensor in the order of their times, however they come
    | dl::key_by<&reading::sensor>()
    | dl::process<alert>(threshold{}, dl::max_keys{100'000});

namespace {
using alert_row = std::tuple<std::int64_t, dl::event_time, std::string, dl::event_time>;  // sensor, at, what, since

dl::event_time clock_now{};
dl::event_time the_clock() { return clock_now; }

/// Six hours of 40 sensors, a reading each half minute: some run hot, some fall silent, some readings are slow.
std::vector<reading> make_readings() {
    support::random random{21};
    std::vector<double> celsius(40, 70);
    std::vector<std::int64_t> silent_until(40, 0);
    std::multimap<std::int64_t, reading> sent;  // by the time of arrival
    for (std::int64_t s = 0; s < 6 * 3600; s += 20) {
        for (std::int64_t sensor = 1; sensor <= 40; ++sensor) {
            auto& now = celsius[static_cast<std::size_t>(sensor - 1)];
            auto& silent = silent_until[static_cast<std::size_t>(sensor - 1)];
            now = std::clamp(now + static_cast<double>(random.below(41) - 20) / 8, 60.0, 95.0);
            if (random.one_in(200)) silent = s + random.below(1200);
            if (sensor == 1 && s < 3600) {  // one to follow: hot for six minutes, gone after half an hour
                now = s >= 20 && s < 360 ? 85 : 70;
                silent = s > 1800 ? 3600 : 0;
            }
            if (s < silent) continue;
            auto const delay = random.one_in(300) ? random.below(600) : random.below(30);
            sent.insert({s + delay, {sensor, now, dl::event_time{} + s * 1_s}});
        }
    }
    std::vector<reading> out;
    for (auto const& each : sent) out.push_back(each.second);
    return out;
}

/// The same by plain loops: the readings of each sensor in order, each with the time until the next one.
std::vector<alert_row> by_loops(std::vector<reading> const& log, std::uint64_t& refused) {
    std::map<std::int64_t, std::multimap<dl::event_time, double>> by_sensor;
    auto newest = dl::event_time::min();
    for (auto const& r : log) {
        if (r.at < newest - disorder) ++refused;
        else by_sensor[r.sensor].insert({r.at, r.celsius});
        newest = std::max(newest, r.at);
    }
    std::vector<alert_row> out;
    for (auto const& [sensor, readings] : by_sensor) {
        auto const tell = [&, id = sensor](char const* what, dl::event_time since, dl::event_time at) {
            out.emplace_back(id, at, what, since);
        };
        bool hot = false, told = false;
        dl::event_time since{};
        for (auto each = readings.begin(); each != readings.end(); ++each) {
            auto const at = each->first;
            auto const next = std::next(each) != readings.end() ? std::next(each)->first : dl::event_time::max();
            if (each != readings.begin() && at - std::prev(each)->first > missing_after) tell("back", at, at);
            bool const over = each->second > limit;
            if (!over && told) tell("below its limit again", since, at);
            if (over && !hot) since = at;
            if (!over) told = false;
            hot = over;
            auto const sure_until = std::min(next, at + longest_gap);
            if (hot && !told && since + for_so_long < next && since + for_so_long <= sure_until) {
                tell("over its limit", since, since + for_so_long);
                told = true;
            }
            if (hot && at + longest_gap < next) {
                if (told) tell("no readings to tell", since, at + longest_gap);
                hot = told = false;
            }
            if (at + missing_after < next) tell("missing", at, at + missing_after);
        }
    }
    return out;
}

std::string clock_text(dl::event_time at) {
    char out[32];
    auto const s = at.ms() / 1000;
    std::snprintf(out, sizeof out, "%02d:%02d:%02d", int(s / 3600), int(s / 60 % 60), int(s % 60));
    return out;
}
}  // namespace

int main() {
    auto const readings = make_readings();
    std::vector<alert_row> streamed;
    auto const keep_in = [](std::vector<alert_row>& rows) {
        return dl::to([&rows](dl::pane<std::int64_t, alert> const& row) {
            rows.emplace_back(row.key, row.value.at, row.value.what.str(), row.value.since);
        });
    };
    dl::memory_log<reading> log;
    auto tell = keep_in(streamed);
    dl::job running{dl::stream{.clock = the_clock, .idle_after = 10_s, .when_quiet = dl::on_quiet::advance_with_clock},
        alerts, log, tell};
    for (auto const& each : readings) {
        log.append(each);
        if (log.end_offset() % 1000 == 0) running.poll();
        clock_now = std::max(clock_now, each.at);
    }
    running.poll();
    auto const refused = running.metrics().refused(dl::reason::late);
    // Now the network is down: no readings, and the clock goes on.
    auto const before = streamed.size();
    for (int i = 0; i < 100; ++i) {
        clock_now = clock_now + 10_s;
        running.poll();
    }
    auto const by_clock = std::count_if(streamed.begin() + static_cast<std::ptrdiff_t>(before), streamed.end(),
        [](alert_row const& row) { return std::get<2>(row) == "missing"; });
    running.drain();

    std::uint64_t expected_refusals = 0;
    auto expected = by_loops(readings, expected_refusals);
    std::vector<alert_row> batch;
    auto also = keep_in(batch);
    dl::run(dl::batch{}, alerts, readings, also);
    for (auto* const each : {&streamed, &batch, &expected}) std::sort(each->begin(), each->end());

    for (auto const& [sensor, at, what, since] : streamed) {
        if (sensor != 1 || at > dl::event_time{} + 1_h) continue;
        std::cout << "sensor 1: " << what << (what == "over its limit" ? " since " + clock_text(since) : "") << " ("
                  << clock_text(at) << ")\n";
    }
    std::cout << "refused as late: " << refused << " readings\n"
              << "while nothing came, " << by_clock << " sensors were reported missing by the clock\n";
    if (streamed != expected || batch != expected || refused != expected_refusals) {
        std::cout << "they differ: " << streamed.size() << " alerts, " << batch.size() << " in batch, "
                  << expected.size() << " by plain loops\n";
        return 1;
    }
    std::cout << "the alerts of the stream are those of plain loops, and those of the batch: " << expected.size()
              << '\n';
}
