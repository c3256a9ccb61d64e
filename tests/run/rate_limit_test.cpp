// SPDX-License-Identifier: BSL-1.0
// How fast a stream reads, by a clock that the test moves: never by how fast the machine is.
#include <driftless/run/rate_limit.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/at_most_ahead.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <equivalence/generated.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace rate_limit_test {
using namespace driftless;
using namespace driftless::literals;

struct tick {
    std::int64_t id;
    event_time at;
};
struct note {
    text words;
    event_time at;
};
std::atomic<std::int64_t> now{0};
event_time clock_of_the_test() { return event_time{now.load()}; }
/// Moves on by so much whenever it is asked.
std::atomic<std::int64_t> step{0};
event_time clock_that_walks() { return event_time{now.fetch_add(step.load())}; }

stream on_test_clock(stream mode) {
    now = 0;
    mode.clock = clock_of_the_test;
    return mode;
}
}  // namespace rate_limit_test
BOOST_HANA_ADAPT_STRUCT(rate_limit_test::tick, id, at);
BOOST_HANA_ADAPT_STRUCT(rate_limit_test::note, words, at);

using namespace rate_limit_test;

namespace {
constexpr auto ids = from<tick>() | assign_time<&tick::at>(bounded_disorder{1_s});

/// A job over one log that writes down the ids it has read.
class reader {
    memory_log<tick> log_;
    std::vector<std::int64_t> read_;
    struct sink {
        std::vector<std::int64_t>* into;
        void write_record(tick const& each) { into->push_back(each.id); }
    } sink_{&read_};
    job<stream, std::remove_const_t<decltype(ids)>, memory_log<tick>&, sink&> running_;

public:
    explicit reader(stream mode, std::uint32_t partitions = 1)
        : log_{partitions}, running_{on_test_clock(mode), ids, log_, sink_} {}
    auto& running() { return running_; }
    void append(std::int64_t n, std::uint32_t partition = 0) {
        for (std::int64_t i = 0; i < n; ++i) {
            auto const id = static_cast<std::int64_t>(log_.end_offset(partition));
            log_.append(tick{id, event_time{id * 1'000'000'000}}, partition);
        }
    }
    void append_at(duration at, std::uint32_t partition = 0) {
        log_.append(tick{static_cast<std::int64_t>(log_.end_offset(partition)), event_time{at.ns()}}, partition);
    }
    /// How many records a poll reads at that time.
    std::size_t poll(duration at) {
        now = at.ns();
        return running_.poll();
    }
    [[nodiscard]] std::vector<std::int64_t> const& read() const { return read_; }
};
void refuses(stream mode, std::string_view why) {
    memory_log<tick> log;
    auto const made = try_run(mode, ids, log);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code() == error_code::invalid_argument);
    INFO(made.error().what());
    CHECK(std::string_view{made.error().what()}.find(why) != std::string_view::npos);
}
}  // namespace

TEST_CASE("a rate of 0 or below, no time for it, or a negative burst is an error", "[run][limits]") {
    for (std::int64_t const none : {std::int64_t{0}, std::int64_t{-5}, std::numeric_limits<std::int64_t>::min()}) {
        refuses(stream{.limits = {.records = none}}, "rates above 0");
        refuses(stream{.limits = {.bytes = none}}, "rates above 0");
        refuses(stream{.limits = {.event_time = duration{none}}}, "rates above 0");
        refuses(stream{.partition_limits = {.records = none}}, "rates above 0");
        refuses(stream{.limits = {.records = 1, .per = duration{none}}}, "`per` above 0");
    }
    refuses(stream{.limits = {.records = 1, .burst = duration{-1}}}, "burst >= 0");
    memory_log<tick> log;
    auto const by_function = from<tick>() | assign_time([](tick const& t) { return t.at; }, bounded_disorder{1_s});
    auto const made = try_run(stream{.limits = {.event_time = 1_s}}, by_function, log);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code() == error_code::invalid_argument);
    CHECK(std::string_view{made.error().what()}.find("assign_time<&T::at>") != std::string_view::npos);
    CHECK(try_run(stream{.until = drained, .limits = {.records = 1}}, by_function, log).has_value());
}

TEST_CASE("records per second: a burst at first, then one with each of its intervals", "[run][limits]") {
    reader job{stream{.limits = {.records = 10}}};
    job.append(100);
    CHECK(job.poll(0_s) == 10);
    CHECK(job.poll(0_s) == 0);
    CHECK(job.poll(99'999'999_ns) == 0);
    CHECK(job.poll(100_ms) == 1);
    CHECK(job.poll(199'999'999_ns) == 0);
    CHECK(job.poll(200_ms) == 1);
    CHECK(job.poll(650_ms) == 4);
    CHECK(job.poll(700_ms) == 1);
    CHECK(job.poll(50_s) == 10);  // a pause saves one burst
    CHECK(job.poll(51_s) == 10);
    CHECK(job.running().metrics().held_back == 10);
    CHECK(job.read().size() == 37);
}

TEST_CASE("a rate that the clock does not divide loses nothing and gains nothing", "[run][limits]") {
    reader job{stream{.limits = {.records = 3}}};
    job.append(40);
    std::size_t read = job.poll(0_s);
    CHECK(read == 3);
    for (int i = 1; i <= 1000; ++i) read += job.poll(duration{i * 10'000'001LL});  // 10.000001 s
    CHECK(read == 3 + 30);
}

TEST_CASE("one record in ten seconds is a rate, and a burst of 0 holds one record", "[run][limits]") {
    reader job{stream{.limits = {.records = 1, .per = 10_s, .burst = 0_s}}};
    job.append(5);
    CHECK(job.poll(0_s) == 1);
    CHECK(job.poll(9'999'999'999_ns) == 0);
    CHECK(job.poll(10_s) == 1);
    CHECK(job.poll(60_s) == 1);
}

TEST_CASE("a clock that is set back neither gives nor takes", "[run][limits]") {
    reader job{stream{.limits = {.records = 10, .burst = 0_s}}};
    job.append(50);
    CHECK(job.poll(100_s) == 1);
    CHECK(job.poll(10_s) == 0);
    CHECK(job.poll(10'100_ms) == 1);
    CHECK(job.poll(10'100_ms) == 0);
}

TEST_CASE("a log without records saves up no more than a burst", "[run][limits]") {
    reader job{stream{.limits = {.records = 2, .per = 1_s, .burst = 2_s}}};
    CHECK(job.poll(0_s) == 0);
    CHECK(job.poll(3600_s) == 0);
    CHECK(job.running().metrics().held_back == 0);
    job.append(20);
    CHECK(job.poll(3600_s) == 4);
    CHECK(job.poll(3601_s) == 2);
}

TEST_CASE("a poll reads what it is asked for, and the rest of the tokens stay", "[run][limits]") {
    reader job{stream{.limits = {.records = 10}}};
    job.append(30);
    now = 0;
    CHECK(job.running().poll(3) == 3);
    CHECK(job.running().poll(0) == 0);
    CHECK(job.running().poll(4) == 4);
    CHECK(job.running().poll(10) == 3);
}

TEST_CASE("bytes per second: a record and its text; one beyond the burst goes on credit", "[run][limits]") {
    constexpr auto words = from<note>() | assign_time<&note::at>(bounded_disorder{1_s});
    memory_log<note> log;
    auto const own = static_cast<std::int64_t>(sizeof(note));
    std::string const long_one(static_cast<std::size_t>(5 * own), 'x');
    auto sink = to([](note const&) {});
    job running{on_test_clock(stream{.limits = {.bytes = 4 * own}}), words, log, sink};
    for (int i = 0; i < 3; ++i) log.append(note{"", event_time{i}});
    for (int i = 0; i < 2; ++i) log.append(note{text{long_one}, event_time{3 + i}});
    log.append(note{"1", event_time{5}});
    log.append(note{"", event_time{6}});
    auto const poll = [&](duration at) {
        now = at.ns();
        return running.poll();
    };
    CHECK(poll(0_s) == 3);      // one record's bytes are left of four
    CHECK(poll(749_ms) == 0);   // the long one wants a full bucket
    CHECK(poll(750_ms) == 1);   // and costs six records': two are owed
    CHECK(poll(2249_ms) == 0);
    CHECK(poll(2250_ms) == 1);  // paid, and full again
    CHECK(poll(2750_ms) == 0);  // paid, with nothing left
    CHECK(poll(3000_ms) == 0);  // a record of a letter costs one byte more
    CHECK(poll(3001_ms) == 0);
    CHECK(poll(3050_ms) == 1);
    CHECK(poll(10_s) == 1);
}

TEST_CASE("event time per second: what a record is ahead of the newest one before it", "[run][limits]") {
    reader job{stream{.limits = {.event_time = 60_s}}};
    for (auto const at : {1000_s, 1030_s, 1010_s, 1060_s, 1061_s, 1062_s, 1300_s, 1301_s}) job.append_at(at);
    CHECK(job.poll(0_s) == 4);  // the first for nothing, 60 s ahead, and one behind for nothing
    CHECK(job.poll(16_ms) == 0);
    CHECK(job.poll(17_ms) == 1);
    CHECK(job.poll(34_ms) == 1);
    CHECK(job.poll(1033_ms) == 0);  // 238 s ahead: a full bucket is needed
    CHECK(job.poll(1034_ms) == 1);
    CHECK(job.poll(4016_ms) == 0);  // and 178 s are owed
    CHECK(job.poll(4034_ms) == 1);
}

TEST_CASE("a limit for each partition holds the merge, not the order", "[run][limits]") {
    reader job{stream{.partition_limits = {.records = 2, .burst = 1_s}}, 2};
    for (auto const at : {1_s, 2_s, 3_s, 8_s}) job.append_at(at, 0);
    for (auto const at : {4_s, 5_s, 6_s, 9_s}) job.append_at(at, 1);
    CHECK(job.poll(0_s) == 2);       // the third one of partition 0 comes next: partition 1 waits
    CHECK(job.poll(500_ms) == 3);    // it has saved its burst
    CHECK(job.poll(1_s) == 2);       // 6 s, and 8 s of the other one
    CHECK(job.poll(1_s) == 0);
    CHECK(job.running().explain_stuck().find("partition 0") != std::string::npos);
    CHECK(job.read() == std::vector<std::int64_t>{0, 1, 2, 0, 1, 2, 3});
}

TEST_CASE("both kinds of limits: the stricter one decides, record by record", "[run][limits]") {
    reader job{stream{.limits = {.records = 3, .burst = 1_s}, .partition_limits = {.records = 2, .burst = 1_s}}, 2};
    for (int i = 0; i < 8; ++i) job.append_at(duration{i * 2}, 0);
    for (int i = 0; i < 8; ++i) job.append_at(duration{i * 2 + 1}, 1);
    CHECK(job.poll(0_s) == 3);
    CHECK(job.poll(1_s) == 3);
    CHECK(job.poll(2_s) == 3);
}

TEST_CASE("explain_stuck names the limit that holds the next record, and for how long", "[run][limits]") {
    reader job{stream{.limits = {.records = 1, .per = 10_s}}};
    job.append(30);
    CHECK(job.running().explain_stuck().find("a rate limit") == std::string::npos);
    CHECK(job.poll(0_s) == 1);
    CHECK(job.poll(4_s) == 0);
    INFO(job.running().explain_stuck());
    CHECK(job.running().explain_stuck().find("a rate limit holds the next record for 6s") == 0);
}

TEST_CASE("end_of_log and drained wait by the clock until all has been read", "[run][limits]") {
    memory_log<tick> log{2};
    for (int i = 0; i < 20; ++i) {
        for (std::uint32_t p = 0; p < 2; ++p) log.append(tick{i, event_time{i * 1'000'000'000LL}}, p);
    }
    for (bool const journaled : {false, true}) {
        for (auto const until : {until::end_of_log, until::drained}) {
            memory_log<journal_entry> journal;
            now = 0;
            step = (7_ms).ns();
            stream mode{.until = until, .clock = clock_that_walks, .limits = {.records = 200, .burst = 0_s}};
            if (journaled) mode.journal = journal_in(journal);
            std::size_t read = 0;
            auto const made = run(mode, ids, log, to([&](tick const&) { ++read; }));
            CHECK(read == 40);
            CHECK(made.records == 40);
            CHECK(made.held_back > 0);
        }
    }
}

TEST_CASE("run waits for tokens and still hears stop()", "[run][limits][threads]") {
    reader job{stream{.limits = {.records = 5, .per = 1_h, .burst = 1_h}}};
    job.append(100);
    std::thread runner{[&] { job.running().run(); }};
    while (job.running().metrics().held_back == 0) std::this_thread::yield();
    CHECK(job.running().metrics().records == 5);
    now = (1_h).ns();
    while (job.running().metrics().records < 10) std::this_thread::yield();
    job.running().stop();
    runner.join();  // the clock stands: only stop() can have ended it
    CHECK(job.running().metrics().records == 10);
}

TEST_CASE("with limits a stream says what it says without", "[run][limits][equivalence]") {
    using equivalence::dice;
    constexpr auto per_shop = from<equivalence::sale>() | assign_time<&equivalence::sale::at>(bounded_disorder{2_s})
        | key_by<&equivalence::sale::shop>() | window(tumbling{10_s}, allowed_lateness{5_s})
        | aggregate(count(), sum<&equivalence::sale::cents>());
    equivalence::for_seeds(40, [&](std::uint64_t seed) {
        dice random{seed};
        auto const partitions = 1 + static_cast<std::uint32_t>(random.below(3));
        auto const records =
            equivalence::random_records(random, {.records = random.below(300), .partitions = partitions});
        auto const lines_of = [&](stream mode, bool restarts) {
            memory_log<equivalence::sale> log{partitions};
            equivalence::fill(log, records);
            std::vector<std::string> lines;
            auto sink = to(
                [&](auto const& row) {
                    lines.push_back(row.key.str() + ' ' + std::to_string(row.window.start.ns()) + ' '
                        + std::to_string(std::get<0>(row.value)) + ' ' + std::to_string(std::get<1>(row.value)) + ' '
                        + std::to_string(row.info.index));
                },
                [&](text key, time_window window) {
                    lines.push_back("- " + key.str() + ' ' + std::to_string(window.start.ns()));
                });
            std::string state;
            for (;;) {
                job running{mode, per_shop, log, sink};
                if (!state.empty()) running.restore(state);
                bool ended = true;
                while (running.metrics().records < records.size() && ended) {
                    running.poll(1 + random.below(40));
                    now += static_cast<std::int64_t>(random.below(2'000'000'000));
                    if (partitions > 1 && random.one_in(20)) break;  // one that has ended holds the others
                    if (restarts && random.one_in(4)) ended = false;
                }
                if (!ended) {
                    state = running.snapshot();
                    continue;
                }
                running.drain();
                CHECK(running.metrics().records == records.size());
                return lines;
            }
        };
        auto const expected = lines_of(stream{}, false);
        now = 0;
        step = 300'000'000;
        stream mode{.threads = 1 + static_cast<int>(seed % 2), .clock = clock_that_walks};
        if (!random.one_in(4)) mode.limits.records = 1 + static_cast<std::int64_t>(random.below(200));
        if (random.one_in(2)) mode.limits.bytes = 1 + static_cast<std::int64_t>(random.below(20'000));
        if (random.one_in(2)) mode.limits.event_time = duration{random.between(1'000'000'000, 100'000'000'000)};
        if (random.one_in(2)) mode.partition_limits.records = 1 + static_cast<std::int64_t>(random.below(100));
        if (random.one_in(3)) mode.limits.burst = 0_s;
        CHECK(lines_of(mode, true) == expected);
    });
}
