// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/as_inserts.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/table.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/script.hpp>
#include <op/said.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play;

namespace inserts {
struct vote {
    int voter;
    int party;
    event_time at;
};
}  // namespace inserts
BOOST_HANA_ADAPT_STRUCT(inserts::vote, voter, party, at);

namespace {
using inserts::vote;
using windowed = decltype(from<event<int>>() | window(tumbling{1_s}));
auto const counted = from<event<int>>() | as_inserts() | aggregate(count(), unbounded_state{});
}  // namespace

static_assert(operator_on<as_inserts_op, int>);
static_assert(operator_on<as_inserts_op, event<int>>);
static_assert(!operator_on<as_inserts_op, output_of<windowed>>);
static_assert(!operator_on<as_inserts_op, output_of<decltype(counted)>>);

TEST_CASE("aggregates behind as_inserts answer every record", "[op][as_inserts]") {
    auto const run = play(counted, event{7, at(5_s)}, event{7, at(2_s)}, testing::end_of_input{});
    CHECK(run.records == std::vector<std::int64_t>{1, 2});
    CHECK(run.panes[1].info == pane_info{timing::early, 1, -1, false, false});
    CHECK(run.values_at(2).empty());
}

TEST_CASE("a row that leaves one group for another: the old group first, and a full table takes the new one",
    "[op][as_inserts]") {
    auto const votes = from<vote>() | assign_time<&vote::at>() | key_by<&vote::voter>() | table(max_keys{2})
        | key_by<&vote::party>() | aggregate(count(), max_keys{1});
    auto const cast = [](int voter, int party, std::int64_t s) {
        return event{vote{voter, party, at(duration{s * 1'000'000'000})}, at(duration{s * 1'000'000'000})};
    };
    auto const run = play(votes, cast(1, 10, 1), cast(1, 20, 2), cast(1, 20, 3), cast(2, 30, 4));
    // Party 10 has gone before 20 comes: one party at any time. Voter 1 says the same again; 30 is one too many.
    CHECK(run.calls == std::vector{testing::told::write, testing::told::remove, testing::told::write});
    CHECK(run.panes[1].key == 20);
    CHECK(run.values_at(2).empty());
    CHECK(run.refused(reason::capacity, 3) == 1);
}

TEST_CASE("what a record has changed goes on before the watermark that it causes", "[op][as_inserts]") {
    std::string heard;
    auto const p = from<vote>() | assign_time<&vote::at>() | as_inserts() | aggregate(count(), unbounded_state{})
        | said::listener{heard};
    std::vector<vote> const votes{{1, 1, event_time{5}}, {2, 1, event_time{9}}};
    auto sink = to([](auto const&) {}, [](auto const&, time_window) {});
    run(stream{.until = end_of_log}, p, votes, sink);
    CHECK(heard == "change wm 5 change wm 9");
}
