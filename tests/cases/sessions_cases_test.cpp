// SPDX-License-Identifier: BSL-1.0
// Sessions as the public tests of Beam, Flink, Jet and Kafka Streams have them; ids as in SEMANTICS section 15.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/time/presets.hpp>
#include <cases/timeline.hpp>

using namespace cases;

namespace {
constexpr duration units(std::int64_t n) { return duration{n}; }
template <class Session, class... Options>
constexpr auto counts(Session sessions, Options... options) {
    return keyed_hits | window(sessions, options...) | aggregate(count());
}
constexpr auto gap(std::int64_t n) { return session{units(n)}; }
std::vector<move> hits(std::initializer_list<std::int64_t> times) {
    std::vector<move> out;
    for (auto const at : times) out.push_back(hit_at(at));
    return out;
}
}  // namespace

TEST_CASE("W-06 sessions that touch do not merge, unless told to", "[cases][sessions]") {
    auto script = hits({0, 10, 101});
    script.push_back(end());
    check(counts(gap(10)), script,
        {"3: 1 [0,10) = 1 on time 0,0 first last", "3: 1 [10,20) = 1 on time 0,0 first last",
            "3: 1 [101,111) = 1 on time 0,0 first last"});
    check(counts(session{units(10), touching}), script,
        {"3: 1 [0,20) = 2 on time 0,0 first last", "3: 1 [101,111) = 1 on time 0,0 first last"});
}

TEST_CASE("W-08 consecutive records", "[cases][sessions]") {
    auto script = hits({1, 2, 5, 9, 100, 101});
    script.push_back(end());
    check(counts(gap(10)), script,
        {"6: 1 [1,19) = 4 on time 0,0 first last", "6: 1 [100,111) = 2 on time 0,0 first last"});
}

TEST_CASE("P-22 sessions merge before they fire", "[cases][sessions]") {
    check(keyed_hits | window(gap(10)) | aggregate(sum<&hit::value>()), {hit_at(1, 1), hit_at(10, 10), wm(100)},
        {"2: 1 [1,20) = 11 on time 0,0 first last"});
}

TEST_CASE("P-22 under presets::beam, where panes are discarding", "[cases][sessions][presets]") {
    check(keyed_hits | window(gap(10), presets::beam) | aggregate(sum<&hit::value>()),
        {hit_at(1, 1), hit_at(10, 10), wm(100)}, {"2: 1 [1,20) = 11 on time 0,0 first last"});
}

TEST_CASE("a session whose trigger has fired for the last time does not poison those to come", "[cases][sessions]") {
    // The second record closes the session; the third reaches where it was and begins another one.
    auto const p = keyed_hits | window(gap(10), once(every(2)), allow_data_loss{}) | aggregate(sum<&hit::value>());
    auto const out = check(p,
        {hit_at(1, 1), hit_at(2, 2), hit_at(3, 4), hit_at(4, 8), wm(100)},
        {"1: 1 [1,12) = 3 early 0,-1 first last", "3: 1 [3,14) = 12 early 0,-1 first last"});
    CHECK(out.refused() == 0);
}

TEST_CASE("early panes of a session that grows: each replaces the row before it", "[cases][sessions]") {
    check(keyed_hits | window(gap(10), at_watermark().early(every(2))) | aggregate(sum<&hit::value>()),
        {hit_at(1, 1), hit_at(5, 2), hit_at(30, 4), hit_at(21, 8), hit_at(13, 16), wm(100)},
        {"1: 1 [1,15) = 3 early 0,-1 first", "3: 1 [21,40) = 12 early 0,-1 first", "4: 1 [1,15) removed",
            "4: 1 [21,40) removed", "5: 1 [1,40) = 31 on time 1,0 last"});
}

namespace {
std::vector<move> const flink_script{hit_at(1000), wm(2000), hit_at(2000), wm(4999), hit_at(4500), hit_at(8500),
    wm(7401), hit_at(7000), wm(11502), hit_at(11600), wm(14601), hit_at(10000), hit_at(14500), wm(20001)};
}

