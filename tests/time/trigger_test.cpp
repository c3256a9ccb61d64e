// SPDX-License-Identifier: BSL-1.0
#include <driftless/time/trigger.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/properties.hpp>
#include <support/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
/// Plays records, watermarks and clocks to a trigger, as a core does: when does it fire, and when for the last time?
template <trigger T>
class player {
    T of_;
    typename T::state state_{};
    trigger_moment now_{{event_time{0}, event_time{10}}, event_time{0}, event_time{0}};

    char ask() {
        if (!of_.due(state_, now_)) return '.';
        return of_.fire(state_, now_) ? 'L' : 'F';
    }

public:
    explicit player(T of) : of_(of) {}
    char record() {
        of_.on_record(state_, now_);
        return ask();
    }
    char watermark(std::int64_t to) {
        now_.watermark = event_time{to};
        return ask();
    }
    char clock(std::int64_t to) {
        now_.clock = event_time{to};
        return ask();
    }
    [[nodiscard]] event_time next_clock() const { return T::wakes(state_).clock; }
};
/// r: a record; w: the watermark reaches the end; a digit: the clock.
template <trigger T>
std::string played(T of, std::string_view script) {
    player<T> it{of};
    std::string out;
    for (char const c : script) {
        out += c == 'r' ? it.record() : c == 'w' ? it.watermark(10)
                                                 : it.clock(c - '0');
        if (out.back() == 'L') break;
    }
    return out;
}
template <class... Options>
constexpr auto counts(Options... options) {
    return from<event<int>>() | window(tumbling{10_s}, options...) | aggregate(count());
}
}  // namespace

TEST_CASE("triggers fire when they say, bare ones for the last time", "[time][trigger]") {
    CHECK(played(every(3), "rrrr") == "..L");
    CHECK(played(repeat(every(3)), "rrrrrrr") == "..F..F.");
    CHECK(played(at_watermark(), "rwr") == ".L");
    CHECK(played(repeat(at_watermark()), "rwr") == ".FF");
    CHECK(played(never{}, "rrwr9") == ".....");
    CHECK(played(after{duration{3}}, "1r34r5") == ".....L");
    CHECK(played(once(every(2)), "rr") == ".L");
}

TEST_CASE("after is due once the clock is beyond the delay, counted from the first record", "[time][trigger]") {
    player it{repeat(after{duration{3}})};
    CHECK(it.next_clock() == event_time::max());
    CHECK(it.clock(1) == '.');
    CHECK(it.record() == '.');
    CHECK(it.clock(2) == '.');
    CHECK(it.record() == '.');
    CHECK(it.next_clock() == event_time{4});
    CHECK(it.clock(4) == '.');  // strictly beyond
    CHECK(it.clock(5) == 'F');
    CHECK(it.next_clock() == event_time::max());
    CHECK(it.clock(50) == '.');
}

TEST_CASE("at_watermark is early, on time, late, by one trigger each", "[time][trigger]") {
    CHECK(played(at_watermark().early(every(2)).late(never{}), "rrrrrwrrr") == ".F.F.F...");
    CHECK(played(at_watermark().early(every(2)), "rrrwrr") == ".F.FFF");
    CHECK(played(at_watermark().late(every(2)), "rrrwrrrr") == "...F.F.F");
    CHECK(played(at_watermark().late(every(2)).early(every(1)), "rwrr") == "FF.F");
}

TEST_CASE("composed triggers", "[time][trigger]") {
    CHECK(played(first_of(every(3), at_watermark()), "rrr") == "..L");
    CHECK(played(first_of(every(3), at_watermark()), "rw") == ".L");
    CHECK(played(repeat(first_of(every(3), at_watermark())), "rrrrwr") == "..F.FF");
    CHECK(played(all_of(every(2), at_watermark()), "rrrw") == "...L");
    CHECK(played(all_of(every(2), at_watermark()), "rwr") == "..L");
    CHECK(played(in_order(every(2), every(1), every(3)), "rrrrrr") == ".FF..L");
    CHECK(played(repeat(every(2)).or_finally(at_watermark()), "rrrrrw") == ".F.F.L");
    CHECK(played(or_finally(every(2), at_watermark()), "rr") == ".L");
    CHECK(played(in_order(repeat(every(2)).or_finally(at_watermark()), repeat(every(3))), "rrrwrrrrrr")
        == ".F.F..F..F");
}

TEST_CASE("triggers are data: compared, described, part of the fingerprint", "[time][trigger]") {
    constexpr auto early = at_watermark().early(every(2));
    STATIC_REQUIRE(early == at_watermark().early(every(2)));
    STATIC_REQUIRE_FALSE(early == at_watermark().early(every(3)));
    std::vector<std::uint64_t> all{fingerprint(counts()), fingerprint(counts(at_watermark())),
        fingerprint(counts(early)), fingerprint(counts(at_watermark().early(every(3)))),
        fingerprint(counts(at_watermark().late(every(2)))), fingerprint(counts(every(2))),
        fingerprint(counts(repeat(first_of(every(2), at_watermark())))),
        fingerprint(counts(repeat(all_of(every(2), at_watermark())))),
        fingerprint(counts(repeat(first_of(every(2), every(3), at_watermark())))),
        fingerprint(counts(every(2), discarding{})), fingerprint(counts(every(2), on_time_if_new{}))};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) CHECK(all[i] != all[k]);
    }
    CHECK(fingerprint(counts(early)) == all[2]);
}

TEST_CASE("the type of a pipeline knows what its trigger does to it", "[time][trigger]") {
    STATIC_REQUIRE(single_pane<decltype(counts())>);
    STATIC_REQUIRE(single_pane<decltype(counts(at_watermark(), accumulating{}))>);
    STATIC_REQUIRE_FALSE(single_pane<decltype(counts(at_watermark().late(every(1))))>);
    STATIC_REQUIRE_FALSE(single_pane<decltype(counts(every(2)))>);
    STATIC_REQUIRE(is_replayable<decltype(counts(at_watermark().early(every(2))))>);
    STATIC_REQUIRE_FALSE(is_replayable<decltype(counts(at_watermark().early(after{1_s})))>);
    STATIC_REQUIRE_FALSE(is_replayable<decltype(counts(repeat(first_of(every(2), after{1_s}))))>);
}

TEST_CASE("a trigger that cannot be is refused when the job starts", "[time][trigger]") {
    CHECK_THROWS_AS(every(0).validate(), error);
    CHECK_THROWS_AS(every(-1).validate(), error);
    CHECK_THROWS_AS(at_watermark().early(every(0)).validate(), error);
    CHECK_THROWS_AS(repeat(first_of(at_watermark(), after{duration{-1}})).validate(), error);
    CHECK_NOTHROW(after{duration{}}.validate());
}
