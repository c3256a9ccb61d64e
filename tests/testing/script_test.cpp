// SPDX-License-Identifier: BSL-1.0
#include <driftless/testing/script.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/fold.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::at, testing::play;

namespace {
using script = testing::script<int>;
using testing::active, testing::clock_at, testing::end_of_input, testing::end_of_partition, testing::idle;
using testing::from_partition, testing::pause_of_input, testing::snapshot_and_restore, testing::watermark;

auto counts(duration lateness = {}) {
    return from<event<int>>() | window(tumbling{10_s}, allowed_lateness{lateness}) | aggregate(count());
}

/// Notes the clock moves and the changes of idleness that reach it, and hands everything on.
std::vector<std::string> heard;
template <class Next>
class listening_stage : public forwarding<Next> {
public:
    using forwarding<Next>::forwarding;
    void on_clock(event_time now) {
        heard.push_back("clock " + std::to_string(now.ns()));
        this->next_.on_clock(now);
    }
    void on_idle(bool is_idle) {
        heard.emplace_back(is_idle ? "idle" : "active");
        this->next_.on_idle(is_idle);
    }
};
struct listening : operator_base<listening> {
    static constexpr std::string_view kind = "listening";
    static constexpr bool keeps_record = true;
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {}
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return listening_stage<Next>{std::move(next)};
    }
};
}  // namespace

TEST_CASE("P-07: a watermark that goes back is refused when the script is built", "[testing][script]") {
    CHECK_THROWS_AS(script(watermark(at(0_s)), watermark(at(-1_ns))), error);
    CHECK_THROWS_AS(script(watermark(at(5_s)).of(1), watermark(at(4_s)).of(1)), error);
    CHECK_THROWS_AS(script(watermark(at(5_s)).of(1), watermark(at(4_s))), error);
    CHECK_THROWS_AS(script(watermark(at(5_s)), watermark(at(4_s)).of(3)), error);
    CHECK_NOTHROW(script(watermark(at(5_s)), watermark(at(5_s))));
    CHECK_NOTHROW(script(watermark(at(5_s)).of(1), watermark(at(4_s)).of(0)));
}

TEST_CASE("P-07: a watermark +inf and a record at +inf are refused", "[testing][script]") {
    CHECK_THROWS_AS(script(watermark(event_time::max())), error);
    CHECK_THROWS_AS(script(event{1, event_time::max()}), error);
    CHECK_THROWS_AS(script(event{1, event_time::min()}), error);
}

TEST_CASE("what an idle or ended partition says, a clock that goes back and steps after the end are refused",
    "[testing][script]") {
    CHECK_THROWS_AS(script(idle{1}, from_partition{1, event{1, at(0_s)}}), error);
    CHECK_THROWS_AS(script(idle{1}, watermark(at(0_s)).of(1)), error);
    CHECK_NOTHROW(script(idle{1}, active{1}, from_partition{1, event{1, at(0_s)}}));
    CHECK_THROWS_AS(script(end_of_partition{1}, active{1}), error);
    CHECK_THROWS_AS(script(end_of_partition{}, event{1, at(0_s)}), error);
    CHECK_THROWS_AS(script(clock_at(at(2_s)), clock_at(at(1_s))), error);
    CHECK_THROWS_AS(script(clock_at(event_time::max())), error);
    CHECK_THROWS_AS(script(end_of_input{}, pause_of_input{}), error);
    CHECK_THROWS_AS(script(idle{4000}), error);
}

TEST_CASE("a script can be listed, and shrunk to one that can be", "[testing][script]") {
    script const steps(from_partition{1, event{7, at(1_ns)}}, idle{1}, active{1}, watermark(at(5_ns)).of(1),
        pause_of_input{});
    CHECK(steps.partitions() == 2);
    CHECK(steps.str() ==
        "record 7 at 1, partition 1\nidle, partition 1\nactive, partition 1\n"
        "watermark 5, partition 1\npause_of_input\n");
    CHECK_FALSE(steps.without(2).has_value());  // the watermark would come from an idle partition
    REQUIRE(steps.without(0).has_value());
    CHECK(steps.without(0)->steps().size() == 4);
}

