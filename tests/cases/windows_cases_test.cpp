// SPDX-License-Identifier: BSL-1.0
// Windows as the public tests of Beam, Flink, Jet and Bytewax have them; ids as in SEMANTICS section 15.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/sliding_per_record.hpp>
#include <cases/timeline.hpp>

#include <algorithm>

using namespace cases;

namespace {
constexpr duration units(std::int64_t n) { return duration{n}; }
constexpr sliding hop(std::int64_t size, std::int64_t period, std::int64_t offset = 0) {
    return {units(size), units(period), units(offset)};
}
struct office_hours {  // a day is 10; windows [1,4) and [2,6) of each day
    static constexpr std::string_view kind = "office_hours";
    void assign_each(event_time at, auto&& f) const {
        auto const hour = at.ns() % 10;
        auto const day = at.ns() - hour;
        if (hour >= 1 && hour < 4) f(time_window{event_time{day + 1}, event_time{day + 4}});
        if (hour >= 2 && hour < 6) f(time_window{event_time{day + 2}, event_time{day + 6}});
    }
    void validate() const {}
    void describe(auto&&) const {}
};
/// The windows of a time, as text.
std::string windows_of(auto const& assigner, std::int64_t at) {
    std::string out;
    each_window(assigner, event_time{at}, [&](time_window window) { out += text_of(window); });
    return out;
}
template <class... Options>
constexpr auto counts(Options... options) {
    return keyed_hits | window(options...) | aggregate(count());
}
/// "8: 1 [0,10) = 2": without the pane info.
std::vector<std::string> brief(std::vector<std::string> lines) {
    for (auto& line : lines) line.erase(line.find(" on time"));
    return lines;
}
}  // namespace

TEST_CASE("W-01, W-04 sliding windows and their offset", "[cases][windows]") {
    std::vector<std::string> got;
    for (std::int64_t const at : {1, 2, 5, 9, 10, 11}) got.push_back(windows_of(hop(10, 5), at));
    CHECK(got
        == std::vector<std::string>{"[-5,5)[0,10)", "[-5,5)[0,10)", "[0,10)[5,15)", "[0,10)[5,15)", "[5,15)[10,20)",
            "[5,15)[10,20)"});
    got.clear();
    for (std::int64_t const at : {1, 2, 5, 9, 10, 11}) got.push_back(windows_of(hop(10, 5, 2), at));
    CHECK(got
        == std::vector<std::string>{"[-8,2)[-3,7)", "[-3,7)[2,12)", "[-3,7)[2,12)", "[2,12)[7,17)", "[2,12)[7,17)",
            "[2,12)[7,17)"});
}

TEST_CASE("W-10 windows that slide from record to record", "[cases][windows]") {
    // Kafka names windows by both of their instants: [3000,8000] is [3000,8001).
    auto const sums = keyed_hits | window(sliding_per_record{units(5000)}) | aggregate(sum<&hit::value>());
    auto const out = check(sums, {hit_at(8000, 1), hit_at(9200, 2), hit_at(12400, 3), wm(9201), end()},
        {"3: 1 [3000,8001) = 1 on time 0,0 first last", "3: 1 [4200,9201) = 3 on time 0,0 first last",
            "4: 1 [7400,12401) = 6 on time 0,0 first last", "4: 1 [8001,13002) = 5 on time 0,0 first last",
            "4: 1 [9201,14202) = 3 on time 0,0 first last"});
    CHECK(out.refused() == 0);
    // The same in any order.
    auto const turned = check(sums, {hit_at(12400, 3), hit_at(8000, 1), hit_at(9200, 2), wm(9201), end()}, out.lines);
    CHECK(turned.refused() == 0);
}

