// SPDX-License-Identifier: BSL-1.0
// What Beam, Flink, Kafka Streams and Jet do otherwise than we do, under their presets; ids as in SEMANTICS section 15.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <cases/timeline.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/time/presets.hpp>

using namespace cases;

namespace {
constexpr duration units(std::int64_t n) { return duration{n}; }
constexpr session<> gap(std::int64_t n) { return session{units(n)}; }
constexpr allowed_lateness lateness(std::int64_t n) { return {units(n)}; }
template <class... Options>
constexpr auto counts(Options... options) {
    return keyed_hits | window(options...) | aggregate(count());
}
template <class... Options>
constexpr auto sums(Options... options) {
    return keyed_hits | window(options...) | aggregate(sum<&hit::value>());
}
std::vector<move> const f_06{hit_at(1000), wm(2000), hit_at(2000), wm(4999), hit_at(4500), hit_at(8500), wm(7401),
    hit_at(7000), wm(11502), hit_at(11600), wm(14601), hit_at(10000), hit_at(14500), wm(20001)};
}  // namespace

TEST_CASE("F-06 flink, beam: a session is forgotten at its end, and 14500 begins another", "[cases][presets]") {
    auto const by_rows = [](auto const& pipeline) {
        auto const out = check(pipeline, f_06,
            {"8: 1 [1000,11500) = 5 on time 0,0 first last", "10: 1 [11600,14600) = 1 on time 0,0 first last",
                "13: 1 [14500,17500) = 1 on time 0,0 first last"});
        CHECK(out.refused(reason::late) == 1);  // 10000
        CHECK(out.report.state_bytes == 0);
    };
    by_rows(counts(gap(3000), presets::flink));
    by_rows(counts(gap(3000), presets::beam, accumulating{}));
}

TEST_CASE("F-09 flink: what a merge swallows is not deleted", "[cases][presets]") {
    auto const out = check(counts(gap(3000), presets::flink, lateness(10000)), f_06,
        {"8: 1 [1000,11500) = 5 on time 0,0 first", "10: 1 [11600,14600) = 1 on time 0,0 first",
            "11: 1 [1000,14600) = 7 late 1,1", "13: 1 [1000,17500) = 8 on time 2,2"});
    CHECK(out.refused() == 0);
}

TEST_CASE("flink merges sessions that touch; beam, kafka's next tick and jet do not", "[cases][presets]") {
    std::vector<move> const script{hit_at(0), hit_at(10), hit_at(21), end()};
    check(counts(gap(10), presets::flink), script,
        {"3: 1 [0,20) = 2 on time 0,0 first last", "3: 1 [21,31) = 1 on time 0,0 first last"});
    std::vector<std::string> const strict{"3: 1 [0,10) = 1 on time 0,0 first last",
        "3: 1 [10,20) = 1 on time 0,0 first last", "3: 1 [21,31) = 1 on time 0,0 first last"};
    check(counts(gap(10), presets::beam, accumulating{}), script, strict);
    check(counts(gap(10), presets::jet), script, strict);
    // A gap that each record brings can be joined as well.
    auto const own = session([](hit const& h) { return units(h.value); }, units(10));
    check(counts(own, presets::flink), {hit_at(0, 10), hit_at(10, 5), hit_at(16, 5), end()},
        {"3: 1 [0,15) = 2 on time 0,0 first last", "3: 1 [16,21) = 1 on time 0,0 first last"});
}