TEST_CASE("F-06 sessions without lateness: a record that reaches a kept session changes it", "[cases][sessions]") {
    // Flink has forgotten [11600,14600) when 14500 comes; ours is still in reach (section 5).
    auto const out = check(counts(gap(3000)), flink_script,
        {"8: 1 [1000,11500) = 5 on time 0,0 first", "10: 1 [11600,14600) = 1 on time 0,0 first",
            "12: 1 [11600,14600) removed", "13: 1 [11600,17500) = 2 on time 1,1"});
    CHECK(out.refused(reason::late) == 1);  // 10000
}

TEST_CASE("F-09 sessions with huge lateness", "[cases][sessions]") {
    auto const out = check(counts(gap(3000), allowed_lateness{units(10000)}), flink_script,
        {"8: 1 [1000,11500) = 5 on time 0,0 first", "10: 1 [11600,14600) = 1 on time 0,0 first",
            "11: 1 [1000,11500) removed", "11: 1 [11600,14600) removed", "11: 1 [1000,14600) = 7 late 1,1",
            "12: 1 [1000,14600) removed", "13: 1 [1000,17500) = 8 on time 2,2"});
    CHECK(out.refused() == 0);
}

TEST_CASE("J-03 what is open comes out at the end", "[cases][sessions]") {
    auto script = hits({1, 6, 12, 30, 35, 40});
    script.push_back(wm(25));
    script.push_back(end());
    check(counts(gap(10)), script,
        {"6: 1 [1,22) = 3 on time 0,0 first", "7: 1 [30,50) = 3 on time 0,0 first last"});
}

TEST_CASE("K-04 session windows in stream time", "[cases][sessions]") {
    // Kafka's gap is inclusive: 5 there is 6 here. Each row when its session is over, under our rules.
    auto const out = check(counts(gap(6)),
        in_stream_time({hit_at(0), hit_at(5), hit_at(1), hit_at(11, 1, 2), hit_at(5), hit_at(30)}),
        {"7: 1 [0,11) = 3 on time 0,0 first", "11: 2 [11,17) = 1 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("K-09 sessions with grace 0 and 1", "[cases][sessions]") {
    auto const late = [](std::int64_t grace, std::vector<move> const& script) {
        // Gap 10, inclusive: 11 here.
        return play(counts(gap(11), allowed_lateness{units(grace)}), script, false, 1).refused(reason::late);
    };
    auto const b_at_11 = in_stream_time({hit_at(0, 1, 4), hit_at(0, 1, 1), hit_at(11, 1, 4), hit_at(0, 1, 2)});
    CHECK(late(0, b_at_11) == 1);
    CHECK(late(1, b_at_11) == 0);
    auto const c_at_12 = in_stream_time(
        {hit_at(0, 1, 4), hit_at(0, 1, 1), hit_at(11, 1, 4), hit_at(0, 1, 2), hit_at(12, 1, 4), hit_at(0, 1, 3)});
    CHECK(late(1, c_at_12) == 1);
}

TEST_CASE("a fired session that a record reaches becomes another: gap 6, arrivals 0, 8, 5", "[cases][sessions]") {
    check(counts(gap(6)), in_stream_time({hit_at(0), hit_at(8), hit_at(5)}),
        {"3: 1 [0,6) = 1 on time 0,0 first", "4: 1 [0,6) removed"});
    auto script = in_stream_time({hit_at(0), hit_at(8), hit_at(5)});
    script.push_back(end());
    check(counts(gap(6)), script,
        {"3: 1 [0,6) = 1 on time 0,0 first", "4: 1 [0,6) removed", "6: 1 [0,14) = 3 on time 1,1 last"});
}

TEST_CASE("sessions without a key, of several keys, and state that goes", "[cases][sessions]") {
    check(from<event<hit>>() | window(gap(10)) | aggregate(count())
            | key_by([](auto const&) { return std::int64_t{0}; })
            | aggregate(count()),
        {hit_at(0), hit_at(5), wm(15), hit_at(20), wm(40), wm(60)},
        {"2: 0 [0,15) = 1 on time 0,0 first", "4: 0 [20,30) = 1 on time 0,0 first last"});
    auto const out = check(counts(gap(10)), {hit_at(0, 1, 1), hit_at(1, 1, 2), hit_at(2, 1, 3), wm(100), wm(200)},
        {"3: 1 [0,10) = 1 on time 0,0 first last", "3: 2 [1,11) = 1 on time 0,0 first last",
            "3: 3 [2,12) = 1 on time 0,0 first last"});
    CHECK(out.report.state_bytes == 0);
}
