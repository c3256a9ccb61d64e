// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table_join.hpp>

#include <cases/changelog.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/explore.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using changelog::check;
using changelog::lines;
using changelog::row;

namespace {
changelog::move l(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 0); }
changelog::move r(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 1); }
constexpr auto lefts = changelog::left | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto rights = changelog::right | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto both = [](row const& a, row const& b) { return a.value + "+" + b.value; };
constexpr auto joining = join(lefts, rights, both);
static_assert(state_bound<decltype(joining)> == state_class::unbounded);
static_assert(state_bound<decltype(join(changelog::left | table(max_keys{3}), changelog::right | table(max_keys{2})))>
    == state_class::max_keys);
static_assert(!single_pane<decltype(joining)>);
}  // namespace

TEST_CASE("a row of two tables is there while both have one", "[op][join][table]") {
    check(joining,
        {l("a", "x", 1), r("b", "1", 2), r("a", "1", 3), r("a", "2", 4), l("a", "", 5), l("a", "", 6), l("a", "y", 7),
            r("a", "", 8), l("a", "", 9)},
        {"", "", "a=x+1@3", "a=x+2@4", "a del@5", "", "a=y+2@7", "a del@8", ""});
}

TEST_CASE("a row never goes back in time, also past a side that has gone", "[op][join][table]") {
    check(join(lefts, rights, left_outer{},
              [](row const& a, row const* b) { return a.value + (b != nullptr ? b->value : "-"); }),
        {l("a", "x", 5), r("a", "1", 10), r("a", "", 11), l("a", "y", 6), l("a", "", 7)},
        {"a=x-@5", "a=x1@10", "a=x-@11", "a=y-@11", "a del@11"});
}

TEST_CASE("left rows alone: who has met somebody, and who has not", "[op][join][table]") {
    std::vector<changelog::move> const moves{l("a", "x", 1), r("a", "1", 2), r("a", "2", 3), l("a", "y", 4),
        r("a", "", 5), l("a", "z", 6), l("a", "", 7)};
    check(join(lefts, rights, left_semi{}), moves, {"", "a=x@2", "", "a=y@4", "a del@5", "", ""});
    check(join(lefts, rights, left_anti{}), moves, {"a=x@1", "a del@2", "", "", "a=y@5", "a=z@6", "a del@7"});
}

TEST_CASE("a join of tables is a table: filtered, aggregated, joined again", "[op][join][table]") {
    auto const pipe = join(lefts | filter([](row const& each) { return each.value != "no"; }), rights, both);
    auto const thrice = join(pipe, rights, [](std::string const& ab, row const& c) { return ab + "+" + c.value; });
    check(thrice, {r("a", "1", 1), l("a", "x", 2), l("a", "no", 3), l("a", "y", 4)},
        {"", "a=x+1+1@2", "a del@3", "a=y+1+1@4"});
    auto const counted = pipe | key_by([](std::string const& s) { return s; }) | aggregate(count(), unbounded_state{});
    check(counted, {r("a", "1", 1), r("b", "1", 1), l("a", "x", 2), l("b", "x", 3), l("a", "", 4)},
        {"", "", "x+1=1@2", "x+1=2@3", "x+1=1@4"});
    check(joining | suppress(max_records{1}),
        {r("a", "1", 1), l("a", "x", 2), l("a", "y", 3), r("b", "", 4), l("b", "x", 5), r("b", "2", 6)},
        {"", "", "", "", "", "a=y+1@3"});
}

TEST_CASE("rows of an aggregate over a table are joined as its key has them", "[op][join][table]") {
    // How many left rows have a value, with the right row of that key.
    auto const counts = lefts | key_by<&row::value>() | aggregate(count(), unbounded_state{});
    auto const named = join(counts, rights,
        [](pane<std::string, std::int64_t> const& n, row const& b) { return b.value + ":" + std::to_string(n.value); });
    check(named, {r("x", "name", 1), l("a", "x", 2), l("b", "x", 3), l("a", "y", 4), l("b", "", 5)},
        {"", "x=name:1@2", "x=name:2@3", "x=name:1@4", "x del@5"});
}

TEST_CASE("a key that is missing has no row", "[op][join][table]") {
    auto const keyed_or_not = [](row const& each) {
        return each.key.empty() ? std::nullopt : std::optional<std::string>{each.key};
    };
    auto const left_rows = changelog::left | key_by(keyed_or_not) | table(unbounded_state{});
    auto const right_rows = changelog::right | key_by(keyed_or_not) | table(unbounded_state{});
    auto const out = testing::play(join(left_rows, right_rows, full_outer{}), l("", "x", 1), r("", "1", 2),
        l("a", "y", 3), testing::snapshot_and_restore{}, r("a", "2", 4));
    CHECK(out.records.size() == 2);
    REQUIRE(out.report.stage("join") != nullptr);
    CHECK(out.report.stage("join")->applied == 2);
    CHECK(out.report.stage("join")->unassigned == 2);
}

TEST_CASE("a function that throws in a join of tables makes its row absent", "[op][join][table][on_error]") {
    auto const pipe = join(lefts, rights, [](row const& a, row const& b) {
        if (b.value == "2") throw std::runtime_error("unlucky");
        return a.value + b.value;
    });
    std::vector<event<row>> in{{{0, "a", "x"}, event_time{0}}, {{1, "a", "1"}, event_time{1}},
        {{1, "a", "2"}, event_time{2}}};
    CHECK_THROWS_AS(run(batch{}, pipe, in), error);
    CHECK(run(batch{.on_error = on_error::skip}, pipe, in).empty());
    in.push_back({{1, "a", "3"}, event_time{3}});
    auto const out = run(batch{.on_error = on_error::skip}, pipe, in);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == "x3");
}

TEST_CASE("a join of tables keeps nothing of keys that have gone", "[op][join][table]") {
    testing::script<row> script;
    for (int i = 0; i < 3000; ++i) {
        auto const key = std::string(30, 'k') + std::to_string(i);
        for (auto const& each : {l(key, "x", i), r(key, "1", i), l(key, "", i), r(key, "", i), changelog::wm(i)})
            script.add(each);
    }
    auto const out = testing::play_script(joining, script);
    CHECK(out.records.size() == 3000);
    CHECK(out.removed.size() == 3000);
    CHECK(out.report.state_bytes < 16 * 1024);
}

TEST_CASE("explore finds no drift in a join of tables", "[op][join][table]") {
    std::vector<event<row>> log;
    for (int i = 0; i < 60; ++i)
        log.push_back({{i % 2, i % 3 == 0 ? "a" : "b", i % 7 == 0 ? "" : std::to_string(i)}, event_time{i * 37 % 20}});
    auto const found = testing::explore(join(lefts, rights, full_outer{}), log);
    INFO(found.sentence);
    CHECK(found);
    CHECK(found.compared > 30);
}