TEST_CASE("panes and refusals are known by step", "[testing][script]") {
    auto const out = play(counts(5_s), event{1, at(1_s)}, event{2, at(12_s)}, watermark(at(10_s)), event{3, at(2_s)},
        watermark(at(15_s)), event{4, at(3_s)}, pause_of_input{}, end_of_input{});
    CHECK(out.steps.size() == 8);
    CHECK(out.panes_at(0).empty());
    CHECK(out.values_at(2) == std::vector<std::int64_t>{1});
    CHECK(out.values_at(3) == std::vector<std::int64_t>{2});
    CHECK(out.panes_at(3).at(0).info.timing == timing::late);
    CHECK(out.steps_that_refused(reason::late) == std::vector<std::size_t>{5});
    CHECK(out.refused(reason::late, 5) == 1);
    CHECK(out.panes_at(6).empty());  // a pause flushes nothing
    CHECK(out.values_at(7) == std::vector<std::int64_t>{1});
    CHECK(out.steps.at(4).watermark == at(15_s));
    CHECK(out.steps.at(7).watermark == event_time::max());
    CHECK(out.panes_of(timing::on_time).size() == 2);
    CHECK(out.panes_of(timing::late).size() == 1);
}

TEST_CASE("a slow partition holds the watermark, an idle or ended one does not", "[testing][script]") {
    auto const out = play(counts(), from_partition{1, event{1, at(1_s)}}, watermark(at(10_s)).of(0),
        watermark(at(3_s)).of(1), idle{1}, active{1}, watermark(at(20_s)).of(0), watermark(at(12_s)).of(1),
        end_of_partition{1});
    CHECK(out.panes_at(1).empty());
    CHECK(out.steps.at(2).watermark == at(3_s));
    CHECK(out.values_at(3).size() == 1);
    CHECK(out.steps.at(5).watermark == at(20_s));  // unaligned: partition 1 is at 3 s
    CHECK(out.steps.at(6).watermark == at(20_s));
    CHECK(out.steps.at(7).watermark == at(20_s));
}

TEST_CASE("stages hear of clock moves, and when the last partition goes idle", "[testing][script]") {
    heard.clear();
    play(from<event<int>>() | listening{}, clock_at(at(1_ns)), idle{0}, from_partition{1, event{1, at(0_s)}}, idle{1},
        snapshot_and_restore{}, clock_at(at(2_ns)), active{0});
    CHECK(heard == std::vector<std::string>{"clock 1", "idle", "idle", "clock 2", "active"});
}

namespace script_test {
struct sale {
    std::int32_t item;
    std::int64_t cents;
    event_time at;
};
/// Everything, with the step that brought it.
std::vector<std::string> all_calls(auto const& out) {
    std::vector<std::string> lines;
    out.each_call([&](std::size_t step, testing::told what, auto const& row) {
        constexpr char const* names[] = {" write ", " remove ", " retract "};
        auto line = std::to_string(step) + names[static_cast<std::size_t>(what)];
        line += std::to_string(row.window.start.ns());
        if (what != testing::told::remove) line += " = " + std::to_string(row.value);
        lines.push_back(line);
    });
    return lines;
}
/// Adds up, and forgets a part of it when it is saved.
struct forgetful {
    static constexpr std::string_view kind = "forgetful";
    static constexpr combine_class combines = combine_class::exact;
    struct state {
        std::int64_t sum = 0;
        void save(byte_writer& out) const { out.write(sum / 2); }
        void load(byte_reader& in) { sum = in.read<std::int64_t>(); }
    };
    state init() const { return {}; }
    state lift(std::int64_t n) const { return {n}; }
    void combine(state& a, state const& b) const { a.sum += b.sum; }
    std::int64_t lower(state const& s) const { return s.sum; }
};
}  // namespace script_test
BOOST_HANA_ADAPT_STRUCT(script_test::sale, item, cents, at);
using namespace script_test;

TEST_CASE("writes, removals and retractions are known in their order", "[testing][script]") {
    auto const sessions = from<event<int>>() | window(session{5_ns}) | aggregate(count());
    auto const merged = play(sessions, event{1, at(1_ns)}, watermark(at(7_ns)), event{1, at(8_ns)}, event{1, at(5_ns)},
        end_of_input{});
    CHECK(all_calls(merged) == std::vector<std::string>{"1 write 1 = 1", "3 remove 1", "4 write 1 = 3"});
    CHECK(merged.removed.size() == 1);
    auto const panes = from<event<int>>() | window(tumbling{5_ns}, every(1), retracting{}) | aggregate(count());
    CHECK(all_calls(play(panes, event{1, at(1_ns)}, event{1, at(2_ns)}))
        == std::vector<std::string>{"0 write 0 = 1", "1 retract 0 = 1", "1 write 0 = 2"});
}

