// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/counted_sink.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/io/csv_rows.hpp>
#include <driftless/io/directory_sink.hpp>
#include <driftless/io/field_metrics.hpp>
#include <driftless/io/outbox.hpp>
#include <driftless/io/outbox_sink.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/op.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/job_metrics.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view.hpp>

#include <support/prometheus_reader.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using support::prometheus_reader;

namespace counted_sink_test {
struct hit {
    std::int64_t page;
    dl::event_time at;
};
struct line {
    std::int32_t quantity;
    std::optional<std::int64_t> discount;
    dl::text country;
};
}  // namespace counted_sink_test
BOOST_HANA_ADAPT_STRUCT(counted_sink_test::hit, page, at);
BOOST_HANA_ADAPT_STRUCT(counted_sink_test::line, quantity, discount, country);

namespace {
using counted_sink_test::hit;
using counted_sink_test::line;

dl::event_time at(std::int64_t seconds) { return dl::event_time{} + seconds * 1_s; }
constexpr auto per_page = dl::from<hit>() | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&hit::page>() | dl::window(dl::tumbling{10_s}, dl::allowed_lateness{1_h}) | dl::aggregate(dl::count());

using row = dl::pane<std::int64_t, std::int64_t>;
/// Fails as often as it is told, in the calls of that name.
struct fragile {
    std::string_view call;
    int times = 0;
    dl::error_code code = dl::error_code::io;
    std::uint64_t done = 0;

    void may_fail(std::string_view now) {
        if (now == call && times > 0 && times-- > 0) throw dl::error{code, "no"};
    }
    void write(row const&) { may_fail("write"); }
    void remove(std::int64_t, dl::time_window) { may_fail("remove"); }
    void recover(dl::sink_position const& p) { done = p.snapshot; }
    void prepare(std::uint64_t) { may_fail("prepare"); }
    void commit(std::uint64_t n) { may_fail("commit"), done = n; }
    std::uint64_t committed() { return done; }
};
using counted_fragile = dl::counted_sink<fragile&>;
static_assert(dl::transactional_sink<counted_fragile>);
static_assert(dl::delivery_of<counted_fragile> == dl::delivery::exactly_once);
using counted_view = dl::counted_sink<dl::view<std::int64_t, std::int64_t>&>;
static_assert(!dl::transactional_sink<counted_view>);
static_assert(dl::detail::follows_frontier<counted_view> && !dl::detail::follows_frontier<counted_fragile>);
template <class S>
concept keeps_rows = requires { typename S::keeps_rows; };
static_assert(keeps_rows<counted_view> && !keeps_rows<counted_fragile>);
}  // namespace

TEST_CASE("a counted sink counts rows, and the metrics of its job show them", "[io][counted]") {
    dl::memory_log<hit> log;
    for (std::int64_t i = 0; i < 1000; ++i) log.append(hit{i % 7, at(i)});
    log.append(hit{3, at(500)});  // late, and allowed: corrects a row
    std::uint64_t rows = 0;
    auto inner = dl::to([&](row const&) { ++rows; }, [](std::int64_t, dl::time_window) {});
    auto out = dl::counted(inner);
    dl::job job{dl::stream{}, per_page, log, dl::bind("out"_name, dl::to([](auto const&) {})), out};
    job.drain();
    CHECK(out.counts().rows == rows);
    CHECK(rows > 700);
    auto const now = dl::metrics_of(job.metrics());
    CHECK(now.value("driftless_sink_rows_total", {{"sink", "output"}}) == static_cast<double>(rows));
    CHECK(now.value("driftless_sink_errors_total") == 0);
    CHECK(*now.value("driftless_operator_rows_out_total", {{"operator", "aggregate"}}) == static_cast<double>(rows));
}

