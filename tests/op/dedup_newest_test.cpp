// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/dedup_newest.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/explore.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at;

namespace dedup_newest_test {
struct payment {
    std::int64_t id;
    std::int32_t version;
    text account;
    std::int64_t cents;
};
struct unversioned {
    std::int64_t id;
    text version;
    event_time at;
};
}  // namespace dedup_newest_test
BOOST_HANA_ADAPT_STRUCT(dedup_newest_test::payment, id, version, account, cents);
BOOST_HANA_ADAPT_STRUCT(dedup_newest_test::unversioned, id, version, at);

namespace {
using dedup_newest_test::payment;
using dedup_newest_test::unversioned;
constexpr auto payments = from<event<payment>>();
constexpr auto by_version = newest<&payment::version>();

event<payment> paid_at(duration t, std::int64_t id, std::int32_t version, text account = {}, std::int64_t cents = 0) {
    return {{id, version, account, cents}, at(t)};
}
std::string text_of(payment const& p) {
    return std::to_string(p.id) + "v" + std::to_string(p.version) + p.account.str();
}
std::string text_of(std::int64_t n) { return std::to_string(n); }
/// What was told, in order: "key=value", "-key" for a removal.
template <class P, class... Steps>
std::string told(P const& pipeline, Steps const&... steps) {
    std::string out;
    auto sink = to([&](auto const& row) { out += text_of(row.key) + "=" + text_of(row.value) + ' '; },
        [&](auto const& key, time_window) { out += "-" + text_of(key) + ' '; });
    std::vector<event<payment>> const log{steps...};
    run(batch{}, pipeline, log, sink);
    return out;
}
}  // namespace

static_assert(operator_on<decltype(dedup<&payment::id>(1_s, by_version)), event<payment>>);
static_assert(operator_on<decltype(dedup<&payment::id>(max_keys{1}, by_version)), payment>);
static_assert(!operator_on<decltype(dedup<&payment::id>(max_keys{1}, newest())), payment>);  // no event time
static_assert(operator_on<decltype(dedup<&payment::id>(max_keys{1}, newest())), event<payment>>);
static_assert(  // text
    !operator_on<decltype(dedup<&unversioned::id>(1_s, newest<&unversioned::version>())), event<unversioned>>);

TEST_CASE("dedup with newest hands on greater versions as corrections, and refuses others", "[op][dedup]") {
    auto const p = payments | dedup<&payment::id>(10_s, by_version, divert_to{"old"_name});
    std::vector<event<payment>> const log{paid_at(1_s, 1, 2, "a"), paid_at(2_s, 2, 1, "b"), paid_at(3_s, 1, 1, "c"),
        paid_at(4_s, 1, 2, "d"), paid_at(5_s, 1, 7, "e"), paid_at(0_s, 2, 3, "f")};
    std::string changes;
    std::string old;
    auto sink = to([&](auto const& row) { changes += text_of(row.value) + '@' + std::to_string(row.key) + ' '; },
        [&](auto const&, time_window) { changes += "gone "; });
    auto diverted = to([&](payment const& each) { old += text_of(each) + ' '; });
    auto const books = run(batch{}, p, log, bind("old"_name, diverted), sink);
    CHECK(changes == "1v2a@1 2v1b@2 1v7e@1 2v3f@2 ");
    CHECK(old == "1v1c 1v2d ");
    CHECK(books.refused(reason::duplicate) == 2);
    CHECK(books.stage("dedup")->applied == 4);
    CHECK(books.stage("dedup")->in() == 6);
}

TEST_CASE("an aggregate behind dedup with newest takes back what was corrected", "[op][dedup]") {
    auto const by_account = payments | dedup<&payment::id>(10_s, by_version)
        | key_by([](payment const& each) { return each.cents / 100; })
        | aggregate(count(), unbounded_state{});
    // Payment 1 moves from group 1 to group 2, where payment 2 is; group 1 has nobody left.
    CHECK(told(by_account, paid_at(1_s, 1, 1, "a", 100), paid_at(2_s, 2, 1, "b", 200), paid_at(3_s, 1, 2, "c", 250))
        == "1=1 2=1 -1 2=2 ");
    // A record that is not newer changes nothing.
    CHECK(told(by_account, paid_at(1_s, 1, 2, "a", 100), paid_at(3_s, 1, 1, "c", 250)) == "1=1 ");
}

TEST_CASE("dedup with newest by event time", "[op][dedup]") {
    auto const p = payments | dedup<&payment::id>(10_s, newest());
    CHECK(told(p, paid_at(5_s, 1, 1), paid_at(4_s, 1, 2), paid_at(5_s, 1, 3), paid_at(6_s, 1, 4)) == "1=1v1 1=1v4 ");
    auto const least = newest([](payment const& each) { return -each.version; });
    auto const q = payments | dedup([](payment const& each) { return each.id; }, 10_s, least);
    CHECK(told(q, paid_at(5_s, 1, 3), paid_at(4_s, 1, 4), paid_at(5_s, 1, 1)) == "1=1v3 1=1v1 ");
}

