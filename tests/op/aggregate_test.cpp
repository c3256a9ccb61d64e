// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/aggregate.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::watermark;

namespace {
struct order {
    std::uint64_t key;
    std::int64_t cents;
};
event_time ns(std::int64_t n) { return event_time{n}; }
event<order> of(std::uint64_t key, std::int64_t at, std::int64_t cents = 1) { return {{key, cents}, ns(at)}; }

using totals = std::tuple<std::int64_t, std::int64_t>;
auto late_pipe(tumbling windows, duration lateness) {
    return from<event<order>>() | key_by<&order::key>() | window(windows, allowed_lateness{lateness})
        | aggregate(count(), sum<&order::cents>());
}
template <class... Steps>
auto play_late(duration size, duration lateness, Steps... steps) {
    return testing::play_script(late_pipe({size}, lateness), testing::script<order>{std::move(steps)...});
}
bool law_5(report const& of_run, std::uint64_t records) { return of_run.stage("aggregate")->in() == records; }

/// The key whose hash is the constant that a table keeps aside.
constexpr std::uint64_t aside = unmix64(0x9e3779b97f4a7c15u);
}  // namespace

TEST_CASE("a window fires when the watermark reaches its end, and not one nanosecond earlier", "[op][aggregate]") {
    auto const before = play_late(10_ns, {}, of(1, 9), watermark(ns(9)));
    CHECK(before.panes.empty());
    auto const then = play_late(10_ns, {}, of(1, 9), watermark(ns(9)), watermark(ns(10)), watermark(ns(11)));
    REQUIRE(then.panes.size() == 1);
    CHECK(then.panes[0].info == pane_info{timing::on_time, 0, 0, true, true});
}

TEST_CASE("at end + lateness - 1 ns a record is accepted, at end + lateness it is refused", "[op][aggregate]") {
    auto const accepted = play_late(10_ns, 5_ns, of(1, 1), watermark(ns(14)), of(1, 2));
    CHECK(accepted.panes.size() == 2);
    CHECK(accepted.refused(reason::late) == 0);
    auto const refused = play_late(10_ns, 5_ns, of(1, 1), watermark(ns(15)), of(1, 2));
    CHECK(refused.panes.size() == 1);
    CHECK(refused.refused(reason::late) == 1);
    CHECK(law_5(refused.report, 2));
    // Without lateness: in time up to end - 1 ns.
    CHECK(play_late(10_ns, {}, watermark(ns(9)), of(1, 0)).refused(reason::late) == 0);
    CHECK(play_late(10_ns, {}, watermark(ns(10)), of(1, 0)).refused(reason::late) == 1);
}

TEST_CASE("one watermark move past end and end + lateness gives one pane: on time and last", "[op][aggregate]") {
    auto const one = play_late(10_ns, 5_ns, of(1, 1), watermark(ns(15)));
    REQUIRE(one.panes.size() == 1);
    CHECK(one.panes[0].info == pane_info{timing::on_time, 0, 0, true, true});
    auto const open = play_late(10_ns, 5_ns, of(1, 1), watermark(ns(14)));
    CHECK_FALSE(open.panes.at(0).info.last);
}

TEST_CASE("a key that comes late only has a first late pane with index 0", "[op][aggregate]") {
    auto const out = play_late(10_ns, 5_ns, of(1, 1), watermark(ns(10)), of(2, 2), of(2, 3));
    REQUIRE(out.panes.size() == 3);
    CHECK(out.panes[1].info == pane_info{timing::late, 0, 0, true, false});
    CHECK(out.panes[2].info == pane_info{timing::late, 1, 1, false, false});
}