TEST_CASE("a named sink is called by its name", "[io][counted]") {
    auto const p = dl::from<hit>() | dl::assign_time<&hit::at>(dl::bounded_disorder{1_s}) | dl::key_by<&hit::page>()
        | dl::window(dl::tumbling{10_s}) | dl::late_to("late"_name) | dl::aggregate(dl::count());
    dl::memory_log<hit> log;
    log.append(hit{1, at(100)});
    log.append(hit{1, at(1)});
    log.append(hit{1, at(2)});
    auto late = dl::counted(dl::to([](auto const&) {}));
    dl::job job{dl::stream{}, p, log, dl::bind("late"_name, late), dl::to([](auto const&) {})};
    job.drain();
    prometheus_reader const read{dl::prometheus_text(dl::metrics_of(job.metrics()))};
    CHECK(read.value("driftless_sink_rows_total", {{"sink", "late"}}) == 2);
}

TEST_CASE("what a sink throws is counted and goes on, and the failed job shows it", "[io][counted]") {
    for (auto const code : {dl::error_code::io, dl::error_code::in_use}) {
        dl::memory_log<hit> log;
        for (std::int64_t i = 0; i < 100; ++i) log.append(hit{1, at(i)});
        fragile inner{"write", 1, code};
        auto out = dl::counted(inner);
        dl::job job{dl::stream{.until = dl::drained}, per_page, log, out};
        CHECK_THROWS_AS(job.run(), dl::error);
        auto const now = dl::metrics_of(job.metrics());
        CHECK(now.value("driftless_job_failed") == 1);
        CHECK(now.value("driftless_sink_errors_total") == 1);
        CHECK(now.value("driftless_sink_timeouts_total") == (code == dl::error_code::in_use ? 1 : 0));
    }
}

TEST_CASE("a snapshot that its sink fails is counted there, and the next one as a retry", "[io][counted]") {
    dl::testing::memory_files files;
    files.make_folder("state");
    dl::memory_log<hit> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append(hit{1, at(i)});
    fragile inner{"prepare", 2};
    auto out = dl::counted(inner);
    dl::job job{dl::stream{.snapshots = "state",
                    .snapshot_options = {.every = {}, .logic_version = "1", .tolerated_failures = 5, .files = &files}},
        per_page, log, out};
    job.poll();
    for (int i = 0; i < 4; ++i) job.save_snapshot();
    auto const now = dl::metrics_of(job.metrics());
    CHECK(now.value("driftless_snapshot_failures_total") == 2);
    CHECK(now.value("driftless_snapshots_total") == 2);
    CHECK(now.value("driftless_sink_errors_total") == 2);
    CHECK(now.value("driftless_sink_retries_total") == 2);
    CHECK(now.value("driftless_sink_commits_total") == 2);
    CHECK(now.value("driftless_warnings") == 1);
}

TEST_CASE("a view behind a counted sink is told where its job stands, and is in snapshots", "[io][counted]") {
    dl::memory_log<hit> log;
    for (std::int64_t i = 0; i < 100; ++i) log.append(hit{i % 3, at(i)});
    dl::view<std::int64_t, std::int64_t> shown;
    auto out = dl::counted(shown);
    std::string bytes;
    {
        dl::job job{dl::stream{}, per_page, log, out};
        job.poll();
        bytes = job.snapshot();
    }
    CHECK(out.counts().rows > 0);
    CHECK(shown.find(1, {at(0), at(10)}).at().epoch == 100);
    dl::view<std::int64_t, std::int64_t> again;
    auto fresh = dl::counted(again);
    dl::job job{dl::stream{}, per_page, log, fresh};
    job.restore(bytes);
    CHECK(*again.find(1, {at(0), at(10)}) == *shown.find(1, {at(0), at(10)}));
    CHECK(fresh.counts().rows == 0);  // since it was made
}

