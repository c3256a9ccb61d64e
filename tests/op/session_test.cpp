// SPDX-License-Identifier: BSL-1.0
// Aggregates over sessions: what is refused and counted, what is kept, and what further aggregates see of it.
#include <driftless/op/aggregate.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace session_tests {
struct hit {
    driftless::text user;
    std::int64_t value;
    driftless::duration gap;
    driftless::event_time at;
};
}  // namespace session_tests
BOOST_HANA_ADAPT_STRUCT(session_tests::hit, user, value, gap, at);

using namespace driftless;
using namespace driftless::literals;
using session_tests::hit;
using testing::at;
using testing::watermark;

namespace {
event<hit> hit_at(std::int64_t time, std::int64_t value = 1, char const* user = "ann", std::int64_t gap = 10) {
    event_time const when{time};
    return {hit{text{user}, value, duration{gap}, when}, when};
}
template <class... Parameters>
auto per_user(auto sessions, Parameters... parameters) {
    return from<event<hit>>() | key_by<&hit::user>() | window(sessions) | aggregate(parameters...);
}
/// Plays a log under an error policy, the watermark right behind the newest record.
template <class P>
auto skipping(P const& pipeline, std::vector<hit> const& hits, report& books) {
    memory_log<hit> log;
    for (auto const& each : hits) log.append(each);
    auto rows = run(stream{.on_error = on_error::skip, .until = drained}, pipeline, log);
    books = rows.report();
    return rows;
}

using counted = decltype(from<event<hit>>() | key_by<&hit::user>() | window(session{10_ns}) | aggregate(count()));
static_assert(!single_pane<counted>);
static_assert(state_bound<counted> == state_class::windowed);
static_assert(is_order_free<counted>);
static_assert(is_replayable<counted>);
}  // namespace

TEST_CASE("a session needs a gap above 0", "[op][session]") {
    CHECK_THROWS_AS(testing::play(per_user(session{0_ns}, count()), hit_at(1)), error);
    CHECK_THROWS_AS(testing::play(per_user(session(&hit::gap, 0_ns), count()), hit_at(1)), error);
}

TEST_CASE("a record whose own gap is out of range fails, and is counted", "[op][session]") {
    auto const pipeline = from<hit>() | assign_time<&hit::at>(bounded_disorder{100_ns}) | key_by<&hit::user>()
        | window(session(&hit::gap, 20_ns)) | aggregate(count());
    std::vector<hit> const hits{{"ann", 1, 20_ns, at(0_ns)}, {"ann", 1, 21_ns, at(5_ns)}, {"ann", 1, 0_ns, at(6_ns)},
        {"ann", 1, 1_ns, at(19_ns)}};
    report books;
    auto const rows = skipping(pipeline, hits, books);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].window == time_window{at(0_ns), at(20_ns)});
    CHECK(rows[0].value == 2);
    CHECK(books.refused(reason::failed) == 2);
    CHECK(books.stage("aggregate")->in() == 4);
    memory_log<hit> log;
    log.append(hits[1]);
    CHECK_THROWS_AS(run(batch{}, pipeline, log), error);
}

TEST_CASE("a function that throws leaves sessions apart, and without the record", "[op][session]") {
    auto const careful = [](std::int64_t sum, hit const& h) {
        if (h.value == 13) throw std::runtime_error{"13"};
        return sum + h.value;
    };
    auto const pipeline = from<hit>() | assign_time<&hit::at>(bounded_disorder{100_ns}) | key_by<&hit::user>()
        | window(session{10_ns}) | aggregate(fold(std::int64_t{0}, careful));
    report books;
    auto const rows = skipping(pipeline,
        {{"ann", 1, {}, at(0_ns)}, {"ann", 2, {}, at(15_ns)}, {"ann", 13, {}, at(8_ns)}, {"bob", 13, {}, at(8_ns)}},
        books);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].value == 1);
    CHECK(rows[1].value == 2);
    CHECK(books.refused(reason::failed) == 2);
    CHECK(books.stage("aggregate")->in() == 4);
}

TEST_CASE("max_keys counts sessions: one that merges makes room", "[op][session]") {
    auto const run = testing::play(per_user(session{10_ns}, count(), max_keys{2}), hit_at(0), hit_at(15),
        hit_at(40),  // one too many
        hit_at(8),   // 0 and 15 become one
        hit_at(41), testing::end_of_input{});
    CHECK(run.refused(reason::capacity) == 1);
    REQUIRE(run.records.size() == 2);
    CHECK(run.records[0] == 3);
    CHECK(run.records[1] == 1);
}

