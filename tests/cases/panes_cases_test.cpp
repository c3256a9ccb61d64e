// SPDX-License-Identifier: BSL-1.0
// Panes and triggers as Beam's public tests have them; ids as in SEMANTICS section 15. Values are chosen so that a sum
// tells which records are in it.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <cases/timeline.hpp>

using namespace cases;

namespace {
constexpr duration units(std::int64_t n) { return duration{n}; }
constexpr allowed_lateness lateness(std::int64_t n) { return {units(n)}; }
template <class... Options>
constexpr auto sums(Options... options) {
    return keyed_hits | window(options...) | aggregate(sum<&hit::value>());
}
}  // namespace

TEST_CASE("P-01 late data, accumulating", "[cases][panes]") {
    auto const out = check(sums(tumbling{units(300)}, at_watermark().early(after(units(120))).late(every(1)),
                               lateness(300), always_close{}),
        {hit_at(0, 1), hit_at(0, 2), hit_at(0, 4), wm(360), hit_at(0, 8), hit_at(0, 16), wm(1200), hit_at(0, -1),
            hit_at(0, -2), hit_at(0, -3), end()},
        {"3: 1 [0,300) = 7 on time 0,0 first", "4: 1 [0,300) = 15 late 1,1", "5: 1 [0,300) = 31 late 2,2",
            "6: 1 [0,300) = 31 late 3,3 last"});
    CHECK(out.refused(reason::late) == 3);
}

TEST_CASE("P-02 discarding: early by count, never late", "[cases][panes]") {
    check(sums(tumbling{units(1000)}, at_watermark().early(every(2)).late(never{}), discarding{}, lateness(5000)),
        {wm(0), hit_at(100, 1), hit_at(200, 2), hit_at(500, 4), wm(1000), hit_at(750, 8), hit_at(250, 16), end()},
        {"2: 1 [0,1000) = 3 early 0,-1 first", "4: 1 [0,1000) = 4 on time 1,0", "7: 1 [0,1000) = 24 late 2,1 last"});
}

TEST_CASE("P-04 early panes by processing time, global window", "[cases][panes]") {
    auto const pipeline = keyed_hits | window(global{}, at_watermark().early(after(units(5))))
        | aggregate(sum<&hit::value>(), unbounded_state{});
    check(pipeline, {hit_at(1000, 1), hit_at(2000, 2), pt(12), hit_at(3000, 3), pt(18), end()},
        {"2: 1 [-inf,inf) = 3 early 0,-1 first", "4: 1 [-inf,inf) = 6 early 1,-1",
            "5: 1 [-inf,inf) = 6 on time 2,0 last"});
}

TEST_CASE("P-09 one on-time pane, then one per late record", "[cases][panes]") {
    std::vector<move> const script{wm(0), hit_at(1, 1), wm(10), hit_at(3, 3)};
    std::vector<std::string> const lines{"2: 1 [0,10) = 1 on time 0,0 first", "3: 1 [0,10) = 4 late 1,1"};
    check(sums(tumbling{units(10)}, at_watermark(), lateness(100)), script, lines);
    check(sums(tumbling{units(10)}, repeat(at_watermark()), lateness(100)), script, lines);
    check(sums(tumbling{units(10)}, lateness(100)), script, lines);  // the default trigger says the same
}

TEST_CASE("P-10 all states of a pane, after the watermark", "[cases][panes]") {
    check(sums(tumbling{units(10)}, repeat(first_of(every(2), at_watermark())), discarding{}, lateness(100),
              always_close{}),
        {wm(0), hit_at(1, 1), hit_at(2, 2), wm(50), wm(150)},
        {"2: 1 [0,10) = 3 early 0,-1 first", "3: 1 [0,10) = 0 on time 1,0", "4: 1 [0,10) = 0 late 2,1 last"});
}

TEST_CASE("P-13 the last pane is the on-time one", "[cases][panes]") {
    check(sums(tumbling{units(10)}, repeat(every(2)).or_finally(at_watermark()), discarding{}, lateness(100),
              always_close{}, allow_data_loss{}),
        {wm(0), hit_at(1, 1), hit_at(2, 2), wm(150)},
        {"2: 1 [0,10) = 3 early 0,-1 first", "3: 1 [0,10) = 0 on time 1,0 last"});
}

TEST_CASE("P-15 an empty on-time pane from or_finally, then the next in order", "[cases][panes]") {
    check(sums(tumbling{units(10)},
              in_order(repeat(after(units(5))).or_finally(at_watermark()), repeat(after(units(25)))), lateness(100),
              allow_data_loss{}),
        {wm(0), pt(0), hit_at(1), hit_at(3), hit_at(7), hit_at(5), pt(6), wm(11)},
        {"6: 1 [0,10) = 4 early 0,-1 first", "7: 1 [0,10) = 4 on time 1,0"});
}

