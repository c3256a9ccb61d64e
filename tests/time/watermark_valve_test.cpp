// SPDX-License-Identifier: BSL-1.0
#include <driftless/time/watermark_valve.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <random>
#include <vector>

using namespace driftless;

namespace {
event_time ns(std::int64_t n) { return event_time{n}; }
watermark_valve three(std::int64_t a, std::int64_t b, std::int64_t c) {
    watermark_valve valve{3};
    CHECK_FALSE(valve.advance(0, ns(a)));
    CHECK_FALSE(valve.advance(1, ns(b)));
    CHECK(valve.advance(2, ns(c)));
    return valve;
}
}  // namespace

TEST_CASE("F-13: watermarks that go back are ignored", "[time][watermark]") {
    auto valve = three(25, 10, 17);
    CHECK(valve.output() == ns(10));
    CHECK_FALSE(valve.advance(0, ns(12)));
    CHECK_FALSE(valve.advance(1, ns(8)));
    CHECK_FALSE(valve.advance(2, ns(15)));
    CHECK(valve.output() == ns(10));
    CHECK(valve.watermark_of(0) == ns(25));
}

TEST_CASE("F-14: inputs that go idle leave the minimum", "[time][watermark]") {
    auto valve = three(25, 10, 17);
    CHECK(valve.idle(1));
    CHECK(valve.output() == ns(17));
    CHECK(valve.idle(2));
    CHECK(valve.output() == ns(25));
}

TEST_CASE("S-22: an input that resumes does not count before it reaches the output", "[time][watermark]") {
    auto valve = three(10, 7, 3);
    CHECK(valve.output() == ns(3));
    CHECK(valve.idle(2));
    CHECK(valve.output() == ns(7));
    CHECK_FALSE(valve.resume(2));
    CHECK_FALSE(valve.advance(2, ns(5)));
    CHECK_FALSE(valve.is_aligned(2));
    CHECK_FALSE(valve.advance(2, ns(9)));
    CHECK(valve.is_aligned(2));
    CHECK(valve.advance(1, ns(12)));
    CHECK(valve.output() == ns(9));
}

TEST_CASE("an input that reaches the output exactly counts again", "[time][watermark]") {
    auto valve = three(10, 7, 3);
    valve.idle(2);
    valve.resume(2);
    valve.advance(2, ns(7));
    CHECK(valve.is_aligned(2));
}

TEST_CASE("S-23: when the last active input goes idle the watermark holds", "[time][watermark]") {
    auto valve = three(10, 5, 3);
    CHECK_FALSE(valve.idle(0));
    CHECK_FALSE(valve.idle(1));
    CHECK_FALSE(valve.quiet());
    CHECK_FALSE(valve.idle(2));
    CHECK(valve.quiet());
    CHECK(valve.output() == ns(3));
}

TEST_CASE("S-25: an aligned input that comes back counts at once", "[time][watermark]") {
    watermark_valve valve{3};
    valve.advance(0, ns(10));
    valve.advance(1, ns(7));
    CHECK(valve.idle(2));
    CHECK(valve.output() == ns(7));
    CHECK_FALSE(valve.resume(2));
    CHECK_FALSE(valve.idle(0));
    CHECK_FALSE(valve.idle(1));
    CHECK(valve.resume(0));
    CHECK(valve.output() == ns(10));
    CHECK_FALSE(valve.idle(2));
}

TEST_CASE("an input that has ended leaves for good, and the last one takes the output to +inf", "[time][watermark]") {
    auto valve = three(25, 10, 17);
    CHECK(valve.end(1));
    CHECK(valve.output() == ns(17));
    CHECK_FALSE(valve.resume(1));
    CHECK_FALSE(valve.advance(1, ns(30)));
    CHECK(valve.idle(2));
    CHECK_FALSE(valve.end(0));  // the last active one ends while another is idle: as going idle
    CHECK(valve.output() == ns(25));
    CHECK(valve.end(2));
    CHECK(valve.output() == event_time::max());
    CHECK_FALSE(valve.end(2));
}

TEST_CASE("the valve is the minimum recomputed from scratch, over random reports", "[time][watermark]") {
    struct input {
        std::int64_t value = INT64_MIN;
        bool idle = false, aligned = true, ended = false;
    };
    std::mt19937 random{7};
    for (int round = 0; round < 500; ++round) {
        watermark_valve valve{3};
        std::vector<input> inputs(3);
        auto output = event_time::min().ns();
        for (auto& each : inputs) each.value = output;
        for (int i = 0; i < 40; ++i) {
            auto const which = random() % 3;
            auto const what = random() % 16;
            auto& one = inputs[which];
            auto const before = output;
            bool grew = false;
            if (what < 10) {
                auto const value = static_cast<std::int64_t>(random() % 50);
                grew = valve.advance(which, ns(value));
                if (!one.ended && value > one.value) one.value = value;
            } else if (what < 12) {
                grew = valve.idle(which);
                if (!one.ended) one.idle = true;
            } else if (what < 15) {
                grew = valve.resume(which);
                if (one.idle) one.aligned = false;
                one.idle = false;
            } else {
                grew = valve.end(which);
                one.ended = true;
                one.idle = false;
            }
            bool any = false, all_ended = true;
            auto least = event_time::max().ns();
            for (auto& each : inputs) {
                if (!each.ended) all_ended = false;
                if (each.ended || each.idle) continue;
                if (each.value >= before) each.aligned = true;
                if (!each.aligned) continue;
                any = true;
                if (each.value < least) least = each.value;
            }
            if ((any || all_ended) && least > output) output = least;
            REQUIRE(valve.output() == ns(output));
            REQUIRE(grew == (output > before));
        }
    }
}
