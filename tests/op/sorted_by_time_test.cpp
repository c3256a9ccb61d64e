// SPDX-License-Identifier: BSL-1.0
#include <driftless/op/sorted_by_time.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/testing/script.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play, testing::watermark;

namespace sorted_test {
struct word {
    text said;
    int who;
    event_time at;
};
struct silent {
    int n;
    event_time at;
};
}  // namespace sorted_test
BOOST_HANA_ADAPT_STRUCT(sorted_test::word, said, who, at);
using sorted_test::silent;
using sorted_test::word;

namespace {
using sorting = decltype(sorted_by_time());
static_assert(operator_on<sorting, event<int>>);
static_assert(!operator_on<sorting, int>);            // no event time
static_assert(!operator_on<sorting, event<silent>>);  // no codec

constexpr auto sorted = from<event<int>>() | sorted_by_time();
constexpr auto patient = from<event<int>>() | late_to("late"_name) | sorted_by_time(allowed_lateness{5_s});
static_assert(state_bound<decltype(sorted)> == state_class::windowed);
static_assert(!is_order_free<decltype(sorted | aggregate(count()))>);

using ints = std::vector<int>;
}  // namespace

TEST_CASE("sorted_by_time refuses a lateness below 0 when the job starts", "[op][sorted_by_time]") {
    CHECK_THROWS_AS(play(from<event<int>>() | sorted_by_time(allowed_lateness{duration{-1}})), error);
}

TEST_CASE("sorted_by_time hands a record on once the watermark is past it, and no sooner", "[op][sorted_by_time]") {
    auto const out = play(sorted, event{3, at(3_s)}, event{1, at(1_s)}, event{2, at(2_s)}, watermark(at(2_s)),
        watermark(at(2_s + 1_ns)), testing::end_of_input{});
    CHECK(out.values_at(3) == ints{1});
    CHECK(out.values_at(4) == ints{2});
    CHECK(out.values_at(5) == ints{3});
}

TEST_CASE("sorted_by_time keeps records of one time in the order of the input", "[op][sorted_by_time]") {
    auto const out = play(sorted, event{5, at(1_s)}, event{9, at(0_s)}, event{4, at(1_s)},
        testing::snapshot_and_restore{}, event{6, at(1_s)}, event{3, at(1_s)}, testing::end_of_input{});
    CHECK(out.records == ints{9, 5, 4, 6, 3});
}

