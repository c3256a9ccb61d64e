// SPDX-License-Identifier: BSL-1.0
// The event times of panes, and the watermark behind them, as Beam's public tests have them; ids as in SEMANTICS
// section 15.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/timestamps.hpp>
#include <cases/timeline.hpp>

using namespace cases;

namespace {
constexpr duration units(std::int64_t n) { return duration{n}; }

/// What the stage behind an aggregate is told: "3: at 1", "4: watermark 7".
std::vector<std::string> notes;

template <class Next>
class noting_stage : public forwarding<Next> {
    using forwarding<Next>::next_;

public:
    using forwarding<Next>::forwarding;
    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        notes.push_back("at " + text_of(ctx.at));
        next_.on_record(ctx, record);
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        notes.push_back("at " + text_of(ctx.at));
        next_.on_change(ctx, row);
    }
    void on_watermark(event_time watermark) {
        notes.push_back("watermark " + text_of(watermark));
        next_.on_watermark(watermark);
    }
};
struct noting : operator_base<noting> {
    static constexpr std::string_view kind = "noting";
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return noting_stage<Next>{std::move(next)};
    }
};

template <class... Options>
constexpr auto sums(Options... options) {
    return keyed_hits | window(options...) | aggregate(sum<&hit::value>()) | noting{};
}
/// Played as it stands, on threads and with restores: the same panes, and behind them the same times and watermarks.
template <class P>
void check_times(P const& pipeline, std::vector<move> const& script, std::vector<std::string> const& lines,
    std::vector<std::string> const& times) {
#ifdef DRIFTLESS_CRASH_CASES
    static_cast<void>(times);
    crash(pipeline, script, lines);
#else
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            INFO("threads " << threads << (restoring ? ", restoring" : ""));
            notes.clear();
            CHECK(play(pipeline, script, restoring, threads).lines == lines);
            CHECK(notes == times);
        }
    }
#endif
}
}  // namespace

TEST_CASE("P-10 early, on-time and last pane with their times", "[cases][panes][timestamps]") {
    check_times(sums(tumbling{units(10)}, repeat(first_of(every(2), at_watermark())), discarding{},
                    allowed_lateness{units(100)}, always_close{}, earliest_timestamp{}),
        {wm(0), hit_at(1, 1), hit_at(2, 2), wm(50), wm(150)},
        {"2: 1 [0,10) = 3 early 0,-1 first", "3: 1 [0,10) = 0 on time 1,0", "4: 1 [0,10) = 0 late 2,1 last"},
        {"watermark 0", "at 1", "at 9", "watermark 50", "at 9", "watermark 150"});
}

TEST_CASE("P-15 an empty on-time pane is at the end of its window", "[cases][panes][timestamps]") {
    check_times(sums(tumbling{units(10)},
                    in_order(repeat(after(units(5))).or_finally(at_watermark()), repeat(after(units(25)))),
                    allowed_lateness{units(100)}, allow_data_loss{}, earliest_timestamp{}),
        {wm(0), pt(0), hit_at(1), hit_at(3), hit_at(7), hit_at(5), pt(6), wm(11)},
        {"6: 1 [0,10) = 4 early 0,-1 first", "7: 1 [0,10) = 4 on time 1,0"},
        {"watermark 0", "at 1", "at 9", "watermark 11"});
}

TEST_CASE("P-22 a merged session is at its earliest record", "[cases][sessions][timestamps]") {
    std::vector<move> const script{hit_at(1, 1), hit_at(10, 10), wm(100)};
    std::vector<std::string> const lines{"2: 1 [1,20) = 11 on time 0,0 first last"};
    check_times(sums(session{units(10)}, earliest_timestamp{}), script, lines, {"at 1", "watermark 100"});
    check_times(sums(session{units(10)}, latest_timestamp{}), script, lines, {"at 10", "watermark 100"});
    check_times(sums(session{units(10)}), script, lines, {"at 19", "watermark 100"});
}

TEST_CASE("P-28 the time of a group: earliest, latest, and the end of its window", "[cases][panes][timestamps]") {
    std::vector<move> const script{hit_at(0), hit_at(10), end()};
    std::vector<std::string> const lines{"2: 1 [0,600) = 2 on time 0,0 first last"};
    check_times(sums(tumbling{units(600)}, earliest_timestamp{}), script, lines, {"at 0", "watermark inf"});
    check_times(sums(tumbling{units(600)}, latest_timestamp{}), script, lines, {"at 10", "watermark inf"});
    check_times(sums(tumbling{units(600)}, end_of_window_timestamp{}), script, lines, {"at 599", "watermark inf"});
    check_times(sums(tumbling{units(600)}), script, lines, {"at 599", "watermark inf"});
}

