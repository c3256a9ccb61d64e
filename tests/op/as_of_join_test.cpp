// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/as_of_join.hpp>

#include <cases/changelog.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/explore.hpp>
#include <op/said.hpp>
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
using changelog::wm;

namespace {
changelog::move l(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 0); }
changelog::move r(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 1); }
constexpr auto prices = changelog::right | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto both = [](row const& a, row const& b) { return a.value + "+" + b.value; };
constexpr auto joining = join(changelog::left, prices, as_of{}, both);
static_assert(state_bound<decltype(joining)> == state_class::unbounded);
static_assert(state_bound<decltype(join(changelog::left, changelog::right | table(max_keys{2}), as_of{}))>
    == state_class::max_keys);
static_assert(single_pane<decltype(joining)> && !is_order_free<decltype(joining)>);
}  // namespace

TEST_CASE("a record meets the row that is valid at its very time", "[op][join][as_of]") {
    check(joining,
        {r("a", "1", 5), r("a", "2", 8), r("a", "", 9), l("a", "x", 4), l("a", "x", 5), l("a", "x", 8), l("a", "x", 9),
            l("b", "x", 8), wm(8), wm(9), wm(10)},
        {"", "", "", "", "", "", "", "", "a=x+1@5", "a=x+2@8", ""});
}

TEST_CASE("records come out by time, of equal ones in the order of the log", "[op][join][as_of]") {
    check(joining, {r("a", "1", 0), l("a", "x", 7), l("a", "y", 3), l("a", "z", 7), wm(20)},
        {"", "", "", "", "a=y+1@3 a=x+1@7 a=z+1@7"});
}

TEST_CASE("a record waits for the history of the table, and both sides refuse what is behind", "[op][join][as_of]") {
    auto const late = changelog::right | late_to("late rows"_name)
        | table(history{3_ns}, unbounded_state{}, deleted_if(changelog::gone));
    auto const pipe = join(changelog::left | late_to("late records"_name), late, as_of{}, allowed_lateness{1_ns}, both);
    std::vector<std::string> late_rows;
    std::vector<std::string> late_records;
    auto rows_to = to([&](pane<std::string, row> const& each) { late_rows.push_back(each.value.value); });
    auto records_to = to([&](pane<std::string, row> const& each) { late_records.push_back(each.value.value); });
    testing::script<row> steps;
    for (auto const& each : {l("a", "x", 10), wm(12), r("a", "1", 9), r("a", "0", 8), l("a", "y", 11), l("a", "z", 10),
             wm(13), wm(14), wm(15)})
        steps.add(each);
    auto const out = testing::play_script(
        pipe | changelog::as_text{}, steps, bind("late rows"_name, rows_to), bind("late records"_name, records_to));
    CHECK(out.values_at(6).empty());
    CHECK(out.values_at(7) == lines{"a=x+1@10"});
    CHECK(out.values_at(8) == lines{"a=y+1@11"});
    CHECK(late_rows == lines{"0"});
    CHECK(late_records == lines{"z"});
    REQUIRE(out.report.stage("join") != nullptr);
    CHECK(out.report.stage("join")->in() == 5);
    CHECK(out.report.refused(reason::late) == 2);
}

TEST_CASE("kinds of an as-of join", "[op][join][as_of]") {
    std::vector<changelog::move> const moves{r("a", "1", 0), l("a", "x", 7), l("b", "y", 8), changelog::end()};
    check(join(changelog::left, prices, as_of{}, left_semi{}), moves, {"", "", "", "a=x@7"});
    check(join(changelog::left, prices, as_of{}, left_anti{}), moves, {"", "", "", "b=y@8"});
    auto const pairs = testing::play(join(changelog::left, prices, as_of{}, left_outer{}), moves[0], moves[1], moves[2],
        moves[3]);
    REQUIRE(pairs.records.size() == 2);
    CHECK(pairs.records[0].left.value == "x");
    REQUIRE(pairs.records[0].right);
    CHECK(pairs.records[0].right->value == "1");
    CHECK_FALSE(pairs.records[1].right);
    auto const met = testing::play(join(changelog::left, prices, as_of{}), moves[0], moves[1], moves[2], moves[3]);
    REQUIRE(met.records.size() == 1);
    CHECK(met.records[0].right.value == "1");
}