TEST_CASE("sorted_by_time refuses what the watermark less the lateness has passed", "[op][sorted_by_time]") {
    std::vector<int> late;
    auto sink = to([&](int n) { late.push_back(n); });
    auto output = bind("late"_name, sink);
    testing::script<int> steps;
    steps.add(event{1, at(1_s)});
    steps.add(watermark(at(10_s)));
    steps.add(event{2, at(5_s)});         // t = W - L: in time
    steps.add(event{3, at(5_s - 1_ns)});  // late
    steps.add(event{4, at(7_s)});
    steps.add(watermark(at(12_s)));  // 5 s is past, 7 s is not
    steps.add(watermark(at(12_s + 1_ns)));
    auto const out = testing::play_script(patient, steps, output);
    CHECK(out.values_at(1) == ints{1});
    CHECK(out.values_at(5) == ints{2});
    CHECK(out.values_at(6) == ints{4});
    CHECK(late == ints{3});
    CHECK(out.refused(reason::late) == 1);
    auto const* const books = out.report.stage("sorted_by_time");
    REQUIRE(books != nullptr);
    CHECK(books->applied == 3);
    CHECK(books->in() == 4);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("sorted_by_time takes the ends of time", "[op][sorted_by_time]") {
    auto const first = event{1, event_time{std::numeric_limits<std::int64_t>::min() + 1}};
    auto const last = event{2, event_time{std::numeric_limits<std::int64_t>::max() - 1}};
    auto const out = play(from<event<int>>() | sorted_by_time(allowed_lateness{5_s}), last, first, watermark(at(0_s)),
        watermark(last.at), testing::end_of_input{});
    CHECK(out.values_at(2) == ints{1});
    CHECK(out.values_at(4) == ints{2});

    struct forever {
        int n;
        event_time at;
    };
    std::vector<forever> const rows{{1, event_time::max()}, {2, event_time::min()}, {3, at(1_s)}};
    std::vector<int> got;
    auto sink = to([&](int n) { got.push_back(n); });
    static_cast<void>(run(batch{},
        from<forever>() | map([](forever const& f) { return event<int>{f.n, f.at}; })
            | assign_time<&event<int>::at>() | sorted_by_time() | map([](event<int> const& e) { return e.value; }),
        rows, sink));
    CHECK(got == ints{2, 3, 1});
}

TEST_CASE("nothing is late behind sorted_by_time, whatever follows", "[op][sorted_by_time]") {
    // Without allowed lateness of its own, a window would refuse the second record.
    auto const pipe = from<event<int>>() | sorted_by_time(allowed_lateness{10_s}) | window(tumbling{10_s})
        | aggregate(fold(std::string{}, [](std::string so_far, int n) { return so_far + std::to_string(n); }));
    auto const out = play(pipe, event{2, at(8_s)}, watermark(at(12_s)), event{1, at(3_s)}, watermark(at(20_s)),
        event{3, at(10_s)}, testing::end_of_input{});
    REQUIRE(out.panes.size() == 2);
    CHECK(out.panes_at(3).size() == 1);  // the watermark behind it is 10 s
    CHECK(out.records == std::vector<std::string>{"12", "3"});
    CHECK(out.refused(reason::late) == 0);
}

TEST_CASE("sorted_by_time keeps text and keys alive, and lets go of them", "[op][sorted_by_time]") {
    auto const pipe = from<event<word>>() | key_by<&word::said>() | sorted_by_time();
    testing::script<word> steps;
    std::vector<std::string> said;
    said.reserve(3000);  // the steps borrow
    for (int n = 0; n < 3000; ++n) {
        said.push_back(std::string(static_cast<std::size_t>(n % 90), 'x') + std::to_string(n));
        // Two at a time change places.
        steps.add(event{word{text{said.back()}, n, {}}, event_time{n ^ 1}});
        if (n % 100 == 99) steps.add(watermark(event_time{n - 20}));
        if (n % 500 == 7) steps.add(testing::snapshot_and_restore{});
    }
    steps.add(testing::end_of_input{});
    auto const out = testing::play_script(pipe, steps);
    REQUIRE(out.panes.size() == 3000);
    bool right = true;
    for (int n = 0; n < 3000; ++n) {
        auto const& row = out.panes[static_cast<std::size_t>(n)];
        auto const& want = said[static_cast<std::size_t>(n ^ 1)];
        right = right && row.key == want && row.value.who == (n ^ 1);
    }
    CHECK(right);
    CHECK(out.report.state_bytes == 0);
}

TEST_CASE("S-14: a running join over records sorted by time", "[op][sorted_by_time][cases]") {
    struct joined {
        std::string operator()(std::string const& so_far, int n) const {
            return so_far.empty() ? std::to_string(n) : so_far + ":" + std::to_string(n);
        }
    };
    auto const pipe = from<event<int>>() | sorted_by_time() | window(global{}, every(1))
        | aggregate(fold(std::string{}, joined{}));
    auto const out =
        play(pipe, event{1, at(2_s)}, event{2, at(1_s)}, event{3, at(0_s)}, testing::end_of_input{});
    std::vector<std::string> const want{"3", "3:2", "3:2:1"};
    REQUIRE(out.records.size() >= 3);
    CHECK(std::vector<std::string>{out.records.begin(), out.records.begin() + 3} == want);

    std::vector<std::string> batched;
    auto sink = to([&](pane<unkeyed, std::string> const& row) { batched.push_back(row.value); },
        [](unkeyed, time_window) {});
    static_cast<void>(
        run(batch{}, pipe, std::vector{event{1, at(2_s)}, event{2, at(1_s)}, event{3, at(0_s)}}, sink));
    REQUIRE(batched.size() >= 3);
    CHECK(std::vector<std::string>{batched.begin(), batched.begin() + 3} == want);
}

TEST_CASE("sorted_by_time says its lateness in plans", "[op][sorted_by_time]") {
    CHECK(explain(patient).find("sorted_by_time allowed_lateness=5s") != std::string::npos);
}
