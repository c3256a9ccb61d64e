// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Best rows over changes, as the public tests of RisingWave and Flink have them; ids as in the list of cases.
#include <driftless/op/top.hpp>

#include <driftless/agg/combine.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace top_cases {
struct row {
    std::int64_t a;
    std::int64_t b;
    std::int64_t c;
};
/// A row comes, or the one of this number goes.
struct edit {
    std::int64_t number;
    row to;
    bool goes;
};
}  // namespace top_cases
BOOST_HANA_ADAPT_STRUCT(top_cases::row, a, b, c);
BOOST_HANA_ADAPT_STRUCT(top_cases::edit, number, to, goes);
using top_cases::edit;
using top_cases::row;

namespace {
/// A table that is edited: its rows as changes, each answered at once.
constexpr auto table = from<event<edit>>() | key_by<&edit::number>() | window(global{}, every(1), retracting{})
    | aggregate(combine([](edit const&, edit const& later) { return later; }), unbounded_state{})
    | filter([](pane<std::int64_t, edit> const& last) { return !last.value.goes; })
    | map([](pane<std::int64_t, edit> const& last) { return last.value.to; });
constexpr auto together = key_by([](row const&) { return 0; });

/// "+1,2,3 -2,2,2": rows that come and go, each epoch with several edits.
using epoch = std::vector<std::string>;
std::string shown(row const& of) {
    return std::to_string(of.a) + "," + std::to_string(of.b) + "," + std::to_string(of.c);
}
std::string shown(ranked<row> const& of) { return shown(of.row) + "#" + std::to_string(of.rank); }

class editor {
    std::vector<row> there_;  // by number; its place when it is gone
    std::vector<bool> gone_;
    std::int64_t time_ = 0;

public:
    event<edit> operator()(char sign, row const& what) {
        for (std::size_t i = 0; sign == '-' && i < there_.size(); ++i) {
            if (gone_[i] || shown(there_[i]) != shown(what)) continue;
            gone_[i] = true;
            return {edit{static_cast<std::int64_t>(i), what, true}, event_time{++time_}};
        }
        there_.push_back(what);
        gone_.push_back(false);
        return {edit{static_cast<std::int64_t>(there_.size()) - 1, what, false}, event_time{++time_}};
    }
};
struct signed_row {
    char sign;
    row what;
};
signed_row operator+(row const& what) { return {'+', what}; }
signed_row operator-(row const& what) { return {'-', what}; }
row v(std::int64_t value) { return {value, 0, 0}; }

/// What each epoch says, one edit after the other.
template <class P>
std::vector<epoch> said(P const& pipeline, std::vector<std::vector<signed_row>> const& epochs, bool restoring) {
    editor make;
    testing::script<edit> script;
    std::vector<std::size_t> epoch_of;
    for (std::size_t e = 0; e < epochs.size(); ++e) {
        for (auto const& [sign, what] : epochs[e]) {
            script.add(make(sign, what));
            epoch_of.push_back(e);
        }
    }
    auto const out = testing::play_script(testing::play_mode{.restoring = restoring}, pipeline, script);
    CHECK(out.changed_by_restore == 0);
    std::vector<epoch> all(epochs.size());
    out.each_call([&](std::size_t step, testing::told what, auto const& pane) {
        if (what == testing::told::write) all[epoch_of[step]].push_back("+" + shown(pane.value));
        else if constexpr (requires { shown(pane.key); }) all[epoch_of[step]].push_back("-" + shown(pane.key));
        else all[epoch_of[step]].push_back("-" + shown(pane.value));
    });
    return all;
}
/// What is left of an epoch when what comes and goes within it is left out, sorted.
epoch net(epoch all) {
    for (std::size_t i = 0; i < all.size();) {
        std::string other = all[i];
        other[0] = other[0] == '+' ? '-' : '+';
        auto const found = std::find(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(), other);
        if (found == all.end()) {
            ++i;
            continue;
        }
        all.erase(found);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        i = 0;
    }
    std::sort(all.begin(), all.end());
    return all;
}
template <class P>
void check_net(P const& pipeline, std::vector<std::vector<signed_row>> const& epochs, std::vector<epoch> expected) {
    for (bool const restoring : {false, true}) {
        auto const all = said(pipeline, epochs, restoring);
        REQUIRE(all.size() == expected.size());
        for (std::size_t e = 0; e < all.size(); ++e) {
            std::sort(expected[e].begin(), expected[e].end());
            INFO("epoch " << e);
            CHECK(net(all[e]) == expected[e]);
        }
    }
}
}  // namespace

