// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/suppress.hpp>

#include <cases/changelog.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/properties.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using changelog::check;
using changelog::del;
using changelog::put;
using changelog::wm;

namespace {
constexpr auto latest = changelog::rows | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto late_counts = changelog::rows | window(tumbling{10_ns}, allowed_lateness{5_ns}) | aggregate(count());
using held = decltype(suppress(time_limit{1_s}));
template <class P>
using out = output_of<P>;
static_assert(operator_on<held, out<decltype(latest)>>);
static_assert(!operator_on<held, out<decltype(changelog::rows)>>);  // records
static_assert(!operator_on<decltype(suppress()), out<decltype(latest)>>);
static_assert(!operator_on<decltype(suppress(time_limit{1_s}, emit_early{})), out<decltype(latest)>>);
static_assert(!operator_on<decltype(suppress(final_results{})), out<decltype(latest)>>);
static_assert(operator_on<decltype(suppress(final_results{})), out<decltype(late_counts)>>);
static_assert(single_pane<decltype(late_counts | suppress(final_results{}))>);
static_assert(!single_pane<decltype(latest | suppress(max_records{1}))>);
using lines = changelog::lines;
}  // namespace

TEST_CASE("suppress refuses a time limit below 0 when the job starts", "[op][suppress]") {
    CHECK_THROWS_AS(testing::play(latest | suppress(time_limit{duration{-1}}), put("a", "1", 1)), error);
}

TEST_CASE("a row goes on at the limit from the first change that is held, as it is then", "[op][suppress]") {
    check(latest | suppress(time_limit{10_ns}),
        {put("a", "1", 5), put("a", "2", 12), wm(14), put("a", "3", 14), wm(15), put("a", "4", 16), wm(25), wm(26)},
        {"", "", "", "", "a=3@14", "", "", "a=4@16"});
}

TEST_CASE("what has come and gone while it was held is never seen", "[op][suppress]") {
    check(latest | suppress(time_limit{10_ns}),
        {put("a", "1", 5), del("a", 6), wm(20), put("a", "2", 21), wm(31), del("a", 32), wm(42)},
        {"", "", "", "", "a=2@21", "", "a del@32"});
}

TEST_CASE("of more rows than may be held the oldest goes on", "[op][suppress]") {
    auto const out = check(latest | suppress(max_records{2}),
        {put("a", "1", 5), put("b", "1", 3), put("a", "2", 6), put("c", "1", 4), put("d", "1", 9), wm(100),
            changelog::end()},
        {"", "", "", "b=1@3", "c=1@4", "", "a=2@6 d=1@9"});
    CHECK(out.report.stage("suppress")->applied == 5);
}

TEST_CASE("of rows with equally old changes the one that came first goes on", "[op][suppress]") {
    check(latest | suppress(max_records{1}), {put("b", "1", 5), put("a", "1", 5), put("c", "1", 5)},
        {"", "b=1@5", "a=1@5"});
}

TEST_CASE("fail_when_full says so", "[op][suppress]") {
    auto const pipe = latest | suppress(max_records{1}, fail_when_full{}) | changelog::as_text{};
    std::vector<event<changelog::row>> const log{{{0, "a", "1"}, event_time{1}}, {{0, "b", "1"}, event_time{2}}};
    auto const failed = try_run(batch{}, pipe, log);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == error_code::overflow);
    CHECK(std::string{failed.error().what()}.find("suppress holds back 1 rows") != std::string::npos);
}

TEST_CASE("the watermark behind suppress is held back to what it holds", "[op][suppress]") {
    std::string seen;
    testing::play(latest | suppress(time_limit{10_ns}) | said::listener{seen}, wm(3), put("a", "1", 5), wm(8), wm(14),
        wm(16), testing::end_of_input{});
    CHECK(seen == "wm 3 wm 5 change wm 16 wm inf");
}

TEST_CASE("final results come once per row, when nothing can change it", "[op][suppress]") {
    auto const pipe = late_counts | suppress(final_results{});
    auto const out = check(pipe,
        {put("a", "", 3), put("b", "", 4), wm(10), put("a", "", 5), wm(14), put("b", "", 6), wm(15), put("a", "", 7),
            put("a", "", 12), changelog::end()},
        {"", "", "", "", "", "", "b=2@9 a=2@9", "", "", "a=1@19"});
    CHECK(out.report.refused(reason::late) == 1);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("final results of sessions leave out what a merge swallowed", "[op][suppress]") {
    auto const pipe = changelog::rows | window(session{10_ns}, allowed_lateness{20_ns}) | aggregate(count())
        | suppress(final_results{});
    check(pipe, {put("a", "", 0), wm(12), put("a", "", 15), wm(25), put("a", "", 8), wm(44), wm(54), wm(55)},
        {"", "", "", "", "", "", "", "a=3@24"});
}

TEST_CASE("suppress over windows with a trigger tells rows of two windows apart", "[op][suppress]") {
    auto const pipe = changelog::rows | window(tumbling{10_ns}, at_watermark().early(every(1))) | aggregate(count())
        | suppress(max_records{1});
    check(pipe, {put("a", "", 1), put("a", "", 2), put("a", "", 11), put("a", "", 3), changelog::end()},
        {"", "", "a=2@9", "a=3@9", "a=3@9 a=1@19"});
}

TEST_CASE("explain names the bounds of suppress", "[op][suppress]") {
    auto const text = explain(latest | suppress(time_limit{5_min}, max_records{7}, fail_when_full{}));
    INFO(text);
    for (auto const* const part : {"suppress", "time_limit=5min", "max_records=7", "when_full=\"fail\""})
        CHECK(text.find(part) != std::string::npos);
}
