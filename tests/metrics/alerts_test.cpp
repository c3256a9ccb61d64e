// SPDX-License-Identifier: BSL-1.0
#include <driftless/metrics/alerts.hpp>
#include <support/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using dl::above;
using dl::below;

namespace {
dl::event_time at(std::int64_t seconds) { return dl::event_time{} + seconds * 1_s; }
dl::metric_set lag(double value) {
    dl::metric_set out;
    out.gauge("lag", "h").add({{"partition", "0"}}, value);
    return out;
}
struct told {
    std::vector<std::pair<bool, double>> events;
    auto callback() {
        return [this](dl::alert_event const& e) { events.emplace_back(e.firing, e.value); };
    }
};
using events = std::vector<std::pair<bool, double>>;
}  // namespace

TEST_CASE("an alert fires on the edge, once, and a value on the limit is good", "[metrics][alerts]") {
    told got;
    dl::alerts watch;
    watch.alert("lag", above(10), got.callback());
    std::size_t const edges[] = {watch.look(lag(10), at(1)), watch.look(lag(11), at(2)), watch.look(lag(50), at(3)),
        watch.look(lag(10), at(4)), watch.look(lag(9), at(5)), watch.look(lag(12), at(6))};
    CHECK(std::vector<std::size_t>(std::begin(edges), std::end(edges)) == std::vector<std::size_t>{0, 1, 0, 1, 0, 1});
    CHECK((got.events == events{{true, 11}, {false, 10}, {true, 12}}));
    REQUIRE(watch.firing().size() == 1);
    CHECK(watch.firing()[0].str() == "lag{partition=\"0\"} is 12, above 10");
}

TEST_CASE("below is the mirror image", "[metrics][alerts]") {
    told got;
    dl::alerts watch;
    watch.alert("lag", below(10).back_at(20), got.callback());
    for (auto const value : {10.0, 9.0, 10.0, 19.0, 20.0, 9.5}) watch.look(lag(value), at(static_cast<int>(value)));
    CHECK((got.events == events{{true, 9}, {false, 20}, {true, 9.5}}));
}

TEST_CASE("an alert with hysteresis ends only where it says", "[metrics][alerts]") {
    told got;
    dl::alerts watch;
    watch.alert("lag", above(10).back_at(5), got.callback());
    int second = 0;
    for (auto const value : {11.0, 10.0, 6.0, 11.0, 5.0, 6.0, 10.0, 11.0}) watch.look(lag(value), at(++second));
    CHECK((got.events == events{{true, 11}, {false, 5}, {true, 11}}));
}

TEST_CASE("an alert waits until the value has been bad for long enough at a stretch", "[metrics][alerts]") {
    told got;
    dl::alerts watch;
    watch.alert("lag", above(10).for_at_least(5_s), got.callback());
    watch.look(lag(11), at(100));
    watch.look(lag(12), at(104));
    CHECK(got.events.empty());
    watch.look(lag(3), at(104));  // good in between: from the beginning
    watch.look(lag(11), at(105));
    watch.look(lag(13), at(109));
    CHECK(got.events.empty());
    watch.look(lag(14), at(110));  // just long enough
    CHECK((got.events == events{{true, 14}}));
    CHECK(watch.firing()[0].since == at(105));
    CHECK(watch.firing()[0].at == at(110));
    // A clock that was set back: spans begin anew.
    told other;
    dl::alerts again;
    again.alert("lag", above(10).for_at_least(5_s), other.callback());
    again.look(lag(11), at(100));
    again.look(lag(11), at(50));
    again.look(lag(11), at(54));
    CHECK(other.events.empty());
    again.look(lag(11), at(55));
    CHECK(other.events.size() == 1);
}

TEST_CASE("each value of a metric is judged by itself, and one that is gone has ended", "[metrics][alerts]") {
    std::vector<std::string> got;
    dl::alerts watch;
    watch.alert({"lag", {{"input", "a"}}}, above(10), [&](dl::alert_event const& e) { got.push_back(e.str()); });
    dl::metric_set all;
    all.gauge("lag", "h").add({{"input", "a"}, {"partition", "0"}}, 11);
    all.gauge("lag", "h").add({{"input", "a"}, {"partition", "1"}}, 12);
    all.gauge("lag", "h").add({{"input", "b"}, {"partition", "0"}}, 99);
    CHECK(watch.look(all, at(1)) == 2);
    CHECK(watch.look({}, at(2)) == 2);
    std::vector<std::string> const expected{
        "lag{input=\"a\",partition=\"0\"} is 11, above 10",
        "lag{input=\"a\",partition=\"1\"} is 12, above 10",
        "lag{input=\"a\",partition=\"1\"} is good again: NaN",
        "lag{input=\"a\",partition=\"0\"} is good again: NaN",
    };
    CHECK(got == expected);
    CHECK(watch.firing().empty());
    watch.look(lag(std::nan("")), at(3));
    CHECK(watch.firing().empty());
}

