// SPDX-License-Identifier: BSL-1.0
#include <driftless/time/watermark.hpp>

#include <driftless/codec/codec.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using clock_of_partitions = driftless::detail::partition_clock;

namespace {
event_time ns(std::int64_t n) { return event_time{n}; }
}  // namespace

TEST_CASE("a disorder bound below zero is refused, zero is a monotone input", "[time][watermark]") {
    CHECK_THROWS_AS(bounded_disorder{duration{-1}}.validate(), error);
    CHECK_NOTHROW(bounded_disorder{}.validate());
    CHECK_NOTHROW(bounded_disorder{duration::max()}.validate());
}

TEST_CASE("a partition that has not reported holds the clock, one that has ended does not", "[time][watermark]") {
    clock_of_partitions clock;
    clock.enter(2);
    clock.enter(0);
    clock.set_newest(ns(10));
    CHECK(clock.least_newest() == event_time::min());
    CHECK(clock.held_by_others());
    clock.enter(2);
    clock.set_newest(ns(5));
    CHECK(clock.least_newest() == event_time::min());  // partition 1
    clock.enter(1);
    clock.set_newest(ns(7));
    CHECK(clock.least_newest() == ns(5));
    CHECK(clock.held_by_others());
    clock.end(2);
    clock.enter(1);
    CHECK(clock.least_newest() == ns(7));
    CHECK_FALSE(clock.held_by_others());  // 0 is ahead of it
    clock.end(1);
    clock.end(0);
    CHECK(clock.least_newest() == event_time::max());
}

TEST_CASE("the clock is the least over partitions, also after it was saved and loaded", "[time][watermark][oracle]") {
    std::mt19937 random{10};
    for (int round = 0; round < 30; ++round) {
        auto const partitions = 1 + random() % 4;
        clock_of_partitions clock;
        std::vector<event_time> newest(partitions, event_time::min());
        for (auto p = partitions; p-- > 0;) clock.enter(static_cast<std::uint32_t>(p));
        for (int i = 0; i < 40; ++i) {
            auto const p = static_cast<std::uint32_t>(random() % partitions);
            clock.enter(p);
            CHECK(clock.newest() == newest[p]);
            if (newest[p] != event_time::max()) {
                newest[p] = std::max(newest[p], ns(static_cast<std::int64_t>(random() % 100) - 50));
                clock.set_newest(newest[p]);
                if (random() % 20 == 0) {
                    newest[p] = event_time::max();
                    clock.end(p);
                }
            }
            if (random() % 10 == 0) {
                auto const bytes = encode(clock);
                clock = decode<clock_of_partitions>(bytes);
            }
            CHECK(clock.least_newest() == *std::min_element(newest.begin(), newest.end()));
        }
    }
}
