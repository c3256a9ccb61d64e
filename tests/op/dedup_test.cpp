// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/dedup.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/explore.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;
using testing::play;

namespace dedup_test {
struct visit {
    std::int64_t id;
    std::string page;
};
struct changed {
    std::int64_t id;
    event_time at;
};
}  // namespace dedup_test
BOOST_HANA_ADAPT_STRUCT(dedup_test::visit, id, page);
BOOST_HANA_ADAPT_STRUCT(dedup_test::changed, id, at);

namespace {
using dedup_test::changed;
using dedup_test::visit;
constexpr auto visits = from<event<visit>>();
event<visit> seen_at(duration t, std::int64_t id, std::string page = "") { return {{id, std::move(page)}, at(t)}; }

/// What passed, as "id page"; the duplicates behind a bar.
template <class P, class... Steps>
std::string passed(P const& pipeline, Steps... steps) {
    std::string out;
    for (auto const& each : play(pipeline, steps...).records) out += std::to_string(each.id) + each.page + ' ';
    return out;
}
}  // namespace

static_assert(operator_on<decltype(dedup<&visit::id>(1_s)), event<visit>>);
static_assert(!operator_on<decltype(dedup<&visit::id>(1_s)), visit>);  // no event time
static_assert(operator_on<decltype(dedup<&visit::id>(max_keys{1})), visit>);
static_assert(!operator_on<decltype(dedup<&visit::id>(1_s)), event<changed>>);
static_assert(!operator_on<decltype(dedup([](visit const&) { return 1.5F; }, 1_s)), event<changed>>);

TEST_CASE("dedup: two records a time to live apart are two", "[op][dedup]") {
    auto const p = visits | dedup<&visit::id>(10_s);
    CHECK(passed(p, seen_at(20_s, 1, "a"), seen_at(30_s - 1_ns, 1, "b"), seen_at(30_s, 1, "c")) == "1a 1c ");
    // The same when the later one came first: the order of the log says who passes.
    CHECK(passed(p, seen_at(30_s, 1, "a"), seen_at(20_s + 1_ns, 1, "b"), seen_at(20_s, 1, "c")) == "1a 1c ");
    // A duplicate hides nobody: c is 12 s from a, and b has not passed.
    CHECK(passed(p, seen_at(20_s, 1, "a"), seen_at(26_s, 1, "b"), seen_at(32_s, 1, "c")) == "1a 1c ");
    // Times before the epoch.
    CHECK(passed(p, seen_at(-5_s, 1, "a"), seen_at(4_s, 1, "b"), seen_at(5_s, 1, "c"), seen_at(-15_s, 1, "d"))
        == "1a 1c 1d ");
}

TEST_CASE("dedup: a duplicate of a record in the slice before, the same and behind", "[op][dedup]") {
    auto const p = visits | dedup<&visit::id>(10_s);
    CHECK(passed(p, seen_at(15_s, 1), seen_at(9_s, 1), seen_at(19_s, 1), seen_at(24_s, 1), seen_at(25_s, 1, "x"))
        == "1 1x ");
}

TEST_CASE("dedup refuses what is later than allowed, and remembers exactly as long", "[op][dedup]") {
    auto const p = visits | late_to("late"_name) | dedup<&visit::id>(10_s, allowed_lateness{3_s});
    std::vector<std::int64_t> late;
    auto to_late = to([&](visit const& v) { late.push_back(v.id); });
    testing::script<visit> const steps{seen_at(100_s, 1, "a"), testing::watermark{at(103_s)},
        seen_at(100_s, 2, "on the bound"),
        seen_at(100_s - 1_ns, 3), testing::watermark{at(113_s - 1_ns)}, seen_at(110_s - 1_ns, 1, "last duplicate"),
        testing::watermark{at(113_s)}, seen_at(110_s, 1, "first again"), seen_at(110_s - 1_ns, 1, "late")};
    auto const out = testing::play_script(p, steps, bind("late"_name, to_late));
    std::string pages;
    for (auto const& each : out.records) pages += each.page + '|';
    CHECK(pages == "a|on the bound|first again|");
    CHECK(late == std::vector<std::int64_t>{3, 1});
    CHECK(out.refused(reason::late) == 2);
    CHECK(out.refused(reason::duplicate) == 1);
    auto const* const books = out.report.stage("dedup");
    REQUIRE(books != nullptr);
    CHECK(books->applied == 3);
    CHECK(books->in() == 6);
}

TEST_CASE("dedup gives the memory of a slice back when nothing can be a duplicate of it", "[op][dedup]") {
    auto const p = visits | dedup<&visit::id>(10_s, allowed_lateness{3_s});
    auto const bytes = [&](duration watermark) {
        return play(p, seen_at(12_s, 1), seen_at(19_s, 2), testing::watermark{at(watermark)}).report.state_bytes;
    };
    CHECK(bytes(20_s + 10_s + 3_s - 2_ns) != 0);
    CHECK(bytes(20_s + 10_s + 3_s - 1_ns) == 0);
    CHECK(play(p, seen_at(12_s, 1), testing::end_of_input{}).report.state_bytes == 0);
}

