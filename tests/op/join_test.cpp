// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/join.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <cases/two_sides.hpp>
#include <op/said.hpp>

#include <stdexcept>

using namespace sides;

namespace {
constexpr interval within(std::int64_t lo, std::int64_t hi) { return {duration{lo}, duration{hi}}; }
template <class... Options>
auto joined_sides(Options... options) {
    return join(side<0>(), side<1>(), options...);
}
}  // namespace

TEST_CASE("a row waits for its partner up to the edge of the interval, and not behind it", "[op][join]") {
    auto const pipe = joined_sides(within(-3, 5), full_outer{});
    // The right side may be at 15 while a left row at 10 waits: 15 is not behind the watermark 15.
    CHECK(check(pipe, {left(10, "l"), right_wm(15), right(15, "r")}).rows == lines{"2: l+r"});
    CHECK(check(pipe, {left(10, "l"), right_wm(16)}).rows == lines{"1: l+-"});
    // A right row at 10 waits for left ones up to 13.
    CHECK(check(pipe, {right(10, "r"), left_wm(13), left(13, "l")}).rows == lines{"2: l+r"});
    CHECK(check(pipe, {right(10, "r"), left_wm(14)}).rows == lines{"1: -+r"});
    // The watermark of its own side says nothing to a row.
    CHECK(check(pipe, {left(10, "l"), left_wm(1000)}).rows.empty());
    CHECK(check(pipe, {right(10, "r"), right_wm(1000)}).rows.empty());
}

TEST_CASE("a record is late by the watermark of its own input, and then joins nothing", "[op][join]") {
    auto const pipe = joined_sides(within(-100, 100), full_outer{}, allowed_lateness{3_ns});
    auto const out = check(pipe, {left(10, "l"), right_wm(20), right(17, "r17"), right(16, "r16"), left(1, "early")},
        false);
    CHECK(out.rows == lines{"2: l+r17", "4: early+r17"});
    CHECK(out.late() == 1);
    CHECK(out.report.stage("join")->in() == 5 - 1);
}

TEST_CASE("a row that comes when nobody can meet it any more goes out alone at once", "[op][join]") {
    // The right side is far ahead: a left row meets what waits, or nobody.
    auto const pipe = joined_sides(within(0, 5), left_outer{});
    CHECK(check(pipe, {right(3, "r"), right_wm(100), left(2, "l2"), left(5, "l5")}).rows
        == lines{"2: l2+r", "3: l5+-"});
}

TEST_CASE("left rows of a semi join come out once, with their own time; of an anti join not at all", "[op][join]") {
    std::vector<row> const moves{left(10, "a"), left(11, "b"), right(12, "r"), right(12, "s"), left(14, "c"),
        left(30, "d"), left_wm(40), right_wm(40)};
    CHECK(check(joined_sides(within(-5, 5), left_semi{}), moves).rows == lines{"2: a", "2: b", "4: c"});
    CHECK(check(joined_sides(within(-5, 5), left_anti{}), moves).rows == lines{"7: d"});
    // A row that comes out is behind nobody's watermark.
    std::string said;
    auto const watched = joined_sides(within(-5, 5), left_semi{}) | said::listener{said};
    play(watched, moves);
    CHECK(said == "10 11 14 wm 35");
}

TEST_CASE("the watermark goes on less what rows may wait", "[op][join]") {
    auto const said_by = [](auto pipe, std::vector<row> const& moves) {
        std::string said;
        play(pipe | said::listener{said}, moves);
        return said;
    };
    std::vector<row> const marks{left_wm(100), right_wm(90), left_wm(120), right_wm(130)};
    CHECK(said_by(joined_sides(within(-3, 5)), marks) == "wm 90 wm 120");
    CHECK(said_by(joined_sides(within(-3, 5), allowed_lateness{10_ns}), marks) == "wm 80 wm 110");
    CHECK(said_by(joined_sides(within(-3, 5), left_outer{}), marks) == "wm 85 wm 115");
    CHECK(said_by(joined_sides(within(-3, 5), right_outer{}), marks) == "wm 87 wm 117");
    CHECK(said_by(joined_sides(within(2, 5), right_outer{}), marks) == "wm 90 wm 120");
    CHECK(said_by(joined_sides(within(-7, 5), full_outer{}, allowed_lateness{1_ns}), marks) == "wm 82 wm 112");
}

