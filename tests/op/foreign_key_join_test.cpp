// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/foreign_key_join.hpp>

#include <cases/changelog.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
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
constexpr auto joining = join(lefts, rights, foreign_key<&row::value>(), both);
static_assert(state_bound<decltype(joining)> == state_class::unbounded);
static_assert(!single_pane<decltype(joining)>);
}  // namespace

TEST_CASE("a right row that changes changes the rows that refer to it, in their order", "[op][join][foreign_key]") {
    check(joining,
        {l("b", "x", 1), l("a", "x", 2), l("c", "y", 3), r("x", "1", 4), l("b", "y", 5), l("b", "x", 6), r("x", "2", 7),
            r("x", "", 8), r("x", "", 9), r("x", "3", 10)},
        {"", "", "", "b=x+1@4 a=x+1@4", "b del@5", "b=x+1@6", "a=x+2@7 b=x+2@7", "a del@8 b del@8", "",
            "a=x+3@10 b=x+3@10"});
}

TEST_CASE("a row that refers to another one never goes back in time", "[op][join][foreign_key]") {
    check(joining, {r("x", "1", 10), r("y", "2", 3), l("a", "x", 5), l("a", "y", 6), r("y", "3", 7), l("a", "", 20)},
        {"", "", "a=x+1@10", "a=y+2@10", "a=y+3@10", "a del@20"});
}

TEST_CASE("a row may refer to nothing", "[op][join][foreign_key]") {
    auto const maybe = foreign_key([](row const& a) { return a.value == "-" ? std::nullopt : std::optional{a.value}; });
    std::vector<changelog::move> const moves{r("x", "1", 1), l("a", "-", 2), l("a", "x", 3), l("b", "z", 4),
        l("a", "-", 5), l("a", "", 6)};
    auto const shown = [](row const& a, row const* b) { return a.value + (b != nullptr ? b->value : "/"); };
    check(join(lefts, rights, maybe, left_outer{}, shown), moves,
        {"", "a=-/@2", "a=x1@3", "b=z/@4", "a=-/@5", "a del@6"});
    check(join(lefts, rights, maybe, left_semi{}), moves, {"", "", "a=x@3", "", "a del@5", ""});
    check(join(lefts, rights, maybe, left_anti{}), moves, {"", "a=-@2", "a del@3", "b=z@4", "a=-@5", "a del@6"});
}

TEST_CASE("a foreign key that throws makes its row absent", "[op][join][foreign_key][on_error]") {
    auto const picky = foreign_key([](row const& a) {
        if (a.value == "bad") throw std::runtime_error("unlucky");
        return a.value;
    });
    auto const pipe = join(lefts, rights, picky, both);
    std::vector<event<row>> in{
        {{1, "x", "1"}, event_time{0}}, {{0, "a", "x"}, event_time{1}}, {{0, "a", "bad"}, event_time{2}}};
    CHECK_THROWS_AS(run(batch{}, pipe, in), error);
    CHECK(run(batch{.on_error = on_error::skip}, pipe, in).empty());
    in.push_back({{0, "a", "x"}, event_time{3}});
    CHECK(run(batch{.on_error = on_error::skip}, pipe, in).size() == 1);
}

TEST_CASE("a join by foreign key keeps nothing of rows that have gone", "[op][join][foreign_key]") {
    testing::script<row> script;
    for (int i = 0; i < 2000; ++i) {
        auto const key = std::string(30, 'k') + std::to_string(i);
        auto const other = std::string(30, 'f') + std::to_string(i);
        for (auto const& each : {l(key, other, i), r(other, "1", i), l(key, "", i), r(other, "", i), changelog::wm(i)})
            script.add(each);
    }
    auto const out = testing::play_script(joining, script);
    CHECK(out.records.size() == 2000);
    CHECK(out.removed.size() == 2000);
    CHECK(out.report.state_bytes < 16 * 1024);
}

TEST_CASE("rows joined by a foreign key are a table", "[op][join][foreign_key]") {
    auto const counted =
        joining | key_by([](std::string const& s) { return s; }) | aggregate(count(), unbounded_state{});
    check(counted, {r("x", "1", 1), l("a", "x", 2), l("b", "x", 3), r("x", "2", 4)},
        {"", "x+1=1@2", "x+1=2@3", "x+1 del@4 x+2=2@4"});
    CHECK(explain(joining).find("by=\"foreign_key\"") != std::string::npos);
}

TEST_CASE("explore finds no drift in a join by foreign key", "[op][join][foreign_key]") {
    std::vector<event<row>> log;
    for (int i = 0; i < 80; ++i) {
        auto const name = std::string(i % 3 == 0 ? 1u : 30u, 'a');
        auto const value = i % 7 == 0 ? "" : i % 2 == 0 && i % 5 != 0 ? name
                                                                      : std::to_string(i);
        log.push_back({{i % 2, i % 2 == 0 ? std::to_string(i % 5) : name, value}, event_time{i * 37 % 20}});
    }
    auto const found = testing::explore(join(lefts, rights, foreign_key<&row::value>(), left_outer{}), log);
    INFO(found.sentence);
    CHECK(found);
    CHECK(found.compared > 30);
}