TEST_CASE("P-18 the on-time pane comes although nothing is new", "[cases][panes]") {
    std::vector<move> const script{wm(0), hit_at(1, 1), wm(11)};
    check(sums(tumbling{units(10)}, at_watermark().early(every(1))), script,
        {"1: 1 [0,10) = 1 early 0,-1 first", "2: 1 [0,10) = 1 on time 1,0 last"});
    check(sums(tumbling{units(10)}, at_watermark().early(every(1)), on_time_if_new{}), script,
        {"1: 1 [0,10) = 1 early 0,-1 first"});
}

TEST_CASE("P-19 what is left comes out at the end of the input", "[cases][panes]") {
    auto const pipeline = keyed_hits | window(global{}, every(3), discarding{})
        | aggregate(count(), unbounded_state{});
    std::vector<move> script;
    for (std::int64_t i = 0; i < 20; ++i) script.push_back(hit_at(i, i));
    script.push_back(end());
    std::vector<std::string> lines;
    for (int i = 0; i < 6; ++i) {
        lines.push_back(std::to_string(3 * i + 2) + ": 1 [-inf,inf) = 3 early " + std::to_string(i) + ",-1"
            + (i == 0 ? " first" : ""));
    }
    lines.push_back("20: 1 [-inf,inf) = 2 on time 6,0 last");
    check(pipeline, script, lines);
}

TEST_CASE("P-21 a trigger that fires once closes each window", "[cases][panes]") {
    auto const pipeline =
        sums(sliding{units(100), units(30)}, once(at_watermark()), lateness(1000), allow_data_loss{});
    auto out = play(pipeline, {hit_at(23, 10), hit_at(40, 12), wm(70)}, false, 1);
    CHECK(out.refused() == 0);
    out = play(pipeline, {hit_at(23, 10), hit_at(40, 12), wm(70), hit_at(60, 14)}, false, 1);
    CHECK(out.refused(reason::closed) == 1);
    out = check(pipeline, {hit_at(23, 10), hit_at(40, 12), wm(70), hit_at(60, 14), wm(130), hit_at(40, 16)},
        {"2: 1 [-60,40) = 10 on time 0,0 first last", "2: 1 [-30,70) = 22 on time 0,0 first last",
            "4: 1 [0,100) = 36 on time 0,0 first last", "4: 1 [30,130) = 26 on time 0,0 first last"});
    CHECK(out.refused(reason::closed) == 4);
}

TEST_CASE("P-28 group timestamps follow the window's end by default", "[cases][panes]") {
    check(sums(tumbling{units(600)}), {hit_at(0), hit_at(10), end()}, {"2: 1 [0,600) = 2 on time 0,0 first last"});
}

TEST_CASE("F-03 lateness, purged on fire", "[cases][panes]") {
    // `purge` is discarding: the late pane shows what is new.
    auto const out = check(sums(tumbling{units(2000)}, at_watermark(), lateness(500), discarding{}),
        {hit_at(500), wm(1501), hit_at(1300), wm(2301), hit_at(1997), wm(6001), hit_at(1998), wm(7001)},
        {"3: 1 [0,2000) = 2 on time 0,0 first", "4: 1 [0,2000) = 1 late 1,1"});
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("K-01 every update, then final results", "[cases][panes]") {
    auto const updates = keyed_hits
        | window(tumbling{units(2)}, at_watermark().early(every(1)), lateness(1), on_time_if_new{})
        | aggregate(count());
    auto const script = in_stream_time(
        {hit_at(0), hit_at(1), hit_at(2), hit_at(1), hit_at(0), hit_at(5), hit_at(0)});
    auto const out = check(updates, script,
        {"0: 1 [0,2) = 1 early 0,-1 first", "2: 1 [0,2) = 2 early 1,-1", "4: 1 [2,4) = 1 early 0,-1 first",
            "6: 1 [0,2) = 3 late 2,0", "8: 1 [0,2) = 4 late 3,1", "10: 1 [4,6) = 1 early 0,-1 first"});
    CHECK(out.refused(reason::late) == 1);
    auto const finals = keyed_hits | window(tumbling{units(2)}, never{}, lateness(1)) | aggregate(count());
    check(finals, script, {"11: 1 [0,2) = 4 late 0,0 first last", "11: 1 [2,4) = 1 on time 0,0 first last"});
}

TEST_CASE("retracting takes the old pane back before the new one", "[cases][panes]") {
    check(sums(tumbling{units(10)}, at_watermark().early(every(1)), retracting{}, lateness(5)),
        {hit_at(1, 1), hit_at(2, 2), wm(10), hit_at(3, 4)},
        {"0: 1 [0,10) = 1 early 0,-1 first", "not 1: 1 [0,10) = 1 early 1,-1", "1: 1 [0,10) = 3 early 1,-1",
            "not 2: 1 [0,10) = 3 on time 2,0", "2: 1 [0,10) = 3 on time 2,0", "not 3: 1 [0,10) = 3 late 3,1",
            "3: 1 [0,10) = 7 late 3,1"});
}