TEST_CASE("a pair has the later of its two times", "[op][join]") {
    std::string said;
    play(joined_sides(within(-10, 10)) | said::listener{said}, {left(5, "l"), right(9, "r"), left(12, "m")});
    CHECK(said == "9 12");
}

TEST_CASE("records of other keys, and keys that say nothing, do not meet", "[op][join]") {
    constexpr auto by = key_by([](row const& r) { return r.key < 0 ? std::nullopt : std::optional{r.key}; });
    auto const pipe = join(side<0>() | by, side<1>() | by, within(0, 0), full_outer{});
    std::vector<row> const moves{left(1, "l", -5), right(1, "r", -5), left(1, "m", 1), right(1, "s", 2),
        left(1, "n", 2), left_wm(2), right_wm(2)};
    CHECK(check(pipe, moves).rows == lines{"4: n+s", "5: -+r", "6: m+-", "6: l+-"});
}

TEST_CASE("a function makes the row; a pointer stands for a side that may be missing", "[op][join]") {
    auto const both = [](row const& l, row const& r) { return l.value + "&" + r.value; };
    auto const either = [](row const& l, row const* r) { return l.value + "&" + (r != nullptr ? r->value : "?"); };
    auto const values = [](auto const& pipe) {
        std::vector<row> const moves{left(1, "a"), right(2, "b"), left(20, "c")};
        lines out;
        for (auto const& pane : run(driftless::batch{}, pipe, moves)) out.push_back(pane.value);
        return out;
    };
    CHECK(values(joined_sides(within(0, 5), both)) == lines{"a&b"});
    CHECK(sorted(values(joined_sides(within(0, 5), left_outer{}, either))) == lines{"a&b", "c&?"});
}

TEST_CASE("a function that throws costs its pair, nothing else", "[op][join]") {
    auto const picky = joined_sides(within(0, 5), [](row const& l, row const& r) {
        if (r.value == "bad") throw std::runtime_error{"no"};
        return l.value + r.value;
    });
    std::vector<row> const moves{left(1, "a"), right(2, "bad"), right(3, "c")};
    auto const out = run(driftless::batch{.on_error = on_error::skip}, picky, moves);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == "ac");
    CHECK(out.report().failures == 1);
    CHECK_THROWS_AS(run(driftless::batch{}, picky, moves), driftless::error);
}

TEST_CASE("late records of either side go to the late_to of that side", "[op][join]") {
    auto const late_side = [](auto pipe, auto name) { return pipe | late_to(name); };
    auto const pipe =
        join(late_side(side<0>(as_declared), "l"_name), late_side(side<1>(as_declared), "r"_name), within(-9, 9));
    std::vector<row> const moves{left_wm(10), right_wm(20), left(9, "too late"), right(19, "as well"), left(12, "l"),
        right(20, "r")};
    lines late[2];
    auto const to_lines = [](lines& into) {
        return to([&into](pane<std::int64_t, row> const& refused) { into.push_back(refused.value.value); });
    };
    auto const out =
        run(driftless::batch{}, pipe, moves, bind("l"_name, to_lines(late[0])), bind("r"_name, to_lines(late[1])));
    CHECK(out.size() == 1);
    CHECK(late[0] == lines{"too late"});
    CHECK(late[1] == lines{"as well"});
}

namespace {
/// Two inputs of which one has events from 0 on and the other from 1,000,000 on.
struct skewed {
    memory_log<event<std::int64_t>> logs[2];
    static auto input(auto name) {
        return from<event<std::int64_t>>(name) | assign_time(bounded_disorder{10_ns})
            | key_by([](std::int64_t n) { return n % 100; });
    }
    static auto pipe(duration reach) {
        return join(input("left"_name), input("right"_name), interval{-reach, reach},
            [](std::int64_t l, std::int64_t) { return l; });
    }
};
}  // namespace