TEST_CASE("dedup with newest: a group is what is near its first record", "[op][dedup]") {
    auto const p = payments | dedup<&payment::id>(10_s, by_version);
    // 18 s is near the correction at 14 s, which is of the group of 5 s: it begins another one.
    CHECK(told(p, paid_at(5_s, 1, 1), paid_at(14_s, 1, 2), paid_at(18_s, 1, 1)) == "1=1v1 1=1v2 1=1v1 ");
    // On the bound it is another group, one tick before it is not.
    CHECK(told(p, paid_at(5_s, 1, 5), paid_at(15_s - 1_ns, 1, 1), paid_at(15_s, 1, 1)) == "1=1v5 1=1v1 ");
    // Groups at 5 s and 15 s: a record between them belongs to the earlier one, whatever slice it is in.
    for (auto const between : {6_s, 9_s, 10_s, 12_s, 14_s}) {
        CHECK(told(p, paid_at(5_s, 1, 5), paid_at(15_s, 1, 1), paid_at(between, 1, 3)) == "1=1v5 1=1v1 ");
        CHECK(told(p, paid_at(15_s, 1, 1), paid_at(5_s, 1, 5), paid_at(between, 1, 3)) == "1=1v1 1=1v5 ");
    }
}

TEST_CASE("dedup with newest refuses corrections that are late, and forgets", "[op][dedup]") {
    auto const p = payments | dedup<&payment::id>(10_s, by_version, allowed_lateness{3_s});
    testing::script<payment> const steps{paid_at(100_s, 1, 1), testing::watermark{at(103_s)}, paid_at(100_s, 1, 2),
        paid_at(100_s - 1_ns, 1, 3), testing::watermark{at(113_s)}, paid_at(110_s, 1, 1), testing::end_of_input{}};
    auto const out = testing::play_script(p, steps);
    CHECK(out.refused(reason::late) == 1);
    CHECK(out.refused(reason::duplicate) == 0);
    CHECK(out.report.stage("dedup")->applied == 3);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("dedup with newest that never forgets", "[op][dedup]") {
    std::vector<payment> const log{{1, 1, "a", 0}, {2, 1, "b", 0}, {1, 2, "c", 0}, {3, 1, "d", 0}, {2, 0, "e", 0}};
    auto const all = run(batch{}, from<payment>() | dedup<&payment::id>(unbounded_state{}, by_version), log);
    REQUIRE(all.size() == 3);
    auto const two = run(batch{}, from<payment>() | dedup<&payment::id>(max_keys{2}, by_version), log);
    CHECK(two.size() == 2);
    CHECK(two.report().refused(reason::capacity) == 1);
    CHECK(two.report().refused(reason::duplicate) == 1);
}

TEST_CASE("rows of dedup with newest that never forgets are one a key: tables of them are joined", "[op][dedup]") {
    auto const side = [](auto name) {
        return from<event<payment>>(name) | dedup<&payment::id>(unbounded_state{}, by_version);
    };
    auto const p = join(side("left"_name), side("right"_name),
        [](payment const& l, payment const& r) { return l.cents - r.cents; });
    std::vector<event<payment>> const left{paid_at(1_s, 1, 1, "a", 10), paid_at(3_s, 1, 2, "a", 20)};
    std::vector<event<payment>> const right{paid_at(2_s, 1, 1, "b", 1), paid_at(4_s, 1, 0, "b", 2)};
    std::string said;
    auto sink = to([&](auto const& row) { said += std::to_string(row.value) + ' '; },
        [&](auto const&, time_window) { said += "gone "; });
    run(batch{}, p, bind("left"_name, left), bind("right"_name, right), sink);
    CHECK(said == "9 19 ");
    // With a time to live they are not, whatever stands before.
    using forgetting = decltype(payments | dedup<&payment::id>(1_s, by_version));
    using remembering = decltype(payments | dedup<&payment::id>(max_keys{3}, by_version));
    static_assert(!driftless::detail::one_row_a_key<forgetting>());
    static_assert(driftless::detail::one_row_a_key<remembering>());
}

TEST_CASE("dedup with newest leaves a record out whose version throws", "[op][dedup]") {
    auto const version = [](payment const& each) {
        if (each.version < 0) throw std::runtime_error{"no version"};
        return each.version;
    };
    std::vector<payment> const log{{1, 1, "a", 0}, {1, -1, "b", 0}, {1, 2, "c", 0}};
    auto const p = from<payment>() | dedup<&payment::id>(unbounded_state{}, newest(version));
    CHECK_THROWS_AS(run(batch{}, p, log), error);
    auto const rest = run(batch{.on_error = on_error::skip}, p, log);
    CHECK(rest.size() == 1);
    CHECK(rest.report().refused(reason::failed) == 1);
}

TEST_CASE("dedup with newest says what it is", "[op][dedup]") {
    auto const p = payments | dedup<&payment::id>(1_h, by_version);
    CHECK_THAT(explain(p), Catch::Contains("dedup id time_to_live=1h allowed_lateness=0s newest_by=\"version\""));
    static_assert(state_bound<decltype(p)> == state_class::windowed);
    static_assert(!is_order_free<decltype(p)>);
    static_assert(is_replayable<decltype(p)>);
    static_assert(!single_pane<decltype(p)>);
}

TEST_CASE("explore finds no drift in dedup with newest", "[op][dedup]") {
    auto const p = payments | assign_time(bounded_disorder{4_s}) | dedup<&payment::id>(3_s, by_version)
        | key_by<&payment::cents>() | aggregate(count(), unbounded_state{});
    std::vector<event<payment>> log;
    for (std::int64_t i = 0; i < 40; ++i) {
        log.push_back(paid_at(duration{(i * 7 % 20) * 500'000'000}, i % 3, static_cast<std::int32_t>(i * 5 % 7),
            i % 2 == 0 ? "even" : "odd, and longer than any small buffer", i % 4));
    }
    auto const found = testing::explore(p, log, {.scripts = 60});
    INFO(found.sentence);
    CHECK(found.ok);
    CHECK(found.compared > 10);
}
