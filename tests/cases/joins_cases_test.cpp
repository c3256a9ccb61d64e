// SPDX-License-Identifier: BSL-1.0
// Joins of streams as the public tests of Flink, Kafka Streams and Bytewax have them; ids as in SEMANTICS section 15
// and in CASES-2.
#include <driftless/op/cogroup.hpp>
#include <cases/two_sides.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/session.hpp>
#include <driftless/run/job.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <span>

using namespace sides;

namespace joins_cases {
/// The first value of each side by event time.
struct firsts {
    driftless::event_time left_at = driftless::event_time::max();
    driftless::event_time right_at = driftless::event_time::max();
    std::string left;
    std::string right;

    [[nodiscard]] bool complete() const { return !left.empty() && !right.empty(); }
};
}  // namespace joins_cases
BOOST_HANA_ADAPT_STRUCT(joins_cases::firsts, left_at, right_at, left, right);

namespace {
constexpr interval within(std::int64_t lo, std::int64_t hi) { return {duration{lo}, duration{hi}}; }
template <class... Options>
constexpr auto joined_sides(Options... options) {
    return join(side<0>(), side<1>(), options...);
}
/// l and r at 1..4; whoever runs ahead, by so many.
std::vector<row> ladder(int left_ahead) {
    std::vector<row> moves;
    for (int i = 1 - 4; i <= 4 + 4; ++i) {
        int const l = i;
        int const r = i - left_ahead;
        if (l >= 1 && l <= 4) {
            moves.push_back(left(l, std::to_string(l)));
            moves.push_back(left_wm(l));
        }
        if (r >= 1 && r <= 4) {
            moves.push_back(right(r, std::to_string(r)));
            moves.push_back(right_wm(r));
        }
    }
    return moves;
}
lines pairs(std::string const& list) {
    lines out;
    for (std::size_t i = 0; i + 1 < list.size(); i += 3) out.push_back(std::string{list[i], '+', list[i + 1]});
    return out;
}
}  // namespace

TEST_CASE("F-18 interval bounds are closed or open per side", "[cases][joins]") {
    struct {
        interval bounds;
        char const* expected;
    } const cases[] = {
        {within(1, 3).open_above(), "12 13 23 24 34"},
        {within(-1, 1), "11 12 21 22 23 32 33 34 43 44"},
        {within(-3, -1).open(), "31 42"},
        {within(1, 3).open(), "13 24"},
        {within(-1, 1).open(), "11 22 33 44"},
        {within(-2, -1), "21 31 32 42 43"},
    };
    for (auto const& each : cases) {
        for (int const ahead : {-4, -1, 0, 1, 4}) {
            INFO(each.expected << ", left ahead by " << ahead);
            CHECK(sorted(brief(check(joined_sides(each.bounds), ladder(ahead)).rows)) == pairs(each.expected));
        }
    }
}

TEST_CASE("F-20 an interval join restored from a snapshot goes on where it was", "[cases][joins]") {
    // WMi n is watermark n + 1.
    std::vector<row> moves;
    for (int i = 1; i <= 4; ++i) {
        auto const name = std::to_string(i);
        for (auto const& each : {left(i, name), right(i, name), left_wm(i + 1), right_wm(i + 1)}) moves.push_back(each);
    }
    auto const got = check(joined_sides(within(-1, 1)), moves).rows;
    // Before the fourth pair of records: 11,12,21,22,23,32,33; with them: 34,43,44.
    lines before;
    lines after;
    for (auto const& each : got) (std::stoi(each) < 12 ? before : after).push_back(each);
    CHECK(sorted(brief(before)) == pairs("11 12 21 22 23 32 33"));
    CHECK(sorted(brief(after)) == pairs("34 43 44"));
}

TEST_CASE("K-11 a left join yields each row once", "[cases][joins]") {
    auto const pipe = join(streamed<0>(), streamed<1>(), within(-100, 100), left_outer{}, allowed_lateness{10_ns});
    auto const got = check(pipe,
        {left(0, "A0"), left(0, "A0'"), right(111, "a0", 1), right(500, "d", 2), left(1000, "A2", 2),
            left(1000, "A2'", 2), right(1001, "a2", 2), right(315, "a3", 3)},
        false);
    CHECK(got.rows == lines{"2: A0+-", "2: A0'+-", "6: A2+a2", "6: A2'+a2"});
    CHECK(got.late() == 1);
}

TEST_CASE("T2-27 an outer join yields each row once, and pairs of duplicates", "[cases][joins]") {
    // Kafka has one stream time for both sides and takes B@200 at 211 within 100 + 10; here a row is late behind
    // its own watermark less the grace, which is what no arrival order can make drift: the left side is not at 211 yet.
    auto const got = check(joined_sides(within(-100, 100), full_outer{}, allowed_lateness{10_ns}),
        {left(0, "A"), left(0, "A'"), right(0, "11", 1), right(0, "12", 1), right(111, "10", 1), left_wm(111),
            right_wm(111), right(211, "100", 3), right_wm(211), left(200, "B", 2), left(200, "B'", 2),
            right(201, "13", 2), right(201, "14", 2), right(1500, "100", 3), left_wm(1500), right_wm(1500)});
    // The rows that are alone are due at 111: the first time > 0 + 100 + 10.
    CHECK(got.rows
        == lines{"5: -+11", "5: -+12", "6: A+-", "6: A'+-", "11: B+13", "11: B'+13", "12: B+14", "12: B'+14",
            "14: -+10", "14: -+100"});
}