TEST_CASE("ends of windows saturate: the first and the last window of all time work", "[op][aggregate]") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
    // The first window ends at least + 8, so that it closes at 7; the last one ends at +inf and never closes.
    auto const out = play_late(10_ns, duration::max(), of(1, least + 1), of(1, greatest - 1), watermark(ns(6)),
        of(1, least + 2), watermark(ns(7)), of(1, least + 2), watermark(ns(greatest - 1)),
        of(1, greatest - 2), testing::end_of_input{});
    REQUIRE(out.panes.size() == 3);
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.panes[0].window == time_window{event_time::min(), ns(least + 8)});
    CHECK(out.panes[1].value == totals{2, 2});
    CHECK(out.panes[2].window.end == event_time::max());
    CHECK(out.panes[2].value == totals{2, 2});
}

TEST_CASE("no input, no pane", "[op][aggregate]") {
    CHECK(play_late(10_ns, 5_ns, watermark(ns(50)), testing::end_of_input{}).panes.empty());
}

TEST_CASE("panes of one firing come in ascending canonical hash, also around the entry kept aside", "[op][aggregate]") {
    testing::script<order> steps;
    for (std::uint64_t key = 0; key < 50; ++key) steps.add(of(key, 1));
    steps.add(of(aside, 1));
    steps.add(of(aside, 2));
    steps.add(testing::snapshot_and_restore{});
    steps.add(watermark(ns(10)));
    auto const out = testing::play_script(late_pipe({10_ns}, {}), steps);
    REQUIRE(out.panes.size() == 51);
    CHECK(std::is_sorted(out.panes.begin(), out.panes.end(),
        [](auto const& a, auto const& b) { return canonical_hash(a.key) < canonical_hash(b.key); }));
    auto const there =
        std::find_if(out.panes.begin(), out.panes.end(), [](auto const& row) { return row.key == aside; });
    REQUIRE(there != out.panes.end());
    CHECK(there->value == totals{2, 2});
}

TEST_CASE("P-09: one on-time pane, then a late one with the sum so far", "[op][aggregate][beam]") {
    auto const out = play_late(10_ns, 100_ns, watermark(ns(0)), of(1, 1, 1), watermark(ns(10)), of(1, 3, 3));
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].value == totals{1, 1});
    CHECK(out.panes[0].info == pane_info{timing::on_time, 0, 0, true, false});
    CHECK(out.panes[1].value == totals{2, 4});
    CHECK(out.panes[1].info == pane_info{timing::late, 1, 1, false, false});
}

TEST_CASE("P-26: behind the watermark only the record whose window has closed is refused", "[op][aggregate][beam]") {
    auto const out =
        play_late(10_ns, {}, watermark(ns(15)), of(1, 13), of(1, 5), of(1, 16), of(1, 18), testing::end_of_input{});
    CHECK(out.refused(reason::late) == 1);
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].value == totals{3, 3});
    CHECK(law_5(out.report, 4));
}

TEST_CASE("F-03: lateness of Flink's window operator, accumulating", "[op][aggregate][flink]") {
    // WMi n is n + 1 here. Their purging trigger emits 2 and then 1; ours accumulates: 2, then 3.
    auto const out = play_late(2000_ns, 500_ns, of(2, 500), watermark(ns(1501)), of(2, 1300), watermark(ns(2301)),
        of(2, 1997), watermark(ns(6001)), of(2, 1998), watermark(ns(7001)));
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes[0].value == totals{2, 2});
    CHECK(out.panes[1].value == totals{3, 3});
    CHECK(out.panes[1].info.timing == timing::late);
    CHECK(out.refused(reason::late) == 1);
}

TEST_CASE("K-08: records behind end + grace are refused, seven of eight", "[op][aggregate][kafka]") {
    auto const out = play_late(10_ns, 90_ns, of(1, 200), watermark(ns(200)), of(1, 100), of(1, 101), of(1, 102),
        of(1, 103), of(1, 104), of(1, 105), of(1, 6), testing::end_of_input{});
    CHECK(out.refused(reason::late) == 7);
    REQUIRE(out.panes.size() == 1);
    CHECK(out.panes[0].window == time_window{ns(200), ns(210)});
}

