// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/cogroup.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <cases/two_sides.hpp>
#include <op/said.hpp>

#include <span>
#include <stdexcept>

using namespace sides;

namespace {
constexpr tumbling tens{10_ns};
template <class... Windowing>
auto windowed(Windowing... how) {
    return std::pair{side<0>() | window(how...), side<1>() | window(how...)};
}
template <class... Options>
auto pairs_in(auto const& inputs, Options... options) {
    return join(inputs.first, inputs.second, options...);
}
std::vector<row> const some{left(1, "a"), left(12, "b"), right(3, "x"), right(4, "y"), right(15, "z", 1), left(2, "c"),
    left(25, "d"), left_wm(10), right_wm(10), left_wm(30), right_wm(30)};
}  // namespace

TEST_CASE("records of one key and window are paired when the window closes", "[op][join][window]") {
    CHECK(check(pairs_in(windowed(tens)), some).rows == lines{"8: a+x", "8: a+y", "8: c+x", "8: c+y"});
    CHECK(check(pairs_in(windowed(tens), left_outer{}), some).rows
        == lines{"8: a+x", "8: a+y", "8: c+x", "8: c+y", "10: b+-", "10: d+-"});
    CHECK(check(pairs_in(windowed(tens), right_outer{}), some).rows
        == lines{"8: a+x", "8: a+y", "8: c+x", "8: c+y", "10: -+z"});
    CHECK(check(pairs_in(windowed(tens), full_outer{}), some).rows
        == lines{"8: a+x", "8: a+y", "8: c+x", "8: c+y", "10: b+-", "10: -+z", "10: d+-"});
    CHECK(check(pairs_in(windowed(tens), left_semi{}), some).rows == lines{"8: a", "8: c"});
    CHECK(check(pairs_in(windowed(tens), left_anti{}), some).rows == lines{"10: b", "10: d"});
}

TEST_CASE("a window waits for both watermarks, and refuses by that of each input", "[op][join][window]") {
    auto const pipe = pairs_in(windowed(tens, allowed_lateness{5_ns}));
    auto const out = check(pipe,
        {left(1, "a"), right_wm(100), left_wm(14), right(2, "too late"), left(3, "b"), left_wm(15), left(4, "c"),
            right(85, "r"), left(90, "l")},
        false);
    CHECK(out.rows.empty());  // right(2) came when the right input was at 100
    CHECK(out.late() == 3);   // and at 15 the left one is beyond 10 + 5; right(85) is beyond 90 + 5
    auto const met = check(pipe,
        {left(1, "a"), right_wm(14), left_wm(14), right(2, "x"), left(3, "b"), left_wm(15), right(5, "y"),
            right_wm(15), right(6, "z")},
        false);
    CHECK(met.rows == lines{"7: a+x", "7: a+y", "7: b+x", "7: b+y"});
    CHECK(met.late() == 1);
}

TEST_CASE("a record lies in each of its sliding windows", "[op][join][window]") {
    auto const pipe = pairs_in(windowed(sliding{10_ns, 5_ns}));
    auto const out = check(pipe, {left(7, "a"), right(12, "x"), right(3, "y"), left_wm(40), right_wm(40)});
    CHECK(out.rows == lines{"4: a+y", "4: a+x"});
    CHECK(out.report.stage("join")->applied == 6);
}

TEST_CASE("rows of a window join have its last instant, and the watermark waits for them", "[op][join][window]") {
    std::string said;
    play(pairs_in(windowed(tens, allowed_lateness{5_ns})) | said::listener{said},
        {left(1, "a"), right(2, "x"), left_wm(12), right_wm(14), left_wm(15), right_wm(15), left_wm(31), right_wm(30)});
    CHECK(said == "wm 7 wm 9 9 wm 10 wm 25");
}

TEST_CASE("a regrouping aggregate finds the window of the rows", "[op][join][window]") {
    auto const pipe = pairs_in(windowed(tens), full_outer{}) | aggregate(count());
    static_assert(single_pane<decltype(pipe)>);
    static_assert(state_bound<decltype(pipe)> == state_class::windowed);
    auto const out = run(driftless::batch{}, pipe, some);
    REQUIRE(out.size() == 4);
    CHECK(out[0].window == time_window{event_time{0}, event_time{10}});
    CHECK(out[0].value == 4);
    CHECK(out[3].window == time_window{event_time{20}, event_time{30}});
}

TEST_CASE("rows of two aggregates over the same windows are joined in them", "[op][join][window]") {
    auto const counts = [](auto input) { return input | window(tens) | aggregate(count()); };
    auto const pipe = join(counts(side<0>()), counts(side<1>()), full_outer{},
        [](pane<std::int64_t, std::int64_t> const* l, pane<std::int64_t, std::int64_t> const* r) {
            return (l != nullptr ? l->value * 10 : 0) + (r != nullptr ? r->value : 0);
        });
    std::vector<std::int64_t> got;
    for (auto const& row : run(driftless::batch{}, pipe, some)) got.push_back(row.value);
    CHECK(got == std::vector<std::int64_t>{22, 10, 1, 10});
}

TEST_CASE("windows of other sizes are refused when the job starts", "[op][join][window]") {
    auto const pipe = join(side<0>() | window(tens), side<1>() | window(tumbling{20_ns}));
    CHECK_THROWS_AS(run(driftless::batch{}, pipe, some), driftless::error);
}

TEST_CASE("cogroup puts all records of a key and window side by side", "[op][cogroup]") {
    auto const [l, r] = windowed(tens);
    CHECK(check(cogroup(l, r), some).rows == lines{"8: ac+xy", "10: b+", "10: +z", "10: d+"});
    auto const sizes = cogroup(l, r, [](std::span<row const> lefts, std::span<row const> rights) {
        return static_cast<std::int64_t>(lefts.size() * 10 + rights.size());
    });
    std::vector<std::int64_t> got;
    for (auto const& row : run(driftless::batch{}, sizes, some)) got.push_back(row.value);
    CHECK(got == std::vector<std::int64_t>{22, 10, 1, 10});
    auto const text = explain(cogroup(l, r));
    CHECK(text.find("cogroup : {left:[{side:i32,") == 0);
}

TEST_CASE("a cogroup function that throws costs its row", "[op][cogroup]") {
    auto const [l, r] = windowed(tens);
    auto const picky = cogroup(l, r, [](std::span<row const> lefts, std::span<row const> rights) {
        if (rights.empty()) throw std::runtime_error{"nobody"};
        return lefts.size();
    });
    auto const out = run(driftless::batch{.on_error = on_error::skip}, picky, some);
    REQUIRE(out.size() == 2);
    CHECK(out[0].value == 2);
    CHECK(out.report().failures == 2);
}
