// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/table.hpp>

#include <cases/changelog.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/explore.hpp>
#include <driftless/testing/script.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace table_test {
struct price {
    text sku;
    std::int64_t cents;
    bool gone;
};
struct bare {
    int sku;
};
}  // namespace table_test
BOOST_HANA_ADAPT_STRUCT(table_test::price, sku, cents, gone);
using table_test::bare;
using table_test::price;

namespace {
constexpr auto prices = from<event<price>>() | key_by<&price::sku>();
constexpr auto latest = prices | table(unbounded_state{}, deleted_if<&price::gone>());
using rows_of = decltype(table(unbounded_state{}));
static_assert(operator_on<rows_of, output_of<decltype(prices)>>);
static_assert(!operator_on<decltype(table()), output_of<decltype(prices)>>);    // nobody has bounded it
static_assert(!operator_on<rows_of, event<price>>);                             // no key
static_assert(!operator_on<rows_of, output_of<decltype(latest)>>);              // a table already
static_assert(!operator_on<rows_of, output_of<decltype(prices | window(tumbling{1_s}))>>);
static_assert(!operator_on<rows_of, output_of<decltype(from<event<bare>>() | key_by<&bare::sku>())>>);  // no codec
static_assert(!operator_on<decltype(table(unbounded_state{}, deleted_if<&price::sku>())),
    output_of<decltype(prices)>>);
static_assert(state_bound<decltype(latest)> == state_class::unbounded);
static_assert(state_bound<decltype(prices | table(max_keys{3}))> == state_class::max_keys);
static_assert(!single_pane<decltype(latest)> && !is_order_free<decltype(latest)>);

/// "2: a=5", "3: -a" for a row that is taken back.
template <class Played>
std::vector<std::string> told_of(Played const& out) {
    std::vector<std::string> lines;
    out.each_call([&](std::size_t step, testing::told what, auto const& row) {
        auto const head = std::to_string(step) + ": ";
        if (what == testing::told::remove) lines.push_back(head + "-" + row.key);
        else lines.push_back(head + row.key + "=" + std::to_string(row.value.cents));
    });
    return lines;
}
using lines = std::vector<std::string>;
}  // namespace

TEST_CASE("table refuses a history below 0 when the job starts", "[op][table]") {
    CHECK_THROWS_AS(play(prices | table(history{duration{-1}}, unbounded_state{})), error);
}

TEST_CASE("the row of a key is the record with the greatest time, and the later one of two", "[op][table]") {
    auto const out = play(latest, event{price{"a", 1, false}, at(5_s)}, event{price{"a", 2, false}, at(4_s)},
        event{price{"b", 3, false}, at(1_s)}, event{price{"a", 4, false}, at(5_s)},
        event{price{"a", 5, false}, at(5_s - 1_ns)});
    CHECK(told_of(out) == lines{"0: a=1", "2: b=3", "3: a=4"});
    REQUIRE(out.report.stage("table") != nullptr);
    CHECK(out.report.stage("table")->applied == 5);
}

TEST_CASE("a deletion is handed on for a row that was there, and outlives older rows", "[op][table]") {
    auto const out = play(latest, event{price{"a", 1, true}, at(5_s)}, event{price{"a", 2, false}, at(4_s)},
        event{price{"a", 3, false}, at(6_s)}, event{price{"a", 4, true}, at(7_s)}, event{price{"a", 5, true}, at(8_s)},
        event{price{"a", 6, false}, at(7_s)}, testing::snapshot_and_restore{}, event{price{"a", 7, false}, at(8_s)});
    CHECK(told_of(out) == lines{"2: a=3", "3: -a", "7: a=7"});
    CHECK(out.changed_by_restore == 0);
}

TEST_CASE("a table refuses what is behind the watermark by more than its history", "[op][table]") {
    std::vector<std::int64_t> late;
    auto sink = to([&](pane<text, price> const& row) { late.push_back(row.value.cents); });
    auto output = bind("late"_name, sink);
    auto const pipe = prices | late_to("late"_name) | table(history{5_s}, unbounded_state{});
    testing::script<price> steps;
    steps.add(watermark(at(10_s)));
    steps.add(event{price{"a", 1, false}, at(5_s)});
    steps.add(event{price{"b", 2, false}, at(5_s - 1_ns)});
    steps.add(watermark(at(11_s)));
    steps.add(event{price{"a", 3, false}, at(6_s - 1_ns)});
    auto const out = testing::play_script(pipe, steps, output);
    CHECK(told_of(out) == lines{"1: a=1"});
    CHECK(late == std::vector<std::int64_t>{2, 3});
    CHECK(out.refused(reason::late) == 2);
}

