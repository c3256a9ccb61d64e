// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/view/explain_change.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/time/session.hpp>
#include <driftless/time/trigger.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace explain_test {
struct order {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace explain_test
BOOST_HANA_ADAPT_STRUCT(explain_test::order, shop, cents, at);

namespace {
using explain_test::order;
using table = view<std::string, std::int64_t>;
event_time clock_now{};
event_time clock_of() { return clock_now; }
event_time minute(std::int64_t n) { return event_time{n * 60'000'000'000}; }
event_time s(std::int64_t n) { return event_time{n * 1'000'000'000}; }

auto revenue(std::int64_t (*of)(order const&), auto... options) {
    return from<order>() | assign_time<&order::at>(bounded_disorder{2_s}) | key_by<&order::shop>()
        | window(tumbling{10_s}, allowed_lateness{20_s}, options...) | aggregate(sum(of)).id("revenue"_name);
}
std::int64_t plain(order const& o) { return o.cents; }
std::int64_t taxed(order const& o) { return o.cents * 2; }
time_window const first{s(0), s(10)};

std::string offsets(std::vector<row_record> const& all) {
    std::string out;
    for (auto const& each : all) {
        out += std::to_string(each.from.offset) + (each.what == row_record::kind::late ? "late " : " ");
    }
    return out;
}
/// A job with a view, a minute for each poll.
template <class P>
struct served {
    P pipeline;
    memory_log<order> log;
    table shown{{.history = {.keep = 1_d}, .clock = &clock_of}};
    job<stream, P, memory_log<order>&, table&> running{stream{}, pipeline, log, shown};

    explicit served(P const& p) : pipeline(p) {}
    void tell(std::vector<order> const& orders) {
        clock_now = clock_now + 1_min;
        for (auto const& each : orders) log.append(each);
        running.poll();
    }
    auto ask(std::int64_t from, std::int64_t to, std::string const& key = "north") {
        return explain_change(shown, key, {.from = minute(from), .to = minute(to), .window = first}, pipeline, log);
    }
};
}  // namespace

TEST_CASE("explain_change names the records of a first result and those that came late", "[view][explain_change]") {
    clock_now = {};
    served of{revenue(plain)};
    of.tell({{"north", 1, s(1)}, {"south", 2, s(2)}, {"north", 4, s(3)}});             // offsets 0 to 2, minute 1
    of.tell({{"north", 8, s(14)}});                                                    // 3: the window fires
    of.tell({{"south", 16, s(15)}});                                                   // 4
    of.tell({{"north", 32, s(5)}, {"south", 64, s(6)}});                               // 5, 6: late
    of.tell({{"north", 128, s(40)}, {"north", 256, s(7)}});                            // 7, 8: refused
    auto const all = of.ask(1, 5);
    CHECK(!all.then);
    CHECK(*all.now == 37);
    CHECK(all.changed());
    REQUIRE(all.steps.size() == 2);
    CHECK(all.steps[0].why == change_cause::first_result);
    CHECK(offsets(all.steps[0].records) == "0 2 ");
    CHECK(!all.steps[0].before);
    CHECK(*all.steps[0].after == 5);
    CHECK(all.steps[0].at() == minute(2));
    CHECK(all.steps[1].why == change_cause::late_data);
    CHECK(offsets(all.steps[1].records) == "5late ");
    CHECK(*all.steps[1].before == 5);
    CHECK(*all.steps[1].after == 37);
    CHECK(all.steps[1].at() == minute(4));
    REQUIRE(all.refused.size() == 1);
    CHECK(all.refused[0].from.offset == 8);
    CHECK(all.refused[0].why == reason::late);
    CHECK(all.str()
        ==
        "\"north\" in [1970-01-01T00:00:00Z, 1970-01-01T00:00:10Z): nothing at 1970-01-01T00:01:00Z, 37 at "
        "1970-01-01T00:05:00Z\n"
        "  1970-01-01T00:02:00Z: nothing -> 5, first result\n"
        "    partition 0, offset 0: 1970-01-01T00:00:01Z\n"
        "    partition 0, offset 2: 1970-01-01T00:00:03Z\n"
        "  1970-01-01T00:04:00Z: 5 -> 37, late data\n"
        "    partition 0, offset 5: 1970-01-01T00:00:05Z, late\n"
        "  left out:\n"
        "    partition 0, offset 8: 1970-01-01T00:00:07Z, refused as late\n");

    auto const between = of.ask(2, 3);
    CHECK(between.steps.empty());
    CHECK(!between.changed());
    CHECK(between.str().find("nothing has changed it") != std::string::npos);
    CHECK(of.ask(2, 4).steps.size() == 1);
    CHECK(offsets(of.ask(1, 5, "south").steps[1].records) == "6late ");
}

TEST_CASE("explain_change tells early results from the rest, and names the newest of many records",
    "[view][explain_change]") {
    clock_now = {};
    served of{revenue(plain, at_watermark().early(every(2)))};
    of.tell({{"north", 1, s(1)}, {"north", 2, s(2)}});
    of.tell({{"north", 4, s(3)}, {"north", 8, s(4)}, {"north", 16, s(5)}});
    of.tell({{"north", 32, s(20)}});
    auto const all = of.ask(1, 3);
    REQUIRE(all.steps.size() == 2);
    CHECK(all.steps[0].why == change_cause::more_data);
    CHECK(offsets(all.steps[0].records) == "2 3 4 ");  // read by then: of the last the row says nothing yet
    CHECK(*all.steps[0].after == 15);
    CHECK(all.steps[1].why == change_cause::more_data);
    CHECK(*all.steps[1].after == 31);
    change_question const one{.from = minute(1), .to = minute(2), .window = first, .most_records = 1};
    auto const few = explain_change(of.shown, "north", one, of.pipeline, of.log);
    REQUIRE(few.steps.size() == 1);
    CHECK(offsets(few.steps[0].records) == "4 ");
    CHECK(few.steps[0].more_records == 2);
    CHECK_THROWS_AS(of.ask(0, 3), error);  // history does not reach back so far
}

TEST_CASE("explain_change says that a row was removed: its session has grown", "[view][explain_change]") {
    clock_now = {};
    auto const p = from<order>() | assign_time<&order::at>(bounded_disorder{0_s}) | key_by<&order::shop>()
        | window(session{10_s}, allowed_lateness{30_s}) | aggregate(sum(plain));
    served of{p};
    of.tell({{"north", 1, s(0)}});
    of.tell({{"south", 1, s(15)}});
    of.tell({{"north", 2, s(5)}});  // late: it makes another session of the first one
    auto const why = of.ask(2, 3);
    REQUIRE(why.steps.size() == 1);
    CHECK(why.steps[0].why == change_cause::removed);
    CHECK(!why.now);
    CHECK(*why.then == 1);
    auto const grown = explain_change(
        of.shown, "north", {.from = minute(2), .to = minute(3), .window = {s(0), s(15)}}, of.pipeline, of.log);
    REQUIRE(grown.steps.size() == 1);
    CHECK(offsets(grown.steps[0].records) == "0 2late ");
}

TEST_CASE("explain_change knows deploys, corrections and rollbacks of a deployment, with their reasons",
    "[view][explain_change]") {
    clock_now = minute(100);
    testing::memory_files files;
    memory_log<order> log;
    auto const tell = [&](std::vector<order> const& orders) {
        for (auto const& each : orders) log.append(each);
    };
    tell({{"north", 1, s(1)}, {"south", 2, s(2)}, {"north", 4, s(14)}, {"south", 1, s(50)}});
    deployment_options how;
    how.files = &files;
    how.clock = &clock_of;
    how.rows.history.keep = 1_d;
    how.snapshots.every = {};
    deployment<std::string, std::int64_t> shop{"shop", how};
    auto const v1 = revenue(plain);
    auto const v2 = revenue(taxed);
    shop.define("v1", v1, log);
    shop.define("v2", v2, log);
    shop.start();
    auto const settle = [&] {
        while (shop.poll() != 0) {}
    };
    shop.deploy("v1");
    settle();
    shop.cut_over();
    clock_now = minute(101);
    shop.correct("v2", {.from = s(5), .why = "the tax was forgotten"});
    settle();
    clock_now = minute(102);
    shop.cut_over();
    clock_now = minute(103);
    shop.roll_back("it was right before");
    clock_now = minute(104);
    shop.deploy("v2");
    settle();
    shop.cut_over();
    clock_now = minute(105);
    tell({{"north", 8, s(45)}, {"south", 1, s(70)}});
    settle();

    auto const why = explain_change(
        shop, "north", {.from = minute(101), .to = minute(105), .window = first}, v2, log);
    CHECK(*why.then == 1);
    CHECK(*why.now == 2);
    REQUIRE(why.steps.size() == 3);
    CHECK(why.steps[0].why == change_cause::corrected);
    CHECK(why.steps[0].reason == "the tax was forgotten");
    CHECK(why.steps[0].version == 2);
    CHECK(*why.steps[0].before == 1);
    CHECK(*why.steps[0].after == 2);
    CHECK(why.steps[0].records.empty());
    CHECK(why.steps[1].why == change_cause::rolled_back);
    CHECK(why.steps[1].reason == "it was right before");
    CHECK(*why.steps[1].after == 1);
    CHECK(why.steps[2].why == change_cause::new_build);
    CHECK(why.steps[2].reason == "v2 (version 3)");
    CHECK(*why.steps[2].after == 2);
    CHECK(why.audit.size() >= 4);
    CHECK(why.str().find("1 -> 2, corrected (version 2): the tax was forgotten") != std::string::npos);

    // A row that the correction did not touch, and one that came behind it.
    time_window const later{s(40), s(50)};
    auto const came = explain_change(shop, "north", {.from = minute(104), .to = minute(105), .window = later}, v2, log);
    REQUIRE(came.steps.size() == 1);
    CHECK(came.steps[0].why == change_cause::first_result);
    CHECK(offsets(came.steps[0].records) == "4 ");
    change_question const fix{.from = minute(101), .to = minute(102), .window = first};
    auto const fixed = explain_change(shop, "north", fix, v2, log);
    CHECK(fixed.steps.size() == 1);
}
