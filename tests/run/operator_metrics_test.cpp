// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job_metrics.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/enrich.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/seeded_calls.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace operator_metrics_test {
struct visit {
    std::int64_t user;
    std::int64_t id;
    dl::event_time at;
};
/// Says who has been silent for a minute.
struct silence {
    struct state {
        dl::event_timer timer;
    };
    void on_record(state& own, visit const&, auto& context) const {
        if (!own.timer.is_set()) context.set(own.timer, context.time() + 60_s);
    }
    void on_timer(state&, dl::fired_timer const&, auto& context) const { context.emit(1); }
};
}  // namespace operator_metrics_test
BOOST_HANA_ADAPT_STRUCT(operator_metrics_test::visit, user, id, at);
BOOST_HANA_ADAPT_STRUCT(operator_metrics_test::silence::state, timer);

namespace {
using operator_metrics_test::silence;
using operator_metrics_test::visit;
dl::event_time at(std::int64_t seconds) { return dl::event_time{} + seconds * 1_s; }

}  // namespace

TEST_CASE("timers that are set are counted, on any number of threads", "[run][metrics]") {
    auto const p = dl::from<visit>() | dl::assign_time<&visit::at>(dl::bounded_disorder{1_s})
        | dl::key_by<&visit::user>() | dl::process<std::int64_t>(silence{}, dl::max_keys{1'000});
    for (int const threads : {1, 2}) {
        dl::memory_log<visit> log;
        for (std::int64_t i = 0; i < 40; ++i) log.append(visit{i, i, at(i)});
        std::uint64_t rows = 0;
        dl::job job{dl::stream{.threads = threads}, p, log, dl::to([&](auto const&) { ++rows; })};
        job.poll();
        CHECK(dl::metrics_of(job.metrics()).value("driftless_timers") == 40);
        log.append(visit{99, 0, at(76)});  // the watermark is 75 s: those set for 60 to 74 s have fired
        job.poll();
        auto const now = dl::metrics_of(job.metrics());
        CHECK(now.value("driftless_timers") == 40 - 15 + 1);
        CHECK(now.value("driftless_operator_rows_out_total", {{"operator", "process"}}) == 15);
        CHECK(rows == 15);
        job.drain();
        CHECK(dl::metrics_of(job.metrics()).value("driftless_timers") == 0);
        CHECK(dl::metrics_of(job.metrics()).value("driftless_operator_rows_out_total") == 41);
    }
}

TEST_CASE("calls of enrich that are made again, and those without an answer, are counted", "[run][metrics]") {
    std::map<int, int> asked;
    auto const ask = [&](int n) {
        if (++asked[n] <= n % 3) throw std::runtime_error{"busy"};  // of three numbers one at once, one at the second
        return n;
    };
    std::vector<int> numbers;
    for (int i = 0; i < 30; ++i) numbers.push_back(i);
    dl::testing::seeded_calls outside{3, 1_ms, 1_ms};
    auto const p = dl::from<int>()
        | dl::enrich(ask, dl::concurrency{4}, dl::calls_on(outside), dl::retries{5, 1_ms},
            [](int, int a) { return a; });
    auto const books = dl::run(dl::batch{}, p, numbers, dl::to([](int) {}));
    CHECK(dl::metrics_of(books).value("driftless_call_retries_total") == 10 + 20);
    CHECK(dl::metrics_of(books).value("driftless_call_timeouts_total") == 0);

    dl::testing::seeded_calls slow{9, 20_ms, 20_ms};
    auto const q = dl::from<int>()
        | dl::enrich([](int n) { return n; }, dl::concurrency{2}, dl::calls_on(slow), dl::call_timeout{5_ms},
            [](int, int a) { return a; });
    auto const late = dl::run(dl::batch{.on_error = dl::on_error::skip}, q, numbers, dl::to([](int) {}));
    auto const now = dl::metrics_of(late);
    CHECK(now.value("driftless_call_timeouts_total") == 30);
    CHECK(now.value("driftless_failed_records_total", {{"operator", "enrich"}}) == 30);
}

TEST_CASE("what dedup removes and refuses as late is in its books, on any number of threads", "[run][metrics]") {
    auto const p = dl::from<visit>() | dl::assign_time<&visit::at>(dl::bounded_disorder{1_s})
        | dl::dedup<&visit::id>(10_s);
    for (int const threads : {1, 2}) {
        dl::memory_log<visit> log;
        for (std::int64_t i = 0; i < 100; ++i) log.append(visit{i, i / 2, at(i)});  // each id twice, a second apart
        for (std::int64_t i = 0; i < 5; ++i) log.append(visit{i, 1'000 + i, at(8)});  // 90 s behind the watermark
        std::uint64_t rows = 0;
        dl::job job{dl::stream{.threads = threads}, p, log, dl::to([&](auto const&) { ++rows; })};
        job.drain();
        auto const now = dl::metrics_of(job.metrics());
        CHECK(now.value("driftless_refused_total", {{"reason", "duplicate"}}) == 50);
        CHECK(now.value("driftless_refused_total", {{"reason", "late"}}) == 5);
        CHECK(now.value("driftless_operator_rows_out_total") == 50);
        CHECK(rows == 50);
        auto const& late = job.metrics().stage("dedup")->late_by;
        CHECK(late.count() == 5);
        CHECK(late.counts[7] == 5);  // from one to ten minutes
        CHECK(late.sum_us == 5 * 90'000'000);
    }
}
