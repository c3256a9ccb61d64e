// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/explain.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/share.hpp>
#include <driftless/op/window.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace explain_test {
struct order {
    text sku;
    std::int64_t cents;
    event_time at;
};
struct untold {
    std::int64_t cents;
};
/// Without a kind: the shortest function a user may write.
struct widest {
    std::int64_t lift(order const& o) const { return o.cents; }
    void combine(std::int64_t& into, std::int64_t later) const { into = into < later ? later : into; }
    std::int64_t lower(std::int64_t of) const { return of; }
};
struct at_least {
    static constexpr std::string_view kind = "at_least";
    std::int64_t bound;
    void describe(auto&& parameter) const { parameter("bound", bound); }
    std::int64_t lift(order const& o) const { return o.cents >= bound ? 1 : 0; }
    void combine(std::int64_t& into, std::int64_t later) const { into += later; }
    std::int64_t lower(std::int64_t of) const { return of; }
};
}  // namespace explain_test
BOOST_HANA_ADAPT_STRUCT(explain_test::order, sku, cents, at);
using namespace explain_test;

namespace {
constexpr auto orders = from<order>("orders"_name) | assign_time<&order::at>(bounded_disorder{5_s});
constexpr auto revenue = orders | filter([](order const& o) { return o.cents > 0; }) | key_by<&order::sku>()
    | window(tumbling{1_h}, allowed_lateness{2_h}) | aggregate(count(), sum<&order::cents>()).id("revenue"_name);

std::string line(std::string const& text, std::size_t number) {
    std::size_t start = 0;
    while (number-- > 0) start = text.find('\n', start) + 1;
    return text.substr(start, text.find('\n', start) - start);
}
}  // namespace

TEST_CASE("explain of an ill-formed pipeline is empty", "[run][explain]") {
    CHECK(explain(ill_formed{}).empty());
    CHECK(explain(ill_formed{}, format::dot).empty());
    CHECK(plan_of(ill_formed{}).nodes.empty());
}

TEST_CASE("explain writes one line per operator, with units, and the properties last", "[run][explain]") {
    CHECK(explain(revenue) ==
        "from \"orders\" : {sku:text,cents:i64,at:time}\n"
        "  assign_time at bound=5s\n"
        "  filter\n"
        "  key_by sku\n"
        "  window tumbling size=1h allowed_lateness=2h\n"
        "  aggregate count, sum(cents) id=\"revenue\" : {key:text,window:window,value:(i64,i64)} changes\n"
        "properties: replayable=yes order_free=yes single_pane=no state=windowed lambda_additive=yes\n");
}

TEST_CASE("explain draws for Graphviz", "[run][explain]") {
    CHECK(explain(from<int>("a \\ \"b\""_name) | filter([](int i) { return i > 0; }), format::dot) ==
        "digraph pipeline {\n"
        "    node [shape=box];\n"
        "    label=\"properties: replayable=yes order_free=no single_pane=yes state=stateless lambda_additive=no\";\n"
        "    n0 [label=\"from \\\"a \\\\\\\\ \\\\\\\"b\\\\\\\"\\\"\\ni32\"];\n"
        "    n1 [label=\"filter\"];\n"
        "    n0 -> n1;\n"
        "}\n");
}

TEST_CASE("explain draws for Mermaid, changes dashed", "[run][explain]") {
    CHECK(explain(revenue | filter([](auto const&) { return true; }), format::mermaid) ==
        "flowchart TD\n"
        "    n0[\"from #quot;orders#quot;<br>{sku:text,cents:i64,at:time}\"]\n"
        "    n1[\"assign_time at bound=5s\"]\n"
        "    n0 --> n1\n"
        "    n2[\"filter\"]\n"
        "    n1 --> n2\n"
        "    n3[\"key_by sku\"]\n"
        "    n2 --> n3\n"
        "    n4[\"window tumbling size=1h allowed_lateness=2h\"]\n"
        "    n3 --> n4\n"
        "    n5[\"aggregate count, sum(cents) id=#quot;revenue#quot;<br>{key:text,window:window,value:(i64,i64)} "
        "changes\"]\n"
        "    n4 --> n5\n"
        "    n6[\"filter\"]\n"
        "    n5 -.-> n6\n"
        "    %% properties: replayable=yes order_free=yes single_pane=no state=windowed lambda_additive=yes\n");
}

