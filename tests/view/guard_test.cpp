// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/guard.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/crash_loop.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/measures.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using dl::guard_action;
using dl::measures;

namespace guard_test {
struct hit {
    std::int32_t page;
    std::int64_t value;
    dl::event_time at;
};
}  // namespace guard_test
BOOST_HANA_ADAPT_STRUCT(guard_test::hit, page, value, at);

namespace {
using guard_test::hit;

measures at_second(std::int64_t seconds, std::uint64_t records, std::uint64_t failures = 0, std::uint64_t lag = 0) {
    measures out;
    out.at = dl::event_time{} + seconds * 1_s;
    out.records = records;
    out.failures = failures;
    out.lag_records = lag;
    return out;
}
std::int64_t now_ns = 0;
dl::event_time fake_clock() { return dl::event_time{now_ns}; }
}  // namespace

TEST_CASE("an error rate is judged over spans of records, and a rate on the bound is good", "[view][guard]") {
    dl::guards watch;
    watch.add(dl::error_rate{.most = 0.1, .least = 100});
    CHECK(watch.look(at_second(0, 0)));
    CHECK(watch.look(at_second(1, 50, 50)));   // too few to judge
    CHECK_FALSE(dl::guards{}.add(dl::error_rate{.most = 0.1, .least = 50}).look(at_second(1, 50, 50)));
    // 50 bad ones of 550: that is below a tenth.
    CHECK(watch.look(at_second(2, 550, 50)));
    CHECK(watch.look(at_second(3, 650, 60)));  // 10 of 100
    CHECK(watch.look(at_second(4, 700, 71)));  // 11 of 50: too few
    CHECK(watch.look(at_second(5, 760, 71)));  // 11 of 110
    auto const said = watch.look(at_second(6, 860, 82));
    CHECK(said.action == guard_action::stop);
    CHECK(said.str() == "error rate: stop, 11 of 100 records were left out");
    // It stays so.
    CHECK_FALSE(watch.look(at_second(7, 10'000, 82)));
    watch.reset();
    CHECK(watch.look(at_second(8, 20'000, 82)));
    // A version that began anew has counters that went back.
    CHECK(watch.look(at_second(9, 10, 0)));
    CHECK_FALSE(watch.look(at_second(10, 110, 20)));
    CHECK_THROWS_AS(watch.add(dl::error_rate{.most = 2}), dl::error);
    CHECK_THROWS_AS(watch.add(dl::error_rate{.least = 0}), dl::error);
}

TEST_CASE("a lag counts when it lasts", "[view][guard]") {
    dl::guards watch;
    watch.add(dl::most_lag{.records = 100, .patience = 10_s});
    CHECK(watch.look(at_second(0, 0, 0, 1000)));
    CHECK(watch.look(at_second(9, 0, 0, 500)));
    CHECK(watch.look(at_second(10, 0, 0, 100)));  // just good
    CHECK(watch.look(at_second(11, 0, 0, 101)));
    CHECK(watch.look(at_second(20, 0, 0, 101)));
    auto now = at_second(21, 0, 0, 101);
    now.serving = true;
    auto const said = watch.look(now);
    CHECK(said.action == guard_action::roll_back);
    CHECK(said.str() == "lag: roll back, 101 records behind, for 10s");
    dl::guards by_time;
    by_time.add(dl::most_lag{.time = 5_s, .patience = dl::duration{}});
    now.lag_time = 5_s;
    CHECK(by_time.look(now));
    now.lag_time = 6_s;
    CHECK(by_time.look(now).why == "101 records behind, 6s in event time, for 0s");
    CHECK_THROWS_AS(by_time.add(dl::most_lag{.patience = -(1_s)}), dl::error);
}

TEST_CASE("the first guard that trips decides, and one that throws has tripped", "[view][guard]") {
    int asked = 0;
    dl::guards watch;
    watch.add("quiet", [&](measures const&) { return ++asked, std::string{}; })
        .add("throws",
            [](measures const& now) -> std::string {
                if (now.records > 5) throw std::runtime_error{"no"};
                return {};
            })
        .add(dl::most_starts{.count = 3});
    CHECK(watch.look(at_second(0, 5)));
    auto now = at_second(1, 6);
    now.starts = 4;
    CHECK(watch.look(now).str() == "throws: stop, the guard threw: no");
    CHECK(asked == 2);
    dl::guards starts;
    starts.add(dl::most_starts{.count = 3});
    now.starts = 3;
    CHECK(starts.look(now));
    now.starts = 4;
    CHECK(starts.look(now).why == "4 starts in a short time");
}

TEST_CASE("guards look at the health of a trial as deployments tell it", "[view][guard]") {
    dl::guards watch;
    watch.add(dl::error_rate{.most = 0, .least = 10}).add(dl::most_starts{.count = 2});
    auto const guard = watch.as_guard([](measures& now) { now.failures += 1; });
    dl::trial_health health;
    health.about.records = 5;
    CHECK(guard(health).empty());
    health.about.records = 10;
    CHECK(guard(health) == "error rate: 1 of 10 records were left out");
    CHECK(watch.decision().action == guard_action::stop);
    watch.reset();
    health.phase = dl::deployment_phase::watching;
    health.starts = 3;
    CHECK(guard(health) == "crash loop: 3 starts in a short time");
    CHECK(watch.decision().action == guard_action::roll_back);
}

TEST_CASE("the measures of a job are those of its report and its log", "[view][guard]") {
    dl::memory_log<hit> log;
    std::int64_t const n = 20'000;  // several blocks
    for (std::int64_t i = 0; i < n; ++i) {
        log.append({static_cast<std::int32_t>(i % 3), i, dl::event_time{} + i * 1_s});
        if (i % 100 == 50) log.append({1, i, dl::event_time{} + (i - 30) * 1_s});  // late by 30 s
    }
    auto const total = log.end_offset();
    auto const p = dl::from<hit>() | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s})
        | dl::map([](hit const& h) {
              if (h.value % 1000 == 999) throw std::runtime_error{"bad"};
              return h;
          })
        | dl::key_by<&hit::page>() | dl::window(dl::tumbling{10_s}) | dl::aggregate(dl::count());
    dl::job job{dl::stream{.on_error = dl::on_error::skip}, p, log, dl::to([](auto const&) {})};
    job.poll(10'000);
    auto now = dl::measured(job.metrics(), dl::event_time{} + 5_s);
    dl::measure_lag(now, log, {10'000}, &hit::at);
    CHECK(now.records == 10'000);
    CHECK(now.failures == job.metrics().failures);
    CHECK(now.failures == 9);
    CHECK(now.refused[static_cast<std::size_t>(dl::reason::late)] == job.metrics().refused(dl::reason::late));
    CHECK(now.refused[static_cast<std::size_t>(dl::reason::late)] == 99);
    CHECK(now.left_out() == 9 + 99);
    CHECK(now.error_rate() == Approx(0.0108));
    CHECK(now.lag_records == total - 10'000);
    CHECK(now.lag_time == log.read(0, total - 1)[0].at - log.read(0, 9'999)[0].at);
    CHECK(now.lag_time > 9'000_s);
    measures fresh;
    dl::measure_lag(fresh, log, {});
    CHECK(fresh.lag_records == total);
    CHECK(fresh.lag_time == dl::duration{});
    job.poll();
    auto end = dl::measured(job.metrics(), dl::event_time{});
    dl::measure_lag(end, log, {total}, &hit::at);
    CHECK(end.lag_records == 0);
    CHECK(end.lag_time == dl::duration{});
    // Duplicates are part of the answer.
    end.refused[static_cast<std::size_t>(dl::reason::duplicate)] += 7;
    CHECK(end.left_out(true) == end.left_out() + 7);
}

TEST_CASE("starts in a short time are counted over restarts, with pauses that double", "[view][guard]") {
    dl::testing::memory_files files;
    now_ns = 1'000'000'000'000;
    dl::crash_loop_options options{
        .window = 100_s, .most = 3, .first_pause = 1_s, .longest_pause = 5_s, .files = &files, .clock = &fake_clock};
    std::vector<dl::duration> pauses;
    std::vector<bool> loops;
    for (int i = 0; i < 6; ++i) {
        dl::start_count starts{"", options};  // another process each
        starts.note_start();
        CHECK(starts.count() == static_cast<std::uint64_t>(i) + 1);
        pauses.push_back(starts.pause());
        loops.push_back(starts.looping());
        now_ns += 1'000'000'000;
        files.lose_power(0);
    }
    CHECK(pauses == std::vector<dl::duration>{0_s, 1_s, 2_s, 4_s, 5_s, 5_s});
    CHECK(loops == std::vector<bool>{false, false, false, true, true, true});
    // The first is forgotten 100 s after it.
    now_ns = 1'100'000'000'000 - 1;
    CHECK(dl::start_count("", options).count() == 6);
    now_ns = 1'100'000'000'000;
    CHECK(dl::start_count("", options).count() == 5);
    {
        dl::start_count starts{"", options};
        starts.note_good();
        CHECK(starts.count() == 0);
        CHECK(starts.pause() == dl::duration{});
    }
    CHECK(dl::start_count("", options).count() == 0);
    // A clock that was set back.
    dl::start_count starts{"", options};
    starts.note_start();
    now_ns = 5;
    starts.note_start();
    CHECK(starts.count() == 2);
    now_ns = 100'000'000'005;
    CHECK(dl::start_count("", options).count() == 0);
    // What is no count is no crash loop.
    auto const into = files.open("/starts", dl::open_mode::create);
    into->write_at(0, "garbage");
    CHECK(dl::start_count("", options).count() == 0);
    CHECK_THROWS_AS(dl::start_count("", {.window = dl::duration{}}), dl::error);
}

TEST_CASE("a count of starts survives whatever goes wrong at any call of the file layer", "[view][guard]") {
    using dl::testing::fault;
    now_ns = 1'000'000'000'000;
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t nth = 1; nth <= 12; ++nth) {
            dl::testing::memory_files files;
            dl::crash_loop_options const options{.files = &files, .clock = &fake_clock};
            dl::start_count{"", options}.note_start();
            files.inject(nth, what);
            bool threw = false;
            try {
                dl::start_count{"", options}.note_start();
            } catch (dl::error const&) {
                threw = true;
            }
            files.lose_power(nth);
            auto const count = dl::start_count("", options).count();
            INFO("operation " << nth);
            CHECK(count >= (threw ? 1 : 2));
            CHECK(count <= 2);
        }
    }
}
