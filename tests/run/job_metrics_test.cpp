// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job_metrics.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/op.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/memory_files.hpp>

#include <support/prometheus_reader.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using support::prometheus_reader;

namespace job_metrics_test {
struct hit {
    std::int64_t page;
    std::int64_t value;
    dl::event_time at;
};
}  // namespace job_metrics_test
BOOST_HANA_ADAPT_STRUCT(job_metrics_test::hit, page, value, at);

namespace {
using job_metrics_test::hit;
using labels = std::map<std::string, std::string>;

dl::event_time at(std::int64_t ms) { return dl::event_time{} + ms * 1_ms; }

/// Records out of order by up to 30 s, some pages hot.
std::vector<hit> hits(std::uint32_t seed, std::int64_t n) {
    std::mt19937 random{seed};
    std::vector<hit> out;
    for (std::int64_t i = 0; i < n; ++i) {
        bool const late = random() % 50 == 0;
        auto const back = static_cast<std::int64_t>(random() % (late ? 30'000 : 900));
        out.push_back({static_cast<std::int64_t>(random() % 20), i, at(100'000 + i * 7 - back)});
    }
    return out;
}

constexpr auto per_page = dl::from<hit>()
    | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s})
    | dl::expect("positive"_name, [](hit const& h) { return h.value % 7 != 0; })
    | dl::key_by<&hit::page>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count()).id("per page"_name);

/// What one partition brings, by plain loops: the watermark is told to the windows when it reaches the next end.
struct oracle {
    std::uint64_t applied = 0;
    std::uint64_t late = 0;
    std::uint64_t violations = 0;
    dl::time_histogram late_by;
    std::set<std::pair<std::int64_t, std::int64_t>> rows;  // (window, page)
    dl::event_time newest = dl::event_time::min();

    explicit oracle(std::vector<hit> const& in) {
        auto told = dl::event_time::min();
        auto const window_of = [](dl::event_time t) { return t.ns() / (10_s).ns(); };
        for (auto const& each : in) {
            violations += each.value % 7 == 0;
            auto const window = window_of(each.at);
            auto const end = dl::event_time{(window + 1) * (10_s).ns()};
            if (told >= end) {
                ++late;
                late_by.add(told - each.at);
            } else {
                ++applied;
                rows.insert({window, each.page});
            }
            if (each.at > newest) newest = each.at;
            auto const watermark = newest - 1_s;
            bool const first = told == dl::event_time::min();
            if (first || window_of(watermark) > window_of(told)) told = watermark;
        }
    }
};

void check_stage(prometheus_reader const& read, oracle const& expected, bool exact) {
    labels const aggregate{{"operator", "aggregate"}};
    auto const of = [&](char const* name, labels more = {}) {
        more.insert(aggregate.begin(), aggregate.end());
        return read.value(name, more);
    };
    auto const late = static_cast<double>(exact ? 0 : expected.late);
    auto const all = static_cast<double>(expected.applied + expected.late);
    CHECK(of("driftless_operator_records_in_total") == all);
    CHECK(of("driftless_operator_applied_total") == all - late);
    CHECK(of("driftless_refused_total", {{"reason", "late"}}) == late);
    CHECK(of("driftless_late_by_seconds_count") == late);
    CHECK(of("driftless_operator_rows_out_total", {{"id", "per page"}}) > 0);
    CHECK(read.value("driftless_violations_total", {{"operator", "expect"}, {"id", "positive"}})
        == static_cast<double>(expected.violations));
    CHECK(of("driftless_violations_total") == 0);
}
}  // namespace

TEST_CASE("the metrics of a stream are those of plain loops, on any number of threads", "[run][metrics]") {
    for (int const threads : {1, 2}) {
        auto const in = hits(7, 30'000);
        oracle const expected{in};
        REQUIRE(expected.late > 100);
        dl::memory_log<hit> log;
        log.append(in);
        std::uint64_t rows = 0;
        dl::job job{dl::stream{.threads = threads}, per_page, log, dl::to([&](auto const&) { ++rows; })};
        job.poll();
        auto const open = job.metrics();
        auto const now = expected.newest + 90_s;
        auto const text = dl::prometheus_text(dl::metrics_of(open, now, "shop"));
        prometheus_reader const read{text};
        check_stage(read, expected, false);
        auto const* const stage = open.stage("per page");
        REQUIRE(stage != nullptr);
        CHECK(stage->late_by == expected.late_by);
        CHECK(stage->rows_out == rows);
        CHECK(stage->state_bytes > 0);
        auto const bytes = static_cast<double>(open.state_bytes);
        CHECK(read.value("driftless_state_bytes", {{"operator", "aggregate"}}) == bytes);
        CHECK(read.value("driftless_watermark_lag_seconds") == Approx(90));
        CHECK(read.value("driftless_partition_progress_timestamp_seconds", {{"partition", "0"}, {"job", "shop"}})
            == Approx(static_cast<double>(expected.newest.ns()) / 1e9));
        CHECK(read.value("driftless_watermark_ended") == 0);
        CHECK(read.value("driftless_partition_holds_watermark") == 1);

        job.drain();
        auto const end = job.metrics();
        CHECK(end.stage("per page")->rows_out == expected.rows.size());
        CHECK(rows == expected.rows.size());
        CHECK(end.state_bytes == 0);
        CHECK(prometheus_reader{dl::prometheus_text(dl::metrics_of(end))}.value("driftless_watermark_ended") == 1);
    }
}

TEST_CASE("the metrics of a batch are those of plain loops, on any number of threads", "[run][metrics]") {
    auto const in = hits(8, 20'000);
    oracle const expected{in};
    dl::memory_log<hit> log{2};
    for (std::size_t i = 0; i < in.size(); ++i) log.append(in[i], i % 3 == 0 ? 1 : 0);
    std::set<std::pair<std::int64_t, std::int64_t>> windows;
    for (auto const& each : in) windows.insert({each.at.ns() / (10_s).ns(), each.page});
    for (int const threads : {1, 2}) {
        auto const check = [&](dl::report const& books, std::uint64_t rows) {
            prometheus_reader const read{dl::prometheus_text(dl::metrics_of(books))};
            check_stage(read, expected, true);
            CHECK(read.value("driftless_records_total") == 20'000);
            CHECK(read.value("driftless_input_records_total", {{"partition", "0"}})
                == static_cast<double>(log.end_offset(0)));
            CHECK(read.value("driftless_input_records_total", {{"partition", "1"}})
                == static_cast<double>(log.end_offset(1)));
            CHECK(read.value("driftless_lag_records", {{"partition", "1"}}) == 0);
            CHECK(read.value("driftless_watermark_ended") == 1);
            CHECK(rows == windows.size());
            CHECK(books.stage("per page")->rows_out == windows.size());
        };
        std::uint64_t rows = 0;
        auto sink = dl::to([&](auto const&) { ++rows; });
        if (threads == 1) {
            auto const books = dl::run(dl::batch{}, per_page, log, sink);
            check(books, rows);
        } else {
            auto const books = dl::run(dl::batch{.threads = threads}, per_page, log, sink);
            check(books, rows);
        }
        dl::job job{dl::batch{.threads = threads}, per_page, log};
        job.run();
        check(job.metrics(), job.results().size());
    }
}

TEST_CASE("partitions that threads read by themselves are counted one by one", "[run][metrics]") {
    // Nothing before the aggregate looks on: partitions are split between threads.
    constexpr auto split = dl::from<hit>() | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s})
        | dl::key_by<&hit::page>() | dl::window(dl::tumbling{10_s}) | dl::aggregate(dl::count());
    auto const in = hits(9, 40'000);
    dl::memory_log<hit> log{3};
    for (std::size_t i = 0; i < in.size(); ++i) log.append(in[i], static_cast<std::uint32_t>(i % 7 % 3));
    for (int const threads : {1, 2, 3}) {
        std::vector<dl::report> all;
        all.push_back(dl::run(dl::batch{.threads = threads}, split, log, dl::to([](auto const&) {})));
        dl::job job{dl::stream{.threads = threads}, split, log, dl::to([](auto const&) {})};
        while (job.poll(9'000) != 0) {
            auto const now = job.metrics();
            std::uint64_t sum = 0;
            for (auto const& each : now.partitions) {
                CHECK(each.records == each.next);
                sum += each.records;
            }
            CHECK(sum == now.records);
        }
        job.drain();
        all.push_back(job.metrics());
        for (auto const& each : all) {
            REQUIRE(each.partitions.size() == 3);
            for (std::uint32_t p = 0; p < 3; ++p) {
                CHECK(each.partitions[p].partition == p);
                CHECK(each.partitions[p].records == log.end_offset(p));
            }
        }
    }
}

TEST_CASE("who holds the watermark, and who the merge, is said by partition", "[run][metrics]") {
    dl::memory_log<hit> log{3};
    log.append(hit{1, 1, at(10'000)}, 0);
    log.append(hit{1, 1, at(50'000)}, 1);
    log.append(hit{1, 1, at(20'000)}, 2);
    dl::job job{dl::stream{.until = dl::end_of_log}, per_page, log, dl::to([](auto const&) {})};
    job.run();
    auto now = job.metrics();
    CHECK(now.partitions[0].holds);
    CHECK_FALSE(now.partitions[1].holds);
    CHECK_FALSE(now.partitions[2].holds);
    CHECK(now.partitions[1].progress == at(50'000));
    REQUIRE(now.watermarks.size() == 1);
    CHECK(now.watermarks[0].progress == at(10'000));
    // A new record at partition 1 waits for those of the others.
    log.append(hit{1, 1, at(60'000)}, 1);
    job.poll();
    now = job.metrics();
    CHECK(now.partitions[0].holds_merge);
    CHECK_FALSE(now.partitions[1].holds_merge);
    CHECK(now.partitions[2].holds_merge);
    CHECK(now.partitions[1].lag_records() == 1);
    CHECK(now.partitions[1].lag == 10_s);
}

TEST_CASE("an idle partition is said to be idle, and holds nothing", "[run][metrics]") {
    static std::int64_t seconds = 0;
    dl::memory_log<hit> log{2};
    log.append(hit{1, 1, at(10'000)}, 0);
    log.append(hit{1, 1, at(50'000)}, 1);
    dl::job job{dl::stream{.clock = [] { return dl::event_time{} + seconds * 1_s; }, .idle_after = 5_s}, per_page, log,
        dl::to([](auto const&) {})};
    for (seconds = 0; seconds < 20; ++seconds) {
        if (seconds % 4 == 0) log.append(hit{1, 1, at(50'000 + seconds)}, 1);
        job.poll();
    }
    auto const now = job.metrics();
    CHECK(now.partitions[0].idle);
    CHECK_FALSE(now.partitions[0].holds);
    CHECK_FALSE(now.partitions[0].holds_merge);
    CHECK(now.partitions[1].holds);
    prometheus_reader const read{dl::prometheus_text(dl::metrics_of(now))};
    CHECK(read.value("driftless_partition_idle", {{"partition", "0"}}) == 1);
    CHECK(read.value("driftless_partition_idle", {{"partition", "1"}}) == 0);
}

TEST_CASE("inputs of one job are told apart by their names", "[run][metrics]") {
    auto const both = dl::merge(dl::from<hit>("left"_name) | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s}),
                          dl::from<hit>("right"_name) | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s}))
        | dl::key_by<&hit::page>() | dl::window(dl::tumbling{10_s}) | dl::aggregate(dl::count())
        | dl::filter([](auto const& row) { return row.key != 1; });
    dl::memory_log<hit> left;
    dl::memory_log<hit> right;
    left.append(hit{1, 1, at(10'000)});
    right.append(hit{1, 1, at(12'000)});
    right.append(hit{2, 1, at(17'000)});
    std::uint64_t rows = 0;
    dl::job job{dl::stream{}, both, dl::bind("right"_name, right), dl::bind("left"_name, left),
        dl::to([&](auto const&) { ++rows; })};
    job.drain();
    prometheus_reader const read{dl::prometheus_text(dl::metrics_of(job.metrics()))};
    CHECK(read.value("driftless_input_records_total", {{"input", "left"}}) == 1);
    CHECK(read.value("driftless_input_records_total", {{"input", "right"}}) == 2);
    CHECK(read.value("driftless_operator_rows_out_total", {{"operator", "aggregate"}}) == 2);
    CHECK(read.value("driftless_watermark_ended", {{"input", "merge"}}) == 1);
    CHECK(rows == 1);
}

TEST_CASE("lag is that of the moment, also while the job does nothing", "[run][metrics]") {
    dl::memory_log<hit> log;
    log.append(hit{1, 1, at(10'000)});
    dl::job job{dl::stream{}, per_page, log, dl::to([](auto const&) {})};
    CHECK(job.metrics().partitions[0].lag_records() == 1);
    CHECK(job.metrics().partitions[0].lag == 0_s);  // nothing was read yet
    job.poll();
    CHECK(job.metrics().partitions[0].lag_records() == 0);
    for (int i = 1; i <= 500; ++i) log.append(hit{1, 1, at(10'000 + i * 1'000)});
    auto const now = job.metrics();
    CHECK(now.partitions[0].lag_records() == 500);
    CHECK(now.partitions[0].lag == 500_s);
    prometheus_reader const read{dl::prometheus_text(dl::metrics_of(now))};
    CHECK(read.value("driftless_lag_records") == 500);
    CHECK(read.value("driftless_lag_seconds") == 500);
    CHECK(read.value("driftless_input_end_offset") == 501);
    CHECK(read.value("driftless_input_next_offset") == 1);
}

TEST_CASE("failures are counted by operator and code", "[run][metrics]") {
    struct mine {};
    auto const p = dl::from<hit>() | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s})
        | dl::map([](hit const& h) {
              if (h.value % 10 == 3) throw std::runtime_error{"three"};
              if (h.value % 10 == 4) throw dl::error{dl::error_code::malformed, "four"};
              return h;
          }).id("checked"_name)
        | dl::key_by([](hit const& h) -> std::int64_t {
              if (h.value % 10 == 5) throw mine{};
              return h.page;
          })
        | dl::window(dl::tumbling{10_s}) | dl::aggregate(dl::count());
    dl::memory_log<hit> log{2};
    for (std::int64_t i = 0; i < 5000; ++i) log.append(hit{i % 3, i, at(i)}, static_cast<std::uint32_t>(i % 2));
    for (int const threads : {1, 2}) {
        std::vector<dl::report> all;
        all.push_back(dl::run(dl::batch{.threads = threads, .on_error = dl::on_error::skip}, p, log,
            dl::to([](auto const&) {})));
        dl::job job{dl::stream{.threads = threads, .on_error = dl::on_error::skip}, p, log, dl::to([](auto const&) {})};
        job.drain();
        all.push_back(job.metrics());
        for (auto const& each : all) {
            prometheus_reader const read{dl::prometheus_text(dl::metrics_of(each))};
            CHECK(read.value("driftless_failures_total") == 1500);
            CHECK(read.value("driftless_failed_records_total",
                      {{"operator", "map"}, {"id", "checked"}, {"code", "user_function"}})
                == 500);
            CHECK(read.value("driftless_failed_records_total", {{"operator", "map"}, {"code", "malformed"}}) == 500);
            CHECK(read.value("driftless_failed_records_total", {{"operator", "key_by"}}) == 500);
        }
    }
}

TEST_CASE("an error that ends a job is seen in its metrics", "[run][metrics]") {
    auto const p = dl::from<hit>() | dl::map([](hit const& h) {
        if (h.value == 5) throw std::runtime_error{"five"};
        return h;
    });
    dl::memory_log<hit> log;
    log.append(hit{1, 5, at(0)});
    dl::job job{dl::stream{}, p, log, dl::to([](auto const&) {})};
    CHECK_FALSE(job.metrics().has_failed);
    CHECK_THROWS_AS(job.poll(), dl::error);
    CHECK(job.metrics().has_failed);
    CHECK(prometheus_reader{dl::prometheus_text(dl::metrics_of(job.metrics()))}.value("driftless_job_failed") == 1);
}

TEST_CASE("snapshots are counted, with their age, bytes and failures", "[run][metrics]") {
    dl::testing::memory_files files;
    files.make_folder("state");
    static std::int64_t seconds = 1000;
    auto const mode = [&] {
        return dl::stream{.snapshots = "state",
            .clock = [] { return dl::event_time{} + seconds * 1_s; },
            .snapshot_options = {.every = {}, .logic_version = "1", .tolerated_failures = 3, .files = &files}};
    };
    dl::memory_log<hit> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append(hit{i, i, at(i)});
    {
        dl::job job{mode(), per_page, log, dl::to([](auto const&) {})};
        job.poll();
        auto const none = dl::metrics_of(job.metrics(), at(0));
        CHECK(none.value("driftless_snapshots_total") == 0);
        CHECK(none.value("driftless_snapshot_number") == 0);
        CHECK_FALSE(none.value("driftless_snapshot_age_seconds").has_value());
        job.save_snapshot();
        seconds += 30;
        auto const now = dl::metrics_of(job.metrics(), dl::event_time{} + seconds * 1_s);
        CHECK(now.value("driftless_snapshots_total") == 1);
        CHECK(now.value("driftless_snapshot_number") == 1);
        CHECK(now.value("driftless_snapshot_age_seconds") == 30);
        CHECK(now.value("driftless_snapshot_duration_seconds").value_or(-1) > 0);
        std::uint64_t bytes = 0;
        for (auto const& [name, ignored] : files.list("state")) {
            auto const path = "state/" + name;
            if (path.ends_with(".state")) bytes = files.open(path, dl::open_mode::read)->size();
        }
        REQUIRE(bytes > 100);
        CHECK(*now.value("driftless_snapshot_bytes") == static_cast<double>(bytes));
    }
    dl::job job{mode(), per_page, log, dl::to([](auto const&) {})};
    auto const again = dl::metrics_of(job.metrics(), dl::event_time{} + seconds * 1_s);
    CHECK(again.value("driftless_snapshots_total") == 0);  // of this job
    CHECK(again.value("driftless_snapshot_number") == 1);
    CHECK(again.value("driftless_snapshot_age_seconds") == 30);
    CHECK(again.value("driftless_records_total") == 100);
    CHECK(again.value("driftless_input_records_total") == 0);
}

TEST_CASE("a thread reads the metrics of a stream and of a batch while they run", "[run][metrics]") {
    dl::memory_log<hit> log{2};
    auto const in = hits(11, 60'000);
    for (std::size_t i = 0; i < in.size(); ++i) log.append(in[i], static_cast<std::uint32_t>(i % 2));
    auto const watch = [&](auto& job, auto run) {
        std::atomic<bool> done{false};
        bool sound = true;
        std::atomic<std::uint64_t> looks{0};
        std::thread reader{[&] {
            std::uint64_t before = 0;
            while (!done) {
                auto const now = job.metrics();
                auto const text = dl::prometheus_text(dl::metrics_of(now, at(0), "job"));
                sound = sound && before <= now.records && !text.empty();
                before = now.records;
                std::uint64_t sum = 0;
                for (auto const& each : now.partitions) sum += each.records;
                sound = sound && sum == now.records;
                ++looks;
            }
        }};
        while (looks == 0) std::this_thread::yield();  // it looks before there is anything, and while there is
        run();
        done = true;
        reader.join();
        CHECK(sound);
        CHECK(job.metrics().records == log.end_offset(0) + log.end_offset(1));
    };
    for (int const threads : {1, 2}) {
        dl::job stream{dl::stream{.threads = threads}, per_page, log, dl::to([](auto const&) {})};
        watch(stream, [&] {
            for (int i = 0; i < 100; ++i) {
                stream.poll(2'000);
                log.append(hit{1, 1, at(500'000)}, static_cast<std::uint32_t>(i % 2));
            }
            stream.drain();
        });
        dl::job batch{dl::batch{.threads = threads}, per_page, log, dl::to([](auto const&) {})};
        watch(batch, [&] { batch.run(); });
    }
}