TEST_CASE("flink asks the merged session whether a record is late, beam the record", "[cases][presets]") {
    // 5000 spans [5000,8000), which is over at 9000; the session that it falls into is not.
    std::vector<move> const script{hit_at(4000), hit_at(6000), hit_at(8500), wm(9000), hit_at(5000), end()};
    auto out = check(counts(gap(3000), presets::flink), script, {"5: 1 [4000,11500) = 4 on time 0,0 first last"});
    CHECK(out.refused() == 0);
    out = check(counts(gap(3000), presets::beam, accumulating{}), script,
        {"5: 1 [4000,11500) = 3 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 1);
    // Without a session to join it is late for both; up to the tick.
    auto const alone = [](std::int64_t watermark) {
        return play(counts(gap(3000), presets::flink), {hit_at(100'000), wm(watermark), hit_at(5000)}, false, 1)
            .refused(reason::late);
    };
    CHECK(alone(7999) == 0);
    CHECK(alone(8000) == 1);
}

TEST_CASE("flink: a trigger shows a pane although nothing is new", "[cases][presets]") {
    auto const trigger = at_watermark().early(repeat(after(units(5))));
    std::vector<move> const script{hit_at(1), pt(10), wm(10), wm(12)};
    check(counts(tumbling{units(10)}, presets::flink, repeat(at_watermark()), lateness(2)), script,
        {"2: 1 [0,10) = 1 on time 0,0 first", "3: 1 [0,10) = 1 late 1,1 last"});
    check(counts(tumbling{units(10)}, repeat(at_watermark()), lateness(2)), script,
        {"2: 1 [0,10) = 1 on time 0,0 first"});
    // Where it does not fire nothing is repeated; and without a trigger it is the default one.
    check(counts(tumbling{units(10)}, presets::flink, trigger, lateness(2)), script,
        {"1: 1 [0,10) = 1 early 0,-1 first", "2: 1 [0,10) = 1 on time 1,0"});
    check(counts(tumbling{units(10)}, presets::flink), script, {"2: 1 [0,10) = 1 on time 0,0 first last"});
}

TEST_CASE("P-02 beam: panes are discarding", "[cases][presets]") {
    std::vector<move> const script{
        wm(0), hit_at(100, 1), hit_at(200, 2), hit_at(500, 4), wm(1000), hit_at(750, 8), hit_at(250, 16), end()};
    auto const trigger = at_watermark().early(every(2)).late(never{});
    check(sums(tumbling{units(1000)}, presets::beam, trigger, lateness(5000)), script,
        {"2: 1 [0,1000) = 3 early 0,-1 first", "4: 1 [0,1000) = 4 on time 1,0", "7: 1 [0,1000) = 24 late 2,1 last"});
    check(sums(tumbling{units(1000)}, presets::beam, trigger, accumulating{}, lateness(5000)), script,
        {"2: 1 [0,1000) = 3 early 0,-1 first", "4: 1 [0,1000) = 7 on time 1,0", "7: 1 [0,1000) = 31 late 2,1 last"});
}

TEST_CASE("K-01 kafka: every update", "[cases][presets]") {
    auto const script = in_stream_time(
        {hit_at(0), hit_at(1), hit_at(2), hit_at(1), hit_at(0), hit_at(5), hit_at(0)});
    auto const out = check(counts(tumbling{units(2)}, presets::kafka, lateness(1)), script,
        {"0: 1 [0,2) = 1 early 0,-1 first", "2: 1 [0,2) = 2 early 1,-1", "4: 1 [2,4) = 1 early 0,-1 first",
            "6: 1 [0,2) = 3 late 2,0", "8: 1 [0,2) = 4 late 3,1", "10: 1 [4,6) = 1 early 0,-1 first"});
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("K-04 kafka: sessions show every update, and take the row before it back", "[cases][presets]") {
    auto const out = check(counts(gap(5), presets::kafka),
        in_stream_time({hit_at(0), hit_at(5), hit_at(1), hit_at(11, 1, 2), hit_at(5), hit_at(30)}),
        {"0: 1 [0,6) = 1 early 0,-1 first", "2: 1 [0,6) removed", "2: 1 [0,11) = 2 early 1,-1",
            "4: 1 [0,11) removed", "4: 1 [0,11) = 3 early 2,-1", "6: 2 [11,17) = 1 early 0,-1 first",
            "10: 1 [30,36) = 1 early 0,-1 first"});
    CHECK(out.refused(reason::late) == 1);
    // A record that spans what its session does changes the row in place; one that comes late makes a late pane.
    check(counts(gap(5), presets::kafka, lateness(20)), {hit_at(0), hit_at(0), wm(6), hit_at(3), wm(40)},
        {"0: 1 [0,6) = 1 early 0,-1 first", "1: 1 [0,6) = 2 early 1,-1", "3: 1 [0,6) removed",
            "3: 1 [0,9) = 3 early 2,-1"});
    check(counts(gap(5), presets::kafka, lateness(20)), {hit_at(0), wm(9), hit_at(3), hit_at(2), wm(40)},
        {"0: 1 [0,6) = 1 early 0,-1 first", "2: 1 [0,6) removed", "2: 1 [0,9) = 2 late 1,0",
            "3: 1 [0,9) removed", "3: 1 [0,9) = 3 late 2,1"});
}

TEST_CASE("K-09 kafka: grace of sessions", "[cases][presets]") {
    auto const late = [](std::int64_t grace, std::vector<move> const& records) {
        auto const pipeline = counts(gap(10), presets::kafka, lateness(grace));
        return play(pipeline, in_stream_time(records), false, 1).refused(reason::late);
    };
    std::vector<move> records{hit_at(0, 1, 4), hit_at(0, 1, 1), hit_at(11, 1, 4), hit_at(0, 1, 2)};
    CHECK(late(0, records) == 1);
    CHECK(late(1, records) == 0);
    records.push_back(hit_at(12, 1, 4));
    records.push_back(hit_at(0, 1, 3));
    CHECK(late(1, records) == 1);
}

TEST_CASE("kafka: records exactly one gap apart share a session, also where each brings its own", "[cases][presets]") {
    auto const own = session([](hit const& h) { return units(h.value); }, units(10));
    std::vector<move> const script{hit_at(0, 5), hit_at(5, 3), hit_at(9, 10)};
    check(counts(own, presets::kafka), script,
        {"0: 1 [0,6) = 1 early 0,-1 first", "1: 1 [0,6) removed", "1: 1 [0,9) = 2 early 1,-1",
            "2: 1 [9,20) = 1 early 0,-1 first"});
    check(counts(gap(4), presets::kafka), script,
        {"0: 1 [0,5) = 1 early 0,-1 first", "1: 1 [5,10) = 1 early 0,-1 first", "2: 1 [5,10) removed",
            "2: 1 [5,14) = 2 early 1,-1"});
}

TEST_CASE("kafka: windows that begin before the epoch are not there, and nothing is refused for them",
    "[cases][presets]") {
    std::vector<move> const script{hit_at(-1), hit_at(2), hit_at(6), end()};
    auto const all = at_watermark();
    auto out = check(counts(sliding{units(10), units(5)}, presets::kafka, all), script,
        {"3: 1 [0,10) = 2 on time 0,0 first last", "3: 1 [5,15) = 1 on time 0,0 first last"});
    CHECK(out.refused() == 0);
    CHECK(out.report.stage("aggregate")->unassigned == 1);  // -1 lies in no window
    out = check(counts(sliding{units(10), units(5)}, all), script,
        {"3: 1 [-10,0) = 1 on time 0,0 first last", "3: 1 [-5,5) = 2 on time 0,0 first last",
            "3: 1 [0,10) = 2 on time 0,0 first last", "3: 1 [5,15) = 1 on time 0,0 first last"});
    check(counts(tumbling{units(10)}, presets::kafka), {hit_at(-1), hit_at(0)},
        {"1: 1 [0,10) = 1 early 0,-1 first"});
}

TEST_CASE("jet: a record behind the watermark is late in each of its windows", "[cases][presets]") {
    std::vector<move> const script{hit_at(1), wm(6), hit_at(5), hit_at(6), end()};
    auto out = check(counts(tumbling{units(10)}, presets::jet), script,
        {"4: 1 [0,10) = 2 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 1);
    out = check(counts(sliding{units(10), units(5)}, presets::jet), script,
        {"1: 1 [-5,5) = 1 on time 0,0 first last", "4: 1 [0,10) = 2 on time 0,0 first last",
            "4: 1 [5,15) = 1 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 2);
    CHECK(out.report.stage("aggregate")->in() == 6);  // per (record, window)
    out = check(counts(gap(10), presets::jet), script, {"4: 1 [1,16) = 2 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 1);
    out = check(counts(tumbling{units(10)}, presets::jet, every(2)), script,
        {"3: 1 [0,10) = 2 early 0,-1 first", "4: 1 [0,10) = 2 on time 1,0 last"});
    CHECK(out.refused(reason::late) == 1);
}

namespace {
std::vector<move> f_11() {
    std::vector<move> script{hit_at(0), hit_at(3000, 1, 2), hit_at(3999, 1, 2), hit_at(20), hit_at(999),
        hit_at(1998, 1, 2), hit_at(1999, 1, 2), hit_at(1000, 1, 2)};
    for (std::int64_t w = 1000; w <= 8000; w += 1000) script.push_back(wm(w + 1));  // inclusive in the case
    return script;
}
template <class... Options>
constexpr auto every_three_seconds(Options... options) {
    return keyed_hits | window(global{}, options..., every_interval(units(3000)))
        | aggregate(count(), unbounded_state{});
}
}  // namespace

TEST_CASE("F-11 a pane every three seconds of event time, counted from the first record of the key",
    "[cases][presets]") {
    check(every_three_seconds(), f_11(),
        {"10: 1 [-inf,inf) = 3 early 0,-1 first", "13: 2 [-inf,inf) = 5 early 0,-1 first"});
    check(every_three_seconds(presets::flink), f_11(),
        {"10: 1 [-inf,inf) = 3 early 0,-1 first", "13: 1 [-inf,inf) = 3 early 1,-1",
            "13: 2 [-inf,inf) = 5 early 0,-1 first"});
}

TEST_CASE("every_interval: due behind its time, once for several times at once, and not for times that have passed",
    "[cases][panes]") {
    auto const pipeline = sums(tumbling{units(100)}, at_watermark().early(every_interval(units(10))), lateness(50));
    check(pipeline, {hit_at(5, 1), wm(15), wm(16), hit_at(7, 2), wm(25), wm(26), wm(36), hit_at(50, 4), wm(77), end()},
        {"2: 1 [0,100) = 1 early 0,-1 first", "5: 1 [0,100) = 3 early 1,-1", "8: 1 [0,100) = 7 early 2,-1",
            "9: 1 [0,100) = 7 on time 3,0 last"});
    // It comes when 15 and 25 have passed: 35 is next, and at 100 the window ends.
    check(pipeline, {wm(30), hit_at(5, 1), wm(35), wm(36), hit_at(90, 2), wm(100), end()},
        {"3: 1 [0,100) = 1 early 0,-1 first", "5: 1 [0,100) = 3 on time 1,0"});
    check(sums(tumbling{units(100)}, once(every_interval(units(10))), allow_data_loss{}),
        {hit_at(5, 1), wm(16), hit_at(6, 2)},
        {"1: 1 [0,100) = 1 early 0,-1 first last"});
    static_assert(decltype(repeat(first_of(every(2), every_interval(units(2)))))::wakes_by_watermark);
    static_assert(decltype(at_watermark().early(never{}).late(once(every_interval(units(2)))))::wakes_by_watermark);
    static_assert(decltype(every(2).or_finally(every_interval(units(2))))::wakes_by_watermark);
    static_assert(!decltype(repeat(first_of(every(2), after{units(2)})))::wakes_by_watermark);
    CHECK_THROWS_AS(every_interval(units(0)).validate(), error);
}