TEST_CASE("a key that is missing meets no row", "[op][join][as_of]") {
    auto const keyed_or_not = key_by([](row const& each) {
        return each.key.empty() ? std::nullopt : std::optional<std::string>{each.key};
    });
    auto const rows = changelog::right | keyed_or_not | table(unbounded_state{});
    auto const out = testing::play(join(changelog::left | keyed_or_not, rows, as_of{}, left_outer{}), r("", "1", 1),
        r("a", "2", 1), l("", "x", 2), l("a", "y", 3), testing::end_of_input{});
    REQUIRE(out.records.size() == 2);
    CHECK_FALSE(out.records[0].right);
    CHECK(out.records[1].right);
}

TEST_CASE("of a table what is behind both watermarks is forgotten", "[op][join][as_of]") {
    std::vector<changelog::move> moves;
    for (int i = 0; i < 5000; ++i) {
        moves.push_back(r("a", std::string(20, 'x'), i));
        moves.push_back(r("b" + std::to_string(i), "", i));
        moves.push_back(l("a", "y", i));
        moves.push_back(wm(i));
    }
    testing::script<row> script;
    for (auto const& each : moves) script.add(each);
    auto const out = testing::play_script(joining, script);
    CHECK(out.report.state_bytes < 4096);
    CHECK(out.records.size() == 4999);
}

TEST_CASE("what is behind an as-of join is not late", "[op][join][as_of]") {
    std::string seen;
    testing::play(join(changelog::left, changelog::right | table(history{5_ns}, unbounded_state{}), as_of{},
                      allowed_lateness{2_ns})
            | said::listener{seen},
        r("a", "1", 3), l("a", "x", 7), l("a", "x", 9), wm(13), wm(14), testing::end_of_input{});
    CHECK(seen == "7 wm 8 wm 9 9 wm inf");
}

TEST_CASE("a function that throws in a join is subject to on_error", "[op][join][as_of][on_error]") {
    auto const pipe = join(changelog::left, prices, as_of{}, [](row const& a, row const& b) {
        if (a.value == "x") throw std::runtime_error("unlucky");
        return a.value + b.value;
    });
    std::vector<event<row>> const in{
        {{1, "a", "1"}, event_time{0}}, {{0, "a", "x"}, event_time{1}}, {{0, "a", "y"}, event_time{2}}};
    CHECK_THROWS_AS(run(batch{}, pipe, in), error);
    auto const out = run(batch{.on_error = on_error::skip}, pipe, in);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == "y1");
}

TEST_CASE("explain shows an as-of join with its table", "[op][join][as_of]") {
    auto const text = explain(join(changelog::left,
        changelog::right | table(history{5_min}, max_keys{7}), as_of{}, left_outer{}, after_grace{1_min}));
    INFO(text);
    for (auto const* const part : {"join", "kind=\"left_outer\"", "after_grace=1min", "history=5min", "max_keys=7"})
        CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("explore finds no drift in an as-of join", "[op][join][as_of]") {
    std::vector<event<row>> log;
    for (int i = 0; i < 60; ++i)
        log.push_back({{i % 2, i % 3 == 0 ? "a" : "b", i % 7 == 0 ? "" : std::to_string(i)}, event_time{i * 37 % 20}});
    auto const found = testing::explore(join(changelog::left, prices, as_of{}, left_outer{}), log);
    INFO(found.sentence);
    CHECK(found);
    CHECK(found.compared > 30);
    auto const behind = testing::explore(
        joining | key_by([](std::string const& s) { return s; }) | window(tumbling{5_ns}) | aggregate(count()), log);
    INFO(behind.sentence);
    CHECK(behind);
}