TEST_CASE("the inputs of a merge stand below it; what was shown is not shown twice", "[run][explain]") {
    auto const clean = orders | share("clean"_name);
    auto const cheap = clean | filter([](order const& o) { return o.cents < 100; });
    auto const others = from<order>("others"_name) | assign_time<&order::at>(bounded_disorder{0_s}, as_declared);
    auto const all = merge(cheap, clean, others, orders) | key_by<&order::sku>();
    CHECK(explain(all) ==
        "merge inputs=4\n"
        "    from \"orders\" : {sku:text,cents:i64,at:time}\n"
        "      assign_time at bound=5s\n"
        "      share \"clean\"\n"
        "      filter\n"
        "    share \"clean\" (as above)\n"
        "    from \"others\" : {sku:text,cents:i64,at:time}\n"
        "      assign_time at bound=0s watermark=\"as declared\"\n"
        "    from \"orders\" (as above)\n"
        "      assign_time at bound=5s\n"
        "  key_by sku\n"
        "properties: replayable=yes order_free=no single_pane=yes state=stateless lambda_additive=no\n");
}

TEST_CASE("a plan has each share and each named source once, every operator after its inputs", "[run][plan]") {
    auto const clean = orders | share("clean"_name);
    auto const graph = plan_of(merge(clean, clean | filter([](order const&) { return true; }), orders));
    REQUIRE(graph.nodes.size() == 6);
    CHECK(graph.nodes[0].kind == "from");
    CHECK(graph.nodes[2].kind == "share");
    CHECK(graph.nodes[4].inputs == std::vector<std::size_t>{0});
    CHECK(graph.nodes[5].inputs == std::vector<std::size_t>{2, 3, 4});
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        for (auto const input : graph.nodes[i].inputs) CHECK(input < i);
    }
}

TEST_CASE("a share may have the name of a source", "[run][plan]") {
    auto const clean = orders | share("orders"_name);
    auto const graph = plan_of(merge(clean, clean));
    REQUIRE(graph.nodes.size() == 4);
    CHECK(graph.nodes[2].kind == "share");
    CHECK(graph.nodes[3].inputs == std::vector<std::size_t>{2, 2});
}

TEST_CASE("a plan tells what a stream is", "[run][plan]") {
    auto const graph = plan_of(revenue);
    REQUIRE(graph.nodes.size() == 6);
    CHECK(!graph.nodes[0].timed);
    CHECK(graph.nodes[1].timed);
    CHECK(graph.nodes[2].key.empty());
    CHECK(graph.nodes[3].key == "text");
    CHECK(graph.nodes[3].windows == plan_windows::none);
    CHECK(graph.nodes[4].windows == plan_windows::assigned);
    CHECK(graph.nodes[4].parameters
        == std::vector<plan_parameter>{
            {"windows", "\"tumbling\""}, {"size", "1h"}, {"offset", "0s"}, {"allowed_lateness", "2h"}});
    CHECK(!graph.nodes[4].changes);
    CHECK(graph.nodes[5].windows == plan_windows::carried);
    CHECK(graph.nodes[5].changes);
    CHECK(graph.nodes[5].id == "revenue");
}