TEST_CASE("D2-05 the first four of a table that changes", "[cases][top]") {
    auto const first = table | together | top<&row::a>(4, ascending{}, unbounded_state{});
    check_net(first,
        {{+v(1), +v(2), +v(3), +v(10), +v(9), +v(8)}, {+v(7), -v(3), -v(1), +v(5), -v(2), +v(11)},
            {+v(6), +v(12), +v(13), +v(14)}, {-v(5), -v(6), -v(11)}},
        {{"+1,0,0", "+2,0,0", "+3,0,0", "+8,0,0"},
            {"-1,0,0", "-2,0,0", "-3,0,0", "+5,0,0", "+7,0,0", "+9,0,0"}, {"-9,0,0", "+6,0,0"},
            {"-5,0,0", "-6,0,0", "+9,0,0", "+10,0,0"}});
}

TEST_CASE("D2-07 all that rank among the first three, with and without a restart", "[cases][top]") {
    auto const first = table | together | top<&row::a>(3, ascending{}, with_ties{}, unbounded_state{});
    auto const r = [](std::int64_t value, std::int64_t id) { return row{value, id, 0}; };
    check_net(first,
        {{+r(1, 0), +r(2, 1), +r(3, 2), +r(10, 3), +r(9, 4), +r(8, 5)},
            {+r(3, 6), +r(3, 7), +r(1, 8), +r(2, 9), +r(10, 10)}, {-r(1, 0)}, {-r(1, 8)}},
        {{"+1,0,0", "+2,1,0", "+3,2,0"}, {"-3,2,0", "+1,8,0", "+2,9,0"}, {"-1,0,0"},
            {"-1,8,0", "+3,2,0", "+3,6,0", "+3,7,0"}});
}

TEST_CASE("D2-08 the first two of each group", "[cases][top]") {
    auto const by_c_then_a = [](row const& r) { return std::tuple{r.c, r.a}; };
    auto const first = table | key_by<&row::b>() | top(2, by_c_then_a, ascending{}, unbounded_state{});
    check_net(first,
        {{+row{10, 9, 1}, +row{8, 8, 2}, +row{7, 8, 2}, +row{9, 1, 1}, +row{10, 1, 1}, +row{8, 1, 3}},
            {-row{10, 9, 1}, -row{8, 8, 2}, -row{10, 1, 1}}, {-row{7, 8, 2}, -row{8, 1, 3}, -row{9, 1, 1}},
            {+row{5, 1, 1}, +row{2, 1, 1}, +row{3, 1, 2}, +row{4, 1, 3}}},
        {{"+10,9,1", "+8,8,2", "+7,8,2", "+9,1,1", "+10,1,1"}, {"-10,9,1", "-8,8,2", "-10,1,1", "+8,1,3"},
            {"-7,8,2", "-8,1,3", "-9,1,1"}, {"+2,1,1", "+5,1,1"}});
}

TEST_CASE("D2-10 what comes and goes within an epoch leaves nothing, and no answer is none", "[cases][top]") {
    auto const first = table | key_by<&row::a, &row::b>() | top<&row::c>(2, ascending{}, unbounded_state{});
    auto const r = [](std::int64_t y, std::int64_t z) { return row{0, y, z}; };
    std::vector<std::vector<signed_row>> const epochs{
        {+r(0, 9), +r(0, 8), +r(0, 7), +r(0, 6), +r(1, 15), +r(1, 14)},
        {-r(0, 6), -r(0, 8), +r(0, 4), +r(0, 3), +r(1, 12), -r(1, 12), +r(1, 11), +r(2, 26)}, {+r(0, 11)}};
    check_net(first, epochs,
        {{"+0,0,7", "+0,0,6", "+0,1,15", "+0,1,14"},
            {"-0,0,6", "-0,0,7", "+0,0,4", "+0,0,3", "-0,1,15", "+0,1,11", "+0,2,26"}, {}});
    CHECK(said(first, epochs, false)[2].empty());  // not even a change that is none
}