TEST_CASE("a script says the same on several threads, restored after each step, and with rare pauses",
    "[testing][script]") {
    auto const pipeline = from<event<sale>>() | key_by<&sale::item>()
        | window(tumbling{10_s}, at_watermark().early(every(3)), allowed_lateness{5_s})
        | aggregate(sum<&sale::cents>());
    testing::script<sale> steps;
    std::mt19937 random{3};
    std::int64_t second = 0;
    for (int i = 0; i < 200; ++i) {
        auto const time = at(duration{(second + static_cast<std::int64_t>(random() % 20)) * 1'000'000'000});
        steps.add(event{sale{static_cast<std::int32_t>(random() % 7), i, time}, time});
        if (i % 9 == 0) steps.add(watermark(at(duration{second++ * 1'000'000'000})));
    }
    steps.add(end_of_input{});
    auto const once = testing::play_script(pipeline, steps);
    CHECK(once.refused(reason::late) == 0);
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            for (std::size_t const chunk : {1u, 7u, 1000u}) {
                testing::play_mode const mode{.threads = threads, .restoring = restoring, .chunk = chunk};
                auto const other = testing::play_script(mode, pipeline, steps);
                CHECK(other.records == once.records);
                CHECK(other.changed_by_restore == 0);
                CHECK(other.report.stage("aggregate")->applied == 200);
                if (chunk == 1) CHECK(all_calls(other) == all_calls(once));
            }
        }
    }
}

TEST_CASE("with several threads, shards do the work", "[testing][script]") {
    static auto const here = std::this_thread::get_id();
    auto const elsewhere = [](std::int64_t n, std::int32_t) {
        return n + (std::this_thread::get_id() != here ? 1 : 0);
    };
    auto const pipeline = from<event<std::int32_t>>() | key_by([](std::int32_t n) { return n; })
        | window(tumbling{10_s}) | aggregate(fold(std::int64_t{0}, elsewhere));
    CHECK(play(pipeline, event{1, at(1_s)}, end_of_input{}).records == std::vector<std::int64_t>{0});
    CHECK(play(testing::play_mode{.threads = 2}, pipeline, event{1, at(1_s)}, end_of_input{}).records
        == std::vector<std::int64_t>{1});
}

TEST_CASE("a state that is another one after a restore is noticed", "[testing][script]") {
    auto const pipeline =
        from<event<std::int64_t>>() | window(tumbling{10_s}) | aggregate(forgetful{});
    event const eight{std::int64_t{8}, at(1_s)};
    CHECK(play(pipeline, eight, snapshot_and_restore{}).changed_by_restore == 1);
    CHECK(play(testing::play_mode{.restoring = true}, pipeline, eight, end_of_input{}).records.at(0) == 4);
    CHECK(play(pipeline, eight, end_of_input{}).records.at(0) == 8);
}

TEST_CASE("a pipeline that assigns times is played by the values of the events", "[testing][script]") {
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | window(tumbling{10_s})
        | aggregate(sum<&sale::cents>());
    auto const sold = [](std::int64_t cents, duration time) { return event{sale{1, cents, at(time)}, at(time)}; };
    auto const out = play(pipeline, sold(1, 1_s), sold(2, 11_s), sold(4, 9_s), sold(8, 12_s), sold(16, 3_s));
    CHECK(out.values_at(3) == std::vector<std::int64_t>{5});
    CHECK(out.steps_that_refused(reason::late) == std::vector<std::size_t>{4});
    CHECK_THROWS_AS(play(pipeline, event{sale{1, 1, at(1_s)}, at(2_s)}), error);
}

TEST_CASE("snapshot and restore after every step changes no step", "[testing][script]") {
    std::mt19937 random{11};
    for (int round = 0; round < 100; ++round) {
        script plain;
        script restored;
        std::int64_t said = 0;
        auto const add = [&](testing::detail::step<int> const& next) {
            plain.add(next);
            restored.add(next);
            restored.add(snapshot_and_restore{});
        };
        for (int i = 0; i < 30; ++i) {
            auto const what = random() % 10;
            if (what < 7) {
                auto const time = event_time{static_cast<std::int64_t>(random() % 60) * 1'000'000'000};
                add(from_partition{static_cast<std::uint32_t>(random() % 3), event{i, time}});
            } else if (what < 9) {
                said += static_cast<std::int64_t>(random() % 8) * 1'000'000'000;
                add(watermark(event_time{said}));
            } else {
                add(pause_of_input{});
            }
        }
        auto const one = testing::play_script(counts(3_s), plain);
        auto const two = testing::play_script(counts(3_s), restored);
        for (std::size_t i = 0; i < one.steps.size(); ++i) {
            REQUIRE(one.values_at(i) == two.values_at(2 * i));
            REQUIRE(one.refused(reason::late, i) == two.refused(reason::late, 2 * i));
            REQUIRE(one.steps[i].watermark == two.steps[2 * i].watermark);
            REQUIRE(two.panes_at(2 * i + 1).empty());
        }
    }
}