TEST_CASE("what is kept is bounded, however far one input could run ahead", "[op][join]") {
    // All of one log is there before the other has anything to say: the merge by time holds it back.
    skewed in;
    auto const pipe = skewed::pipe(50_ns);
    job running{stream{}, pipe, bind("left"_name, in.logs[0]), bind("right"_name, in.logs[1]),
        to([](auto const&) {})};
    std::size_t most = 0;
    auto const poll_all = [&] {
        while (running.poll(100) != 0) most = std::max(most, running.metrics().state_bytes);
    };
    for (std::int64_t i = 0; i < 100'000; ++i) in.logs[0].append({i, event_time{i}});
    poll_all();
    CHECK(running.metrics().records == 0);  // nobody knows yet whether the right input begins earlier
    for (std::int64_t i = 0; i < 100'000; ++i) {
        in.logs[1].append({i, event_time{i}});
        if (i % 1000 == 999) poll_all();
    }
    poll_all();
    CHECK(running.metrics().records == 199'999);
    // 60 records of either side may still meet somebody; what has gone is swept out once per some hundred records.
    CHECK(most < 64 * 1024);
}

TEST_CASE("keys that come once are forgotten", "[op][join]") {
    skewed in;
    auto const all_keys = [](auto name) {
        return from<event<std::int64_t>>(name) | assign_time(bounded_disorder{10_ns})
            | key_by([](std::int64_t n) { return "a key that owns " + std::to_string(n); });
    };
    auto const pipe = join(all_keys("left"_name), all_keys("right"_name), interval{-5_ns, 5_ns},
        [](std::int64_t l, std::int64_t) { return l; });
    std::uint64_t rows = 0;
    job running{stream{}, pipe, bind("left"_name, in.logs[0]), bind("right"_name, in.logs[1]),
        to([&](auto const&) { ++rows; })};
    std::size_t most = 0;
    for (std::int64_t i = 0; i < 50'000; ++i) {
        in.logs[0].append({i, event_time{i}});
        in.logs[1].append({i, event_time{i}});
        if (i % 100 == 99) {
            running.poll();
            most = std::max(most, running.metrics().state_bytes);
        }
    }
    running.drain();
    CHECK(rows == 50'000);
    CHECK(most < 256 * 1024);
    CHECK(running.metrics().state_bytes == 0);
}

TEST_CASE("an aggregate follows a join", "[op][join]") {
    auto const pipe = joined_sides(within(-3, 3)) | window(tumbling{10_ns}) | aggregate(count());
    static_assert(single_pane<decltype(pipe)>);
    static_assert(state_bound<decltype(pipe)> == state_class::windowed);
    static_assert(!is_order_free<decltype(pipe)>);
    std::vector<row> const moves{left(1, "a"), right(2, "b"), right(4, "c"), left(12, "d"), right(13, "e")};
    auto const out = run(driftless::batch{}, pipe, moves);
    REQUIRE(out.size() == 2);
    CHECK(out[0].value == 2);
    CHECK(out[1].value == 1);
}

TEST_CASE("a plan tells the interval and the kind of a join", "[op][join][explain]") {
    auto const text = explain(joined_sides(interval{-3_s, 5_s}.open_above(), left_outer{}, allowed_lateness{1_s}));
    INFO(text);
    CHECK(text.find(R"(join kind="left_outer" lo=-3s hi=5s open_above=true allowed_lateness=1s)") == 0);
    constexpr interval near{-3_s, 5_s};
    CHECK(fingerprint(joined_sides(near)) != fingerprint(joined_sides(near.open_below())));
    CHECK(fingerprint(joined_sides(near)) != fingerprint(joined_sides(near, left_semi{})));
}

TEST_CASE("an interval that is empty or infinite is refused when the job starts", "[op][join]") {
    std::vector<row> const moves{left(1, "a")};
    for (auto const bad : {within(3, 2), within(2, 3).open(), within(2, 2).open_below(),
             interval{duration::min(), 0_s}, interval{0_s, duration::max()}}) {
        CHECK_THROWS_AS(run(driftless::batch{}, joined_sides(bad), moves), driftless::error);
    }
    CHECK_THROWS_AS(run(driftless::batch{}, joined_sides(within(0, 1), allowed_lateness{-1_ns}), moves),
        driftless::error);
    CHECK(run(driftless::batch{}, joined_sides(within(2, 4).open()), moves).empty());
}

namespace {
struct word {
    text name;
    text said;
};
/// Records whose texts are gone after the push.
template <std::int32_t Side>
auto words() {
    return side<Side>() | flat_map<word>([](row const& r, auto out) {
        auto const name = "a name that is longer than any small string: " + std::to_string(r.key);
        auto const said = "what was said by " + r.value + " was longer than that";
        out(word{text{name}, text{said}});
    }) | key_by<&word::name>();
}
}  // namespace
BOOST_HANA_ADAPT_STRUCT(word, name, said);

TEST_CASE("what waits for its partner keeps a copy of its text", "[op][join]") {
    std::vector<row> moves;
    for (int i = 0; i < 40; ++i) {
        moves.push_back(left(i, "l" + std::to_string(i), i % 5));
        moves.push_back(right(i, "r" + std::to_string(i), i % 4));
        if (i % 8 == 7) {
            moves.push_back(left_wm(i - 1));
            moves.push_back(right_wm(i - 1));
        }
    }
    moves.push_back(left_wm(100));
    moves.push_back(right_wm(100));
    auto const texts = [&](auto const& pipe, testing::play_mode mode) {
        testing::script<row> script;
        for (auto const& each : moves) script.add(event<row>{each, each.at});
        lines out;
        testing::play_script(mode, pipe, script).each_call([&](std::size_t, testing::told, auto const& pane) {
            out.push_back(std::string{pane.key} + ": " + pane.value);
        });
        return out;
    };
    auto const speech = [](word const* l, word const* r) {
        return (l != nullptr ? std::string{l->said} : "-") + " / " + (r != nullptr ? std::string{r->said} : "-");
    };
    lines want;
    for (auto const& l : moves) {
        bool alone = true;
        auto const line = [](row const& of, std::string const& a, std::string const& b) {
            auto const said = [](std::string const& who) {
                return who == "-" ? who : "what was said by " + who + " was longer than that";
            };
            return "a name that is longer than any small string: " + std::to_string(of.key) + ": " + said(a) + " / "
                + said(b);
        };
        if (l.is_mark) continue;
        for (auto const& r : moves) {
            if (r.is_mark || r.side == l.side || r.key != l.key) continue;
            if (r.at - l.at < -3_ns || r.at - l.at > 3_ns) continue;
            alone = false;
            if (l.side == 0) want.push_back(line(l, l.value, r.value));
        }
        if (alone) want.push_back(l.side == 0 ? line(l, l.value, "-") : line(l, "-", l.value));
    }
    auto const pipe = join(words<0>(), words<1>(), within(-3, 3), full_outer{}, speech);
    auto const once = texts(pipe, {});
    CHECK(sorted(once) == sorted(want));
    CHECK(texts(pipe, {.restoring = true}) == once);
    CHECK(texts(pipe, {.threads = 3, .chunk = 7}) == once);
    // In windows as well; the rows are views here, which shards have to keep.
    constexpr auto tens = window(tumbling{10_ns});
    auto const in_windows = join(words<0>() | tens, words<1>() | tens, left_anti{})
        | map([](word const& w) { return std::string{w.said}; });
    auto const alone = texts(in_windows, {});
    CHECK(alone.size() == 40 / 5);
    for (auto const& each : alone) CHECK(each.find("string: 4: what was said by l") != std::string::npos);
    CHECK(texts(in_windows, {.threads = 3, .restoring = true, .chunk = 5}) == alone);
}