TEST_CASE("a merged session counts its panes on from the part that has most", "[op][session]") {
    auto const pipeline = from<event<hit>>() | key_by<&hit::user>()
        | window(session{10_ns}, allowed_lateness{1000_ns}) | aggregate(count());
    auto const run = testing::play(pipeline, hit_at(0), hit_at(15), watermark{at(50_ns)}, hit_at(0), hit_at(0),
        hit_at(8));
    REQUIRE(run.panes.size() == 5);
    CHECK(run.panes[3].info.index == 2);
    CHECK(run.panes[4].info == pane_info{timing::late, 3, 3, false, false});
    CHECK(run.panes[4].window == time_window{at(0_ns), at(25_ns)});
    CHECK(run.panes[4].value == 5);
    REQUIRE(run.removed.size() == 2);
    CHECK(run.removed[0].second == time_window{at(0_ns), at(10_ns)});
    CHECK(run.removed[1].second == time_window{at(15_ns), at(25_ns)});
}

TEST_CASE("a session that has not fired is not deleted when it merges", "[op][session]") {
    auto const run = testing::play(per_user(session{10_ns}, count()), hit_at(0), hit_at(15), watermark{at(9_ns)},
        hit_at(8), testing::end_of_input{});
    CHECK(run.removed.empty());
    REQUIRE(run.panes.size() == 1);
    CHECK(run.panes[0].info == pane_info{});
}

TEST_CASE("a session stays until no record can reach it, then its bytes go", "[op][session]") {
    auto const bytes_after = [](std::int64_t to) {
        return testing::play(per_user(session{10_ns}, count(), fold(std::int64_t{0}, [](std::int64_t n, hit const&) {
            return n + 1;
        })),
            hit_at(0), watermark{event_time{to}})
            .report.state_bytes;
    };
    CHECK(bytes_after(19) > 0);  // a record at 9 is accepted until the watermark is 19, and reaches [0, 10)
    CHECK(bytes_after(20) == 0);
}

TEST_CASE("keys that come and go leave nothing behind", "[op][session]") {
    auto const pipeline =
        from<hit>() | assign_time<&hit::at>() | key_by<&hit::user>() | window(session{10_ns}) | aggregate(count());
    memory_log<hit> log;
    std::vector<std::string> users;
    for (int i = 0; i < 200'000; ++i) users.push_back("a user with a long name, number " + std::to_string(i));
    for (std::int64_t i = 0; i < 200'000; ++i)
        log.append(hit{text{users[static_cast<std::size_t>(i)]}, 1, {}, event_time{i}});
    job open{stream{}, pipeline, log, to([](auto const&) {}, [](auto const&, time_window) {})};
    open.poll();
    CHECK(open.metrics().state_bytes < 1'000'000);  // some 20 sessions are open; all texts would be 9 MB
    open.drain();
    CHECK(open.metrics().state_bytes == 0);
}

TEST_CASE("a second aggregate follows sessions that merge", "[op][session]") {
    // How many sessions there are in the very same window, over all users: rows are taken back and come again.
    auto const pipeline = from<event<hit>>() | key_by<&hit::user>() | window(session{10_ns}) | aggregate(count())
        | key_by([](auto const&) { return std::int64_t{0}; })
        | aggregate(count(), sum([](auto const& p) { return p.value; }));
    auto const run = testing::play(pipeline, hit_at(0), hit_at(0, 1, "bob"), watermark{at(10_ns)},
        hit_at(8),  // ann's session is another one now
        testing::end_of_input{});
    REQUIRE(run.panes.size() == 3);
    CHECK(std::get<0>(run.panes[0].value) == 2);
    CHECK(run.panes[1].window == time_window{at(0_ns), at(10_ns)});
    CHECK(run.panes[1].value == std::tuple{std::int64_t{1}, std::int64_t{1}});
    CHECK(run.panes[2].window == time_window{at(0_ns), at(18_ns)});
    CHECK(run.panes[2].value == std::tuple{std::int64_t{1}, std::int64_t{2}});
    CHECK(run.removed.empty());
    CHECK(run.report.state_bytes == 0);
}