TEST_CASE("T2-28 an unmatched row comes before what is later, and not before its grace is over", "[cases][joins]") {
    // (a) The watermark is told before the record at 110, which would bring it otherwise.
    auto const ordered = check(joined_sides(within(-100, 100), full_outer{}),
        {left(0, "A0"), left(100, "A1", 1), left_wm(110), right_wm(110), right(110, "11", 1)});
    CHECK(ordered.rows == lines{"3: A0+-", "4: A1+11"});
    // (b)
    auto const graced = check(
        join(streamed<0>(), streamed<1>(), within(-100, 100), full_outer{}, allowed_lateness{10_ns}),
        {left(0, "A0"), right(0, "11", 1), left(101, "A1", 1), right(101, "10"), right(112, "100")}, false);
    // A1@101 and 10@101 are not within 100 of 11@0 and A0@0.
    CHECK(graced.rows == lines{"4: -+11", "4: A0+-"});
}

TEST_CASE("T2-31 joins of a window: product, first and last", "[cases][joins]") {
    // Bytewax keeps values by arrival; what it calls `final` is a window that has closed. A window comes out once, when
    // it closes: what it calls `running` is a join of tables (table_joins_cases_test.cpp). `complete`, one row as soon
    // as both sides are there, comes here when the window closes, too.
    constexpr auto windows = window(tumbling{10_ns});
    auto const l = side<0>() | windows;
    auto const r = side<1>() | windows;
    std::vector<row> const product{left(1, "1"), left(2, "2"), right(3, "3"), right(4, "4"), left_wm(10), right_wm(10)};
    CHECK(brief(check(join(l, r), product).rows) == pairs("13 14 23 24"));
    std::vector<row> const values{left(1, "1"), right(2, "2"), right(3, "3"), left_wm(10), right_wm(10)};
    auto const chosen = [&](auto pick) {
        lines out;
        auto const pipe =
            cogroup(l, r, [pick](std::span<row const> a, std::span<row const> b) { return pick(a) + "," + pick(b); });
        for (auto const& pane : run(driftless::batch{}, pipe, values)) out.push_back(pane.value);
        return out;
    };
    CHECK(chosen([](std::span<row const> all) { return all.front().value; }) == lines{"1,2"});
    CHECK(chosen([](std::span<row const> all) { return all.back().value; }) == lines{"1,3"});
    // first by event time, not by arrival.
    std::vector<row> const turned{left(0, "1"), right(2, "3"), right(1, "2"), left_wm(10), right_wm(10)};
    auto const earliest = [](std::span<row const> all) {
        return std::min_element(all.begin(), all.end(), [](row const& a, row const& b) { return a.at < b.at; })->value;
    };
    auto const first = cogroup(l, r, [&](std::span<row const> a, std::span<row const> b) {
        return earliest(a) + "," + earliest(b);
    });
    auto const got = run(driftless::batch{}, first, turned);
    REQUIRE(got.size() == 1);
    CHECK(got[0].value == "1,2");
}

TEST_CASE("T2-31 a session of both sides: first by event time, not by arrival", "[cases][joins]") {
    // Sessions are not joined: both sides in one stream have sessions in common, and an aggregate of both.
    constexpr auto first = [](joins_cases::firsts of, row const& r) {
        auto& at = r.side == 0 ? of.left_at : of.right_at;
        if (r.at < at) {
            at = r.at;
            (r.side == 0 ? of.left : of.right) = r.value;
        }
        return of;
    };
    auto const pipe = from<row>() | assign_time<&row::at>(bounded_disorder{2_ns}) | key_by<&row::key>()
        | window(driftless::session{10_ns}) | aggregate(fold(joins_cases::firsts{}, first))
        | filter([](pane<std::int64_t, joins_cases::firsts> const& p) { return p.value.complete(); });
    std::vector<row> const log{left(0, "1"), right(2, "3"), right(1, "2"), left(30, "4")};
    for (bool const streamed : {false, true}) {
        lines out;
        auto sink = to(
            [&](pane<std::int64_t, joins_cases::firsts> const& p) {
                out.push_back(p.value.left + "," + p.value.right + " until " + std::to_string(p.window.end.ns()));
            },
            [&](std::int64_t, driftless::time_window) { out.push_back("gone"); });
        if (streamed) run(driftless::stream{.until = drained}, pipe, log, sink);
        else run(driftless::batch{}, pipe, log, sink);
        CHECK(out == lines{"1,2 until 12"});
    }
}