TEST_CASE("the watermark waits for panes that are to come", "[cases][timestamps]") {
    // Key 2 holds 7 from the fourth move on; key 1 is shown at 10 and lets 3 go.
    std::vector<move> const script{hit_at(5, 1), wm(4), hit_at(3, 2), wm(6), hit_at(17, 4, 2), wm(8), wm(10), wm(15),
        wm(20)};
    std::vector<std::string> const lines{"6: 1 [0,10) = 3 on time 0,0 first last",
        "8: 2 [10,20) = 4 on time 0,0 first last"};
    // 3 is behind the watermark 4 that has gone on: it does not count.
    check_times(sums(tumbling{units(10)}, earliest_timestamp{}), script, lines,
        {"watermark 4", "watermark 5", "watermark 5", "at 5", "watermark 10", "watermark 15", "at 17",
            "watermark 20"});
}

TEST_CASE("a pane that comes out with its record has the record's time; late ones do not", "[cases][timestamps]") {
    check_times(sums(tumbling{units(10)}, at_watermark().early(every(1)), allowed_lateness{units(5)},
                    latest_timestamp{}),
        {hit_at(5, 1), hit_at(3, 2), wm(9), wm(12), hit_at(4, 4)},
        {"0: 1 [0,10) = 1 early 0,-1 first", "1: 1 [0,10) = 3 early 1,-1", "3: 1 [0,10) = 3 on time 2,0",
            "4: 1 [0,10) = 7 late 3,1"},
        {"at 5", "at 3", "watermark 9", "at 9", "watermark 12", "at 9"});
}

TEST_CASE("what no pane shows does not hold the watermark behind the end of its window", "[cases][timestamps]") {
    check_times(sums(tumbling{units(10)}, never{}, allowed_lateness{units(5)}, earliest_timestamp{}),
        {hit_at(3, 1), wm(9), wm(12), wm(15)}, {"3: 1 [0,10) = 1 late 0,0 first last"},
        {"watermark 3", "watermark 12", "at 9", "watermark 15"});
}

TEST_CASE("a late pane is at the end of its window, also where the watermark behind is held", "[cases][timestamps]") {
    // 3 is held for [0,20), so that 4 is not behind the watermark that has gone on, but its first window is.
    check_times(sums(sliding{units(20), units(10)}, allowed_lateness{units(5)}, earliest_timestamp{}),
        {hit_at(3, 1, 2), wm(12), hit_at(4, 2), wm(20), end()},
        {"1: 2 [-10,10) = 1 on time 0,0 first", "2: 1 [-10,10) = 2 late 0,0 first", "3: 1 [0,20) = 2 on time 0,0 first",
            "3: 2 [0,20) = 1 on time 0,0 first"},
        {"at 3", "watermark 3", "at 9", "at 4", "at 3", "watermark 20", "watermark inf"});
}

namespace {
struct days_and_decades {
    static constexpr std::string_view kind = "days_and_decades";
    void assign_each(event_time at, auto&& f) const {
        auto const day = at.ns() / 10 * 10;
        f(time_window{event_time{day}, event_time{day + 10}});
        f(time_window{event_time{day / 100 * 100}, event_time{day / 100 * 100 + 100}});
    }
    void validate() const {}
    void describe(auto&&) const {}
};
}  // namespace
TEST_CASE("a window within another keeps its time when that is shown", "[cases][timestamps]") {
    check_times(sums(days_and_decades{}, at_watermark().early(every(2)), earliest_timestamp{}),
        {hit_at(3, 1), hit_at(50, 2), wm(10)},
        {"1: 1 [0,100) = 3 early 0,-1 first", "2: 1 [0,10) = 1 on time 0,0 first last"},
        {"at 3", "at 3", "watermark 10"});
}

TEST_CASE("sliding windows hold each their own records", "[cases][timestamps]") {
    check_times(sums(sliding{units(10), units(5)}, earliest_timestamp{}),
        {hit_at(6, 1), hit_at(3, 2), hit_at(8, 4), wm(9), wm(10), wm(15)},
        {"3: 1 [-5,5) = 2 on time 0,0 first last", "4: 1 [0,10) = 7 on time 0,0 first last",
            "5: 1 [5,15) = 5 on time 0,0 first last"},
        {"at 3", "watermark 3", "at 3", "watermark 6", "at 6", "watermark 15"});
}