TEST_CASE("a deleted key is forgotten with the watermark, and makes room for another", "[op][table]") {
    auto const pipe = prices | table(max_keys{1}, deleted_if<&price::gone>(), history{1_s});
    auto const out = play(pipe, event{price{"a", 1, true}, at(5_s)}, event{price{"b", 2, false}, at(5_s)},
        watermark(at(6_s - 1_ns)), event{price{"b", 3, false}, at(5_s)}, watermark(at(6_s)),
        event{price{"b", 4, false}, at(5_s)});
    CHECK(told_of(out) == lines{"5: b=4"});
    CHECK(out.refused(reason::capacity) == 2);
    CHECK(out.report.stage("table")->in() == 4);
}

TEST_CASE("a deleted_if that throws is subject to on_error", "[op][table][on_error]") {
    auto const pipe = prices | table(unbounded_state{}, deleted_if([](price const& p) {
        if (p.cents == 2) throw std::runtime_error("unlucky");
        return p.gone;
    }));
    std::vector<event<price>> const in{{{"a", 1, false}, at(1_s)}, {{"a", 2, false}, at(2_s)}};
    CHECK_THROWS_AS(run(batch{}, pipe, in), error);
    auto const out = run(batch{.on_error = on_error::skip}, pipe, in);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value.cents == 1);
    CHECK(out.report().refused(reason::failed) != 0);
}

TEST_CASE("filter and map act on both sides of a row that changes", "[op][table]") {
    auto const pipe = latest | filter([](price const& p) { return p.cents < 10; })
        | map([](price const& p) { return price{p.sku, p.cents * 2, p.gone}; });
    auto const out = play(pipe, event{price{"a", 3, false}, at(1_s)}, event{price{"a", 30, false}, at(2_s)},
        event{price{"a", 40, false}, at(3_s)}, event{price{"a", 4, false}, at(4_s)},
        event{price{"a", 5, true}, at(5_s)});
    CHECK(told_of(out) == lines{"0: a=6", "1: -a", "3: a=8", "4: -a"});
}

TEST_CASE("an aggregate answers each change of a table at once", "[op][table][aggregate]") {
    // How many skus there are of a price, and of all.
    auto const per_price = latest | key_by<&price::cents>() | aggregate(count(), unbounded_state{});
    auto const out = play(per_price, event{price{"a", 3, false}, at(5_s)}, event{price{"b", 3, false}, at(1_s)},
        event{price{"a", 4, false}, at(6_s)}, event{price{"b", 3, true}, at(7_s)});
    lines got;
    out.each_call([&](std::size_t step, testing::told what, auto const& row) {
        got.push_back(std::to_string(step) + ": " + std::to_string(row.key)
            + (what == testing::told::remove ? " gone" : "=" + std::to_string(row.value)));
    });
    CHECK(got == lines{"0: 3=1", "1: 3=2", "2: 3=1", "2: 4=1", "3: 3 gone"});
    CHECK(out.report.state_bytes != 0);

    auto const total = latest | key_by([](price const&) { return 0; })
        | aggregate(sum<&price::cents>(), unbounded_state{});
    static_assert(state_bound<decltype(total)> == state_class::unbounded);
    auto const sums = play(total, event{price{"a", 3, false}, at(5_s)}, event{price{"b", 4, false}, at(1_s)},
        event{price{"a", 5, false}, at(6_s)});
    CHECK(sums.records == std::vector<std::int64_t>{3, 7, 9});
}

TEST_CASE("the row of a group has the greatest time of what came into it or left it", "[op][table][aggregate]") {
    auto const pipe = changelog::rows | table(unbounded_state{}, deleted_if(changelog::gone))
        | key_by<&changelog::row::value>() | aggregate(count(), unbounded_state{});
    using changelog::put;
    changelog::check(pipe, {put("a", "x", 20), put("b", "x", 10), put("b", "y", 15), changelog::del("b", 30)},
        {"x=1@20", "x=2@20", "x=1@20 y=1@15", "y del@30"});
}

TEST_CASE("the watermark behind a table is less its history", "[op][table]") {
    std::string seen;
    play(prices | table(history{3_ns}, unbounded_state{}) | said::listener{seen}, watermark(event_time{10}),
        testing::end_of_input{});
    CHECK(seen == "wm 7 wm inf");
}

TEST_CASE("explain names the parameters of a table", "[op][table]") {
    auto const text = explain(prices | table(history{5_min}, max_keys{7}, deleted_if<&price::gone>()));
    for (auto const* const part : {"table", "history=5min", "max_keys=7", "deleted_if"}) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("explore finds no drift in tables", "[op][table]") {
    std::vector<event<price>> log;
    char const* const skus[] = {"", "a", "a sku of many letters, more than any small string takes"};
    for (int i = 0; i < 40; ++i) log.push_back({{skus[i % 3], i % 7, i % 5 == 0}, at(duration{i * 37 % 20})});
    auto const found = testing::explore(latest | key_by<&price::cents>() | aggregate(count(), unbounded_state{}), log);
    INFO(found.sentence);
    CHECK(found);
    CHECK(found.compared > 30);
}