TEST_CASE("an alert on a rate looks at how fast a counter grows", "[metrics][alerts]") {
    auto const late = [](double value) {
        dl::metric_set out;
        out.counter("late_total", "h").add({{"stage", "1"}}, value);
        return out;
    };
    told got;
    dl::alerts watch;
    watch.alert(dl::rate_of("late_total"), above(10), got.callback());
    watch.look(late(1'000'000), at(1));   // no rate yet
    watch.look(late(1'000'100), at(11));  // 10 a second: on the limit
    CHECK(got.events.empty());
    watch.look(late(1'000'310), at(21));
    watch.look(late(1'000'310), at(31));
    watch.look(late(5), at(41));  // another run
    CHECK((got.events.size() == 2));
    CHECK((got.events[0] == std::pair{true, 21.0}));
    CHECK((got.events[1] == std::pair{false, 0.0}));
}

TEST_CASE("a callback that throws is counted, and gets the event again", "[metrics][alerts]") {
    int broken = 2;
    std::vector<std::pair<bool, double>> got;
    told other;
    dl::alerts watch;
    watch.alert("lag", above(10), [&](dl::alert_event const& e) {
        if (broken-- > 0) throw std::runtime_error{"no line"};
        got.emplace_back(e.firing, e.value);
    });
    watch.alert("lag", above(10), other.callback());  // not disturbed by it
    watch.look(lag(11), at(1));
    CHECK(watch.failures() == 1);
    CHECK(watch.last_failure() == "no line");
    CHECK(other.events.size() == 1);
    CHECK(watch.firing().size() == 2);
    watch.look(lag(1), at(2));  // has ended meanwhile: both are told, in order
    CHECK(got.empty());
    watch.look(lag(1), at(3));
    CHECK((got == events{{true, 11}, {false, 1}}));
    CHECK(watch.failures() == 2);
    CHECK((other.events == events{{true, 11}, {false, 1}}));
    dl::metric_set said;
    watch.collect(said);
    CHECK(said.value("driftless_alert_callback_failures_total") == 2);
    CHECK(said.value("driftless_alerts_firing") == 0);
    CHECK(said.value("driftless_alerts_dropped_total") == 0);
}

TEST_CASE("what cannot be delivered is bounded, and what is dropped is counted", "[metrics][alerts]") {
    std::uint64_t calls = 0;
    bool broken = true;
    dl::alerts watch;
    watch.alert("lag", above(10), [&](dl::alert_event const&) {
        if (broken) throw 1;
        ++calls;
    });
    for (int i = 0; i < 1500; ++i) watch.look(lag(i % 2 == 0 ? 11 : 1), at(i));
    CHECK(watch.failures() == 1500);
    CHECK(watch.last_failure() == "an exception that is not a std::exception");
    broken = false;
    watch.look(lag(1), at(1500));
    CHECK(calls == 1000);
    dl::metric_set said;
    watch.collect(said);
    CHECK(said.value("driftless_alerts_dropped_total") == 500);
}

TEST_CASE("a callback may ask what fires, and alerts are added and looked at by several threads", "[metrics][alerts]") {
    dl::alerts watch;
    std::size_t seen = 0;
    watch.alert("lag", above(10), [&](dl::alert_event const&) { seen += watch.firing().size(); });
    watch.look(lag(11), at(1));
    CHECK(seen == 1);
    std::thread other{[&] {
        for (int i = 0; i < 200; ++i) watch.look(lag(i % 3 == 0 ? 11 : 1), at(i));
    }};
    for (int i = 0; i < 50; ++i) {
        watch.alert("lag", above(5), [](dl::alert_event const&) {});
        watch.look(lag(i % 2 == 0 ? 11 : 1), at(i));
        static_cast<void>(watch.firing());
    }
    other.join();
    watch.look(lag(1), at(1000));
    CHECK(watch.firing().empty());
}

TEST_CASE("an alert that makes no sense is refused", "[metrics][alerts]") {
    dl::alerts watch;
    auto const nothing = [](dl::alert_event const&) {};
    CHECK_THROWS_AS(watch.alert("lag", above(10).back_at(11), nothing), dl::error);
    CHECK_THROWS_AS(watch.alert("lag", below(10).back_at(9), nothing), dl::error);
    CHECK_THROWS_AS(watch.alert("lag", above(10).for_at_least(-(1_ns)), nothing), dl::error);
    CHECK_THROWS_AS(watch.alert("lag", above(std::nan("")), nothing), dl::error);
}
