// SPDX-License-Identifier: BSL-1.0
#include <driftless/metrics/registry.hpp>
#include <support/catch.hpp>

#include <driftless/core/time.hpp>
#include <driftless/metrics/rates.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/metrics/watcher.hpp>

#include <support/prometheus_reader.hpp>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

TEST_CASE("what several threads count adds up, and can be read meanwhile", "[metrics][registry]") {
    dl::metric_registry mine;
    auto& orders = mine.counter("shop_orders_total", "Orders.", {{"shop", "a"}});
    auto& waits = mine.histogram("shop_wait_seconds", "Waits.", {1, 2});
    std::atomic<bool> done{false};
    std::uint64_t last = 0;
    bool grows = true;
    std::thread reader{[&] {
        while (!done) {
            dl::metric_set now;
            mine.collect(now);
            auto const count = static_cast<std::uint64_t>(*now.value("shop_orders_total"));
            grows = grows && count >= last;
            last = count;
        }
    }};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&] {
            auto& own = mine.counter("shop_orders_total", "Orders.", {{"shop", "a"}});  // the same one
            for (int n = 0; n < 5000; ++n) own.add(), waits.observe(n % 3);
        });
    }
    for (auto& each : writers) each.join();
    done = true;
    reader.join();
    CHECK(grows);
    CHECK(orders.value() == 20'000);
    auto const found = waits.value();
    CHECK(found.counts == std::vector<std::uint64_t>{4 * (1667 + 1667), 4 * 1666, 0});
    CHECK(found.sum == 4 * (1667 + 2 * 1666));
}

TEST_CASE("a registry gives what it holds, and what its sources add", "[metrics][registry]") {
    dl::metric_registry mine;
    mine.counter("a_total", "A.", {{"x", "1"}}).add(3);
    mine.counter("a_total", "A.", {{"x", "2"}}).add(4);
    mine.gauge("b", "B.").set(1.5);
    mine.gauge("b", "B.").add(-0.5);
    mine.add([](dl::metric_set& into) { into.gauge("c", "C.").add({}, 9); });
    dl::metric_set now;
    mine.collect(now);
    support::prometheus_reader const read{dl::prometheus_text(now)};
    CHECK(read.value("a_total", {{"x", "1"}}) == 3);
    CHECK(read.value("a_total", {{"x", "2"}}) == 4);
    CHECK(read.value("b") == 1);
    CHECK(read.value("c") == 9);
    CHECK(now.value("a_total") == 7.0);
    CHECK_FALSE(now.value("a_total", {{"x", "3"}}).has_value());
    CHECK_THROWS_AS(mine.gauge("a_total", "A."), dl::error);
    CHECK_THROWS_AS(mine.counter("d_total", "D.", {{"le", "x"}}), dl::error);
    CHECK_THROWS_AS(mine.histogram("e", "E.", {1, 1}), dl::error);
}

TEST_CASE("rates are those between the last two looks", "[metrics][rates]") {
    auto const set = [](double value) {
        dl::metric_set out;
        out.counter("a_total", "A.").add({{"x", "1"}}, value);
        out.counter("a_total", "A.").add({{"x", "2"}}, 2 * value);
        return out;
    };
    auto const at = [](std::int64_t seconds) { return dl::event_time{} + seconds * 1_s; };
    dl::metric_rates rates;
    CHECK_FALSE(rates.per_second("a_total").has_value());
    rates.look(set(100), at(10));
    CHECK_FALSE(rates.per_second("a_total").has_value());
    rates.look(set(150), at(20));
    CHECK(rates.per_second("a_total") == 15.0);
    CHECK(rates.per_second("a_total", {{"x", "1"}}) == 5.0);
    CHECK_FALSE(rates.per_second("b_total").has_value());
    rates.look(set(160), at(20));  // the same moment again
    CHECK(rates.per_second("a_total", {{"x", "1"}}) == 6.0);
    rates.look(set(1), at(30));
    CHECK_FALSE(rates.per_second("a_total").has_value());  // another run
    rates.look(set(2), at(31));
    CHECK(rates.per_second("a_total") == 3.0);
}

TEST_CASE("a watcher looks at once, from time to time, and when it is stopped", "[metrics][watcher]") {
    std::atomic<int> looks{0};
    {
        dl::watcher eyes{1_h, [&] { ++looks; }};
        while (eyes.looks() == 0) std::this_thread::yield();
        eyes.stop();
        CHECK(looks == 2);
        CHECK(eyes.looks() == 2);
        eyes.stop();
    }
    CHECK(looks == 2);
    dl::watcher often{1_ms, [&] {
                          ++looks;
                          throw std::runtime_error{"no"};
                      }};
    while (often.failures() < 3) std::this_thread::yield();
    often.stop();
    CHECK(often.failures() == often.looks());
    CHECK_THROWS_AS((dl::watcher{0_s, [] {}}), dl::error);
}