TEST_CASE("D2-11 ranks in the rows: each place says what it had and what it has", "[cases][top]") {
    // a: the category, b: the id, c: the score.
    auto const first = table | key_by<&row::a>() | top<&row::c>(2, ascending{}, with_row_number{}, unbounded_state{});
    auto const book = [](std::int64_t id, std::int64_t score) { return row{1, id, score}; };
    auto const fruit = [](std::int64_t id, std::int64_t score) { return row{2, id, score}; };
    std::vector<std::vector<signed_row>> const edits{{+book(1, 12)}, {+book(2, 19)}, {+book(4, 11)}, {-book(1, 12)},
        {+book(5, 11)}, {+fruit(4, 33)}, {+fruit(3, 44)}, {+fruit(5, 22)}};
    std::vector<epoch> const expected{{"+1,1,12#1"}, {"+1,2,19#2"},
        {"-1,1,12#1", "+1,4,11#1", "-1,2,19#2", "+1,1,12#2"}, {"-1,1,12#2", "+1,2,19#2"},
        {"-1,2,19#2", "+1,5,11#2"}, {"+2,4,33#1"}, {"+2,3,44#2"},
        {"-2,4,33#1", "+2,5,22#1", "-2,3,44#2", "+2,4,33#2"}};
    CHECK(said(first, edits, false) == expected);
    CHECK(said(first, edits, true) == expected);
}

TEST_CASE("D2-14 rows that are equal count as often as they are there", "[cases][top]") {
    auto const first = table | key_by<&row::a>() | top<&row::b>(1, ascending{}, unbounded_state{});
    check_net(first, {{+row{1, 1, 1}}, {+row{1, 0, 1}}, {+row{1, 0, 1}}, {-row{1, 0, 1}}, {-row{1, 0, 1}}},
        {{"+1,1,1"}, {"-1,1,1", "+1,0,1"}, {}, {}, {"-1,0,1", "+1,1,1"}});
}

TEST_CASE("D2-15 the first row of each key by a value, and what is made of it", "[cases][top]") {
    auto const sums = table | key_by<&row::a>() | top<&row::b>(1, ascending{}, unbounded_state{})
        | map([](row const& r) { return row{r.a + r.b, 0, 0}; });
    // The rows keep the name that top gave them.
    editor make;
    testing::script<edit> script;
    for (auto const value : {11, 22, 33, 111}) script.add(make('+', {value % 10, value, 0}));
    script.add(make('-', {1, 11, 0}));
    auto const out = testing::play_script(sums, script);
    std::vector<std::string> values;
    for (auto const& each : out.records) values.push_back(shown(each));
    CHECK(values == std::vector<std::string>{"12,0,0", "24,0,0", "36,0,0", "112,0,0"});
    REQUIRE(out.removed.size() == 1);
    CHECK(shown(out.removed[0].first) == "1,11,0");
}

TEST_CASE("D2-16 count, count distinct and sum distinct of a table that changes", "[cases][distinct]") {
    auto const r = [](std::int64_t a, std::int64_t b) { return row{a, b, 0}; };
    std::vector<std::vector<signed_row>> const epochs{
        {+r(1, 10), +r(1, 11)}, {+r(1, 11), +r(2, 12)}, {-r(1, 11), -r(1, 11)}};
    using totals = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
    std::vector<totals> const expected{{2, 1, 2}, {4, 2, 3}, {2, 2, 2}};
    std::vector<std::int64_t> const sums{1, 3, 3};
    auto const counts = table | together
        | aggregate(count(), distinct<&row::a>(), distinct<&row::b>(), unbounded_state{});
    auto const sum_of_distinct = table | map([](row const& each) { return each.a; }) | distinct(unbounded_state{})
        | key_by([](std::int64_t) { return 0; }) | aggregate(sum(), unbounded_state{});
    // A total is told when the input ends: each epoch with those before it is an input.
    for (std::size_t last = 0; last < epochs.size(); ++last) {
        editor make;
        testing::script<edit> script;
        for (std::size_t e = 0; e <= last; ++e) {
            for (auto const& [sign, what] : epochs[e]) script.add(make(sign, what));
            script.add(testing::snapshot_and_restore{});
        }
        script.add(testing::end_of_input{});
        auto const counted = testing::play_script(counts, script);
        REQUIRE(counted.records.size() == 1);
        CHECK(counted.records[0] == expected[last]);
        auto const summed = testing::play_script(sum_of_distinct, script);
        REQUIRE(summed.records.size() == 1);
        CHECK(summed.records[0] == sums[last]);
    }
}