TEST_CASE("F-01 sliding event-time windows", "[cases][windows]") {
    // WMi n is watermark n + 1.
    std::vector<move> const script{hit_at(3999, 1, 2), hit_at(3000, 1, 2), hit_at(20), hit_at(0), hit_at(999),
        hit_at(1998, 1, 2), hit_at(1999, 1, 2), hit_at(1000, 1, 2), wm(1000), wm(2000), wm(3000), wm(4000), wm(5000),
        wm(6000), wm(7000), wm(8000)};
    auto out = play(counts(hop(3000, 1000)), script, true, 1);
    std::vector<std::string> const expected{"8: 1 [-2000,1000) = 3", "9: 1 [-1000,2000) = 3", "9: 2 [-1000,2000) = 3",
        "10: 1 [0,3000) = 3", "10: 2 [0,3000) = 3", "11: 2 [1000,4000) = 5", "12: 2 [2000,5000) = 2",
        "13: 2 [3000,6000) = 2"};
    auto const sorted = [](std::vector<std::string> lines) {
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    CHECK(sorted(brief(out.lines)) == sorted(expected));
    check(counts(hop(3000, 1000)), script, out.lines);
}

TEST_CASE("F-05 late records of sliding windows are refused window by window", "[cases][windows]") {
    std::vector<move> const script{hit_at(1000, 1, 2), wm(2000), hit_at(2000, 1, 2), wm(3001), hit_at(3001),
        hit_at(2400, 1, 2), hit_at(2400, 1, 2), hit_at(3001), hit_at(3900, 1, 2), wm(6001), hit_at(3001), wm(25001)};
    auto const pipeline = counts(hop(3000, 1000));
    auto const once = play(pipeline, script, false, 1);
    auto const out = check(pipeline, script, once.lines);
    auto lines = brief(out.lines);
    std::sort(lines.begin(), lines.end());
    CHECK(lines
        == std::vector<std::string>{"1: 2 [-1000,2000) = 1", "3: 2 [0,3000) = 2", "9: 1 [1000,4000) = 2",
            "9: 1 [2000,5000) = 2", "9: 1 [3000,6000) = 2", "9: 2 [1000,4000) = 5", "9: 2 [2000,5000) = 4",
            "9: 2 [3000,6000) = 1"});
    CHECK(out.refused(reason::late) == 5);
    CHECK(out.report.stage("aggregate")->applied == 19);  // once per (record, window)
}

TEST_CASE("J-01 one window ends with every watermark", "[cases][windows]") {
    for (bool const descending : {false, true}) {
        std::vector<move> script;
        for (std::int64_t i = 0; i < 5; ++i) script.push_back(hit_at(descending ? 3 - i : i - 1));
        for (std::int64_t w = 0; w < 8; ++w) script.push_back(wm(w));
        std::vector<std::string> lines;
        std::int64_t const expected[] = {1, 2, 3, 4, 4, 3, 2, 1};
        for (std::int64_t w = 0; w < 8; ++w) {
            lines.push_back(std::to_string(5 + w) + ": 1 [" + std::to_string(w - 4) + "," + std::to_string(w) + ") = "
                + std::to_string(expected[w]) + " on time 0,0 first last");
        }
        check(counts(hop(4, 1)), script, lines);
    }
}

TEST_CASE("B-01 tumbling, B-03 sliding: a record that is late for one window counts in the other", "[cases][windows]") {
    // Bytewax takes the newest record for the watermark.
    auto const with_watermarks = [](std::vector<move> const& records) {
        auto script = in_stream_time(records);
        script.push_back(end());
        return script;
    };
    check(counts(tumbling{units(10)}),
        with_watermarks({hit_at(0, 1, 1), hit_at(4, 1, 2), hit_at(8, 1, 2), hit_at(16, 1, 2)}),
        {"7: 1 [0,10) = 1 on time 0,0 first last", "7: 2 [0,10) = 2 on time 0,0 first last",
            "8: 2 [10,20) = 1 on time 0,0 first last"});
    auto const out = check(counts(hop(10, 5)),
        with_watermarks({hit_at(1), hit_at(4), hit_at(8), hit_at(12), hit_at(13), hit_at(14), hit_at(16), hit_at(1)}),
        {"5: 1 [-5,5) = 2 on time 0,0 first last", "7: 1 [0,10) = 3 on time 0,0 first last",
            "13: 1 [5,15) = 4 on time 0,0 first last", "16: 1 [10,20) = 4 on time 0,0 first last",
            "16: 1 [15,25) = 1 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 2);
}

TEST_CASE("K-08 grace: what is refused by window end + grace", "[cases][windows]") {
    std::vector<move> script{hit_at(200), wm(200)};
    for (std::int64_t const at : {100, 101, 102, 103, 104, 105, 6}) script.push_back(hit_at(at));
    script.push_back(wm(300));
    auto const out = check(counts(tumbling{units(10)}, allowed_lateness{units(90)}), script,
        {"9: 1 [200,210) = 1 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 7);
}

TEST_CASE("a user's window function: several windows, one, or none", "[cases][windows]") {
    auto const out = check(counts(office_hours{}),
        {hit_at(0), hit_at(1), hit_at(3), hit_at(5), hit_at(9), wm(6), hit_at(12), hit_at(5), end()},
        {"5: 1 [1,4) = 2 on time 0,0 first last", "5: 1 [2,6) = 2 on time 0,0 first last",
            "8: 1 [11,14) = 1 on time 0,0 first last", "8: 1 [12,16) = 1 on time 0,0 first last"});
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.report.stage("aggregate")->applied == 6);  // once per (record, window)
    CHECK(out.report.stage("aggregate")->unassigned == 2);
    auto const restored = play(counts(office_hours{}, every(2)), {hit_at(0), hit_at(1), hit_at(9), hit_at(3)}, true, 2);
    CHECK(restored.report.stage("aggregate")->unassigned == 2);
}