TEST_CASE("explain names members, functions and what an aggregate says of itself", "[run][explain]") {
    auto const all = from<order>() | key_by(&order::cents)
        | aggregate(sum(&order::cents), mean([](order const& o) { return o.cents; }), widest{}, at_least{50},
            fold(0, [](int n, order const&) { return n + 1; }), max_keys{10});
    CHECK(line(explain(all), 0) == "from : {sku:text,cents:i64,at:time}");
    CHECK(line(explain(all), 1) == "  key_by cents");
    CHECK(line(explain(all), 2) ==
        "  aggregate sum(cents), mean(function), aggregate, at_least(bound=50), fold max_keys=10 : "
        "{key:i64,window:window,value:(i64,f64,i64,i64,i32)}");
    CHECK(line(explain(from<order>() | key_by<&order::sku, &order::cents>()), 1) == "  key_by sku, cents");
    CHECK(line(explain(from<order>() | key_by([](order const&) { return 1; })), 1) == "  key_by function");
    CHECK(line(explain(from<untold>() | key_by<&untold::cents>()), 1) == "  key_by member");
    CHECK(line(explain(from<std::int64_t>() | aggregate(sum())), 1)
        == "  aggregate sum : {key:(),window:window,value:i64}");
}

TEST_CASE("explain names a member of a result row", "[run][explain]") {
    using row = pane<text, std::int64_t>;
    auto const twice = orders | key_by<&order::sku>() | window(tumbling{1_h}) | aggregate(sum<&order::cents>())
        | key_by([](row const&) { return 0; }) | aggregate(sum<&row::value>());
    CHECK(line(explain(twice), 6) == "  aggregate sum(value) : {key:i32,window:window,value:i64}");
}

TEST_CASE("explain tells expectations and side outputs", "[run][explain]") {
    auto const checked = orders | expect("positive"_name, [](order const& o) { return o.cents > 0; })
        | window(tumbling{.size = 1_h, .offset = 15_min}) | late_to("late"_name) | aggregate(count());
    CHECK(line(explain(checked), 2) == "  expect \"positive\" violation=\"count\"");
    CHECK(line(explain(checked), 3) == "  window tumbling size=1h offset=15min");
    CHECK(line(explain(checked), 4) == "  late_to output=\"late\"");
}

TEST_CASE("a duration is written with the largest unit that is exact", "[run][plan]") {
    auto const written = [](duration d) { return driftless::detail::plan_text(d); };
    CHECK(written(0_s) == "0s");
    CHECK(written(5_s) == "5s");
    CHECK(written(60_min) == "1h");
    CHECK(written(90_min) == "90min");
    CHECK(written(24_h) == "1d");
    CHECK(written(250_ms) == "250ms");
    CHECK(written(1500_ms) == "1500ms");
    CHECK(written(7_us) == "7us");
    CHECK(written(1_ns) == "1ns");
    CHECK(written(-(2_h)) == "-2h");
    CHECK(written(duration::max()) == "inf");
    CHECK(written(duration::min()) == "-inf");
}

TEST_CASE("an event time is written in UTC, with its fraction only if there is one", "[run][plan]") {
    auto const written = [](std::int64_t ns) { return driftless::detail::plan_text(event_time{ns}); };
    CHECK(written(0) == "1970-01-01T00:00:00Z");
    CHECK(written(-1) == "1969-12-31T23:59:59.999999999Z");
    CHECK(written(1'709'208'000'500'000'000) == "2024-02-29T12:00:00.5Z");
    CHECK(written(1'709'251'199'000'000'000) == "2024-02-29T23:59:59Z");
    CHECK(written(1'735'689'600'000'000'000) == "2025-01-01T00:00:00Z");
    CHECK(driftless::detail::plan_text(event_time::max()) == "inf");
    CHECK(driftless::detail::plan_text(event_time::min()) == "-inf");
    CHECK(written(event_time::max().ns() - 1) == "2262-04-11T23:47:16.854775806Z");
    CHECK(written(event_time::min().ns() + 1) == "1677-09-21T00:12:43.145224193Z");
}

TEST_CASE("a name stays on one line", "[run][plan]") {
    CHECK(driftless::detail::plan_text(std::string_view{"a\"b\\c\nd\x01"}) == "\"a\\\"b\\\\c\\nd\\x01\"");
    CHECK(driftless::detail::plan_text(true) == "true");
    CHECK(driftless::detail::plan_text(std::uint64_t{18'446'744'073'709'551'615U}) == "18446744073709551615");
}