TEST_CASE("B-01: Bytewax's tumbling windows", "[op][aggregate][bytewax]") {
    enum : std::uint64_t {
        login,
        post
    };
    auto const out = play_late(10_ns, {}, of(login, 0), watermark(ns(0)), of(post, 4), watermark(ns(4)), of(post, 8),
        watermark(ns(8)), of(post, 16), watermark(ns(16)), testing::end_of_input{});
    std::map<std::pair<std::int64_t, std::uint64_t>, std::int64_t> got;
    for (auto const& row : out.panes) got[{row.window.start.ns(), row.key}] = std::get<0>(row.value);
    CHECK(got == decltype(got){{{0, login}, 1}, {{0, post}, 2}, {{10, post}, 1}});
}

TEST_CASE("every pane of a random script is the one that loops from scratch make", "[op][aggregate][oracle]") {
    struct seen {
        std::uint64_t key;
        std::int64_t end;
        totals value;
        pane_info info;
        bool operator==(seen const&) const = default;
    };
    property("panes", [] {
        auto const size = *rc::gen::inRange<std::int64_t>(1, 9);
        auto const offset = *rc::gen::inRange<std::int64_t>(-9, 9);
        auto const lateness = *rc::gen::inRange<std::int64_t>(0, 9);
        auto const moves = *rc::gen::container<std::vector<std::pair<int, int>>>(
            rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange(-12, 12)));

        testing::script<order> steps;
        std::vector<event<order>> taken;
        std::vector<seen> want;
        std::optional<std::int64_t> now;
        std::uint64_t late = 0;
        std::uint64_t records = 0;
        std::map<std::pair<std::int64_t, std::uint64_t>, std::int32_t> panes;
        auto const end_of = [&](std::int64_t at) {
            std::int64_t end = at + 1;
            while (((end - offset) % size + size) % size != 0) ++end;
            return end;
        };
        auto const emit = [&](std::int64_t end, std::uint64_t key, timing when, bool last) {
            totals sum{};
            for (auto const& each : taken) {
                if (each.value.key != key || end_of(each.at.ns()) != end) continue;
                std::get<0>(sum) += 1;
                std::get<1>(sum) += each.value.cents;
            }
            auto const index = panes[{end, key}]++;
            want.push_back({key, end, sum, {when, index, index, index == 0, last}});
        };
        auto const advance = [&](std::int64_t to, bool is_end) {
            std::vector<std::pair<std::int64_t, std::uint64_t>> due;
            for (auto const& each : taken) {
                auto const end = end_of(each.at.ns());
                if ((now && end <= *now) || (end > to && !is_end)) continue;
                due.emplace_back(end, each.value.key);
            }
            std::sort(due.begin(), due.end(), [](auto const& a, auto const& b) {
                return a.first != b.first ? a.first < b.first : canonical_hash(a.second) < canonical_hash(b.second);
            });
            due.erase(std::unique(due.begin(), due.end()), due.end());
            for (auto const& [end, key] : due) emit(end, key, timing::on_time, is_end || end + lateness <= to);
            now = to;
        };
        for (auto const& [kind, n] : moves) {
            if (kind == 0) {
                steps.add(testing::snapshot_and_restore{});
            } else if (kind < 3) {
                auto const to = now ? *now + (n + 12) / 3 : n;
                steps.add(watermark(ns(to)));
                advance(to, false);
            } else {
                auto const each = of(static_cast<std::uint64_t>(kind), n + now.value_or(0), n);
                steps.add(each);
                ++records;
                auto const end = end_of(each.at.ns());
                if (now && *now >= end + lateness) {
                    ++late;
                    continue;
                }
                taken.push_back(each);
                if (now && *now >= end) emit(end, each.value.key, timing::late, false);
            }
        }
        steps.add(testing::end_of_input{});
        advance(0, true);

        auto const out = testing::play_script(late_pipe({duration{size}, duration{offset}}, duration{lateness}), steps);
        std::vector<seen> got;
        for (auto const& row : out.panes) got.push_back({row.key, row.window.end.ns(), row.value, row.info});
        RC_ASSERT(got == want);
        RC_ASSERT(out.refused(reason::late) == late);
        RC_ASSERT(law_5(out.report, records));
    });
}