TEST_CASE("dedup hands duplicates to an output", "[op][dedup]") {
    auto const p = visits | dedup<&visit::id>(10_s, divert_to{"again"_name});
    std::string again;
    auto to_again = to([&](visit const& v) { again += v.page; });
    testing::script<visit> const steps{
        seen_at(1_s, 1, "a"), seen_at(2_s, 1, "b"), seen_at(3_s, 2, "c"), seen_at(4_s, 2, "d")};
    auto const out = testing::play_script(p, steps, bind("again"_name, to_again));
    CHECK(again == "bd");
    CHECK(out.records.size() == 2);
}

TEST_CASE("dedup by several members, by a function, by the whole record", "[op][dedup]") {
    auto const script = [](auto const& p) {
        return passed(p, seen_at(1_s, 1, "a"), seen_at(2_s, 1, "b"), seen_at(3_s, 2, "a"), seen_at(4_s, 1, "a"));
    };
    CHECK(script(visits | dedup<&visit::id>(10_s)) == "1a 2a ");
    CHECK(script(visits | dedup<&visit::page>(10_s)) == "1a 1b ");
    CHECK(script(visits | dedup<&visit::id, &visit::page>(10_s)) == "1a 1b 2a ");
    CHECK(script(visits | dedup(10_s)) == "1a 1b 2a ");
    CHECK(script(visits | dedup([](visit const& v) { return v.id % 2; }, 10_s)) == "1a 2a ");
    CHECK(script(visits | dedup(&visit::id, 10_s)) == "1a 2a ");
}

TEST_CASE("dedup without a time to live needs no event time and never forgets", "[op][dedup]") {
    std::vector<visit> const log{{1, "a"}, {2, "b"}, {1, "c"}, {3, "d"}, {2, "e"}, {3, "f"}};
    CHECK(run(batch{}, from<visit>() | dedup<&visit::id>(unbounded_state{}), log).size() == 3);
    auto const two = run(batch{}, from<visit>() | dedup<&visit::id>(max_keys{2}), log);
    CHECK(two.size() == 2);
    CHECK(two.report().refused(reason::capacity) == 2);  // d and f: 3 is not remembered
    CHECK(two.report().refused(reason::duplicate) == 2);
}

TEST_CASE("dedup leaves a record out whose function throws", "[op][dedup]") {
    auto const id = [](visit const& v) {
        if (v.id == 2) throw std::runtime_error{"no id"};
        return v.id;
    };
    std::vector<visit> const log{{1, "a"}, {2, "b"}, {1, "c"}};
    auto const p = from<visit>() | dedup(id, unbounded_state{});
    CHECK_THROWS_AS(run(batch{}, p, log), error);
    auto const rest = run(batch{.on_error = on_error::skip}, p, log);
    CHECK(rest.size() == 1);
    CHECK(rest.report().refused(reason::failed) == 1);
    CHECK_THROWS_AS(run(batch{}, from<event<visit>>() | dedup<&visit::id>(0_s), std::vector<event<visit>>{}), error);
}

TEST_CASE("dedup says what it is", "[op][dedup]") {
    constexpr auto p = from<changed>() | assign_time<&changed::at>(bounded_disorder{5_s}) | dedup<&changed::id>(1_h);
    CHECK(explain(p).find("dedup id time_to_live=1h allowed_lateness=0s") != std::string::npos);
    static_assert(state_bound<decltype(p)> == state_class::windowed);
    static_assert(!is_order_free<decltype(p)>);
    static_assert(is_replayable<decltype(p)>);
    auto const q = from<changed>() | dedup<&changed::id>(unbounded_state{});
    static_assert(state_bound<decltype(q)> == state_class::unbounded);
    auto const r = from<changed>() | dedup(max_keys{7});
    static_assert(state_bound<decltype(r)> == state_class::max_keys);
    CHECK(explain(r).find("dedup id=\"record\" max_keys=7") != std::string::npos);
    CHECK(fingerprint(q) != fingerprint(from<changed>() | dedup(unbounded_state{})));
}

TEST_CASE("explore finds no drift in dedup", "[op][dedup]") {
    auto const p = from<changed>() | assign_time<&changed::at>(bounded_disorder{4_s}) | dedup<&changed::id>(3_s)
        | key_by<&changed::id>() | window(tumbling{5_s}) | aggregate(count());
    std::vector<changed> log;
    for (std::int64_t i = 0; i < 40; ++i) log.push_back({i % 3, at(duration{(i * 7 % 20) * 500'000'000})});
    auto const found = testing::explore(p, log, {.scripts = 60});
    INFO(found.sentence);
    CHECK(found.ok);
    CHECK(found.compared > 10);
}