TEST_CASE("an outbox counts calls that worked, failed, came again, were too late, given up", "[io][counted]") {
    static dl::event_time now{};
    dl::testing::memory_files files;
    files.make_folder("out");
    {
        dl::outbox_sink<hit> sink{"out", dl::directory_options{.name = "out", .files = &files}};
        sink.recover({"job", 0, 0, 1});
        for (std::int64_t i = 0; i < 6; ++i) sink.write_record(hit{i, at(i)});
        sink.prepare(1);
        sink.commit(1);
    }
    dl::outbox_options how{.first_wait = 1_s, .factor = 1, .attempts = 3, .timeout = 5_s, .files = &files};
    how.clock = [] { return now; };
    dl::outbox<hit> box{"out", how};
    std::uint64_t calls = 0;
    auto const deliver = [&] {
        box.deliver([&](dl::effect<hit> const& each) -> dl::call_result {
            ++calls;
            if (each.number == 1 && each.attempt < 3) return {dl::call_state::again, "later"};
            if (each.number == 2) return {dl::call_state::refused, "never"};
            if (each.number == 3 && each.attempt == 1) return dl::call_state::begun;
            if (each.number == 4) throw std::runtime_error{"always"};
            return dl::call_state::done;
        });
    };
    for (int i = 0; i < 20; ++i, now = now + 1_s) deliver();
    auto const of = box.counts();
    // 0 and 5 at once; 1 at the third attempt; 2 never; 3 at the second, its first had no answer; 4 fails three times.
    CHECK(of.rows == 4);
    CHECK(of.errors == 2 + 1 + 1 + 3);
    CHECK(of.retries == 2 + 1 + 2);
    CHECK(of.timeouts == 1);
    CHECK(of.dead == 2);
    CHECK(calls == 6 + of.retries);
    dl::metric_set all;
    dl::add_sink_metrics(all, of, "charges");
    prometheus_reader const read{dl::prometheus_text(all)};
    CHECK(read.value("driftless_sink_dead_total", {{"sink", "charges"}}) == 2);
}

TEST_CASE("fields that a CSV reader refuses or takes as absent are counted by name", "[io][counted]") {
    std::string const bytes =
        "quantity,discount,country,more\n"
        "1,,DE,x\n"        // discount absent
        ",2,DE,x\n"        // quantity empty: refused
        "many,2,DE,x\n"    // malformed
        "3,2,,x\n"         // country absent
        "4,half,DE,x\n"    // discount malformed
        "5,1,DE\n"         // a field too few
        "99999999999,1,DE,x\n"  // out of range
        "6,\"1\"2,DE,x\n"  // quotes
        "7,7,FR,x\n";
    dl::csv_reader<line> reader{dl::csv_input::memory(bytes)};
    std::atomic<bool> done{false};
    std::thread watching{[&] {
        while (!done) {
            dl::metric_set now;
            dl::add_field_metrics(now, reader, "lines.csv");
        }
    }};
    line one{};
    std::uint64_t rows = 0;
    while (reader.next(one)) ++rows;
    done = true;
    watching.join();
    CHECK(rows == 3);
    CHECK(reader.problems() == 6);
    auto const found = reader.field_counts();
    REQUIRE(found.size() == 5);
    CHECK(found[0] == dl::csv_field_counts{"quantity", 1, 2, 0});
    CHECK(found[1] == dl::csv_field_counts{"discount", 0, 2, 1});
    CHECK(found[2] == dl::csv_field_counts{"country", 0, 0, 1});
    CHECK(found[3] == dl::csv_field_counts{"more", 0, 0, 0});
    CHECK(found[4] == dl::csv_field_counts{"", 0, 1, 0});
    dl::metric_set now;
    dl::add_field_metrics(now, reader, "lines.csv");
    prometheus_reader const read{dl::prometheus_text(now)};
    CHECK(read.value("driftless_field_refused_total", {{"field", "quantity"}, {"reason", "malformed"}}) == 2);
    CHECK(read.value("driftless_field_refused_total", {{"field", "quantity"}, {"reason", "empty"}}) == 1);
    CHECK(read.value("driftless_field_refused_total", {{"reason", "row"}}) == 1);
    CHECK(read.value("driftless_field_absent_total", {{"field", "discount"}, {"input", "lines.csv"}}) == 1);
    CHECK(*now.value("driftless_field_refused_total") == static_cast<double>(reader.problems()));
}
