// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/staged_rows.hpp>
#include <support/temporary_folder.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using test::staged_rows;
using testing::fault;
using testing::memory_files;

namespace snapshots_test {
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace snapshots_test
BOOST_HANA_ADAPT_STRUCT(snapshots_test::sale, shop, cents, at);
using snapshots_test::sale;

namespace {
auto sales_per(duration size) {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>() | window(tumbling{size})
        | aggregate(count(), sum<&sale::cents>()).id("revenue"_name);
}
sale nth(std::int64_t i) {
    static char const* const shops[] = {"north", "south", "east", "a shop with a longer name"};
    return {text{shops[i * 7 % 4]}, i, event_time{i * 1'000'000'000 - i * 3 % 2 * 1'500'000'000}};
}
void append(auto& log, std::int64_t from, std::int64_t to) {
    for (auto i = from; i < to; ++i) log.append(nth(i));
}
event_time fake_now{};
event_time fake_clock() { return fake_now; }

/// Keeps the last row of each key and window: what comes twice changes nothing.
struct upserts {
    static constexpr delivery delivers = delivery::idempotent;
    std::map<std::pair<std::string, std::int64_t>, std::tuple<std::int64_t, std::int64_t>> rows{};
    void write(pane<text, std::tuple<std::int64_t, std::int64_t>> const& row) {
        rows[{row.key.str(), row.window.start.ms()}] = row.value;
    }
};
static_assert(delivery_of<upserts> == delivery::idempotent);
static_assert(delivery_of<staged_rows> == delivery::exactly_once);

stream at(memory_files& files, snapshot_options options = {}, until to = end_of_log) {
    options.files = &files;
    options.every = {};
    return stream{.snapshots = "state", .until = to, .clock = &fake_clock, .snapshot_options = options};
}
std::string message_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.what();
    }
    return {};
}
error_code code_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }
std::vector<std::string> names_in(memory_files& files, std::string const& ending) {
    std::vector<std::string> out;
    for (auto const& each : files.list("state")) {
        if (each.name.ends_with(ending)) out.push_back(each.name);
    }
    return out;
}
std::string in_one_run(std::int64_t n) {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, n);
    staged_rows out{files, "out"};
    run(stream{.until = drained}, sales_per(10_s), log, out);
    return out.shown();
}
struct nothing {
    void write(auto const&) {}
    void remove(auto const&, time_window) {}
};
/// Changes one byte of a file.
void damage(memory_files& files, std::string const& path, std::size_t at) {
    auto const of = files.open(path, open_mode::write);
    char byte = 0;
    REQUIRE(of->read_at(at, &byte, 1) == 1);
    byte = static_cast<char>(byte ^ 0x55);
    of->write_at(at, std::string_view{&byte, 1});
}
}  // namespace

TEST_CASE("killed at any file operation and started again, a job commits what an uninterrupted run commits",
    "[run][snapshots][crash]") {
    auto const expected = in_one_run(60);
    memory_log<sale> log;
    append(log, 0, 60);
    for (auto const kind : {fault::cut, fault::after, fault::fail}) {
        for (bool const power : {false, true}) {
            for (std::uint64_t bad = 1;; ++bad) {
                memory_files files;
                files.inject(bad, kind);
                bool failed = false;
                for (int starts = 0; starts < 3; ++starts) {
                    try {
                        staged_rows out{files, "out"};
                        job running{at(files, {.records = 13, .keep = 1}, drained), sales_per(10_s), log, out};
                        running.run();
                        break;
                    } catch (error const&) {
                        failed = true;
                        if (power) files.lose_power(bad);
                        else files.restart();
                    }
                }
                files.restart();  // no more faults
                staged_rows out{files, "out"};
                if (out.shown() != expected)
                    FAIL("operation " << bad << ", fault " << int(kind) << ", power " << power);
                if (!failed) {
                    CHECK(bad > 50);
                    break;
                }
            }
        }
    }
}

TEST_CASE("a snapshot is due after so many records, to the record", "[run][snapshots]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 50);
    upserts out;
    fake_now = event_time{1'000'000'000'000};
    job running{at(files, {.records = 20, .keep = 9}), sales_per(10_s), log, out};
    CHECK(running.poll(45) == 45);
    snapshot_store const store{"state", files};
    REQUIRE(store.numbers().size() == 2);
    CHECK(store.read(1).records == 20);
    CHECK(store.read(2).records == 40);
    CHECK(store.read(2).inputs.at(0).offset == 40);
    CHECK(store.read(2).taken_at == fake_now);
    CHECK(running.poll() == 5);
    CHECK(store.numbers().size() == 2);
    append(log, 50, 60);
    CHECK(running.poll() == 10);
    CHECK(store.read(3).records == 60);
}

TEST_CASE("a snapshot is due after so much time, by the clock of the job", "[run][snapshots]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 10);
    upserts out;
    auto mode = at(files);
    mode.snapshot_options.every = 5_s;
    fake_now = event_time{1'000'000'000'000};
    job running{mode, sales_per(10_s), log, out};
    snapshot_store const store{"state", files};
    running.poll();
    fake_now = fake_now + 5_s - 1_ns;
    running.poll();
    CHECK(store.numbers().empty());
    fake_now = fake_now + 1_ns;
    running.poll();
    CHECK(store.numbers().size() == 1);
    running.poll();
    CHECK(store.numbers().size() == 1);
    fake_now = fake_now + 7_s;
    running.poll();
    CHECK(store.numbers().size() == 2);
    CHECK(store.read(2).taken_at == fake_now);
}

TEST_CASE("the newest snapshots are kept, and no file that none of them needs", "[run][snapshots]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 100);
    upserts out;
    job running{at(files, {.records = 10, .keep = 3}), sales_per(10_s), log, out};
    running.poll();
    CHECK(names_in(files, ".manifest")
        == std::vector<std::string>{"000000000008.manifest", "000000000009.manifest", "000000000010.manifest"});
    CHECK(names_in(files, ".state").size() == 3);
}

TEST_CASE("a damaged newest snapshot is left aside for the one before it, and said", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    upserts expected;
    run(stream{.until = drained}, sales_per(10_s), log, expected);
    auto const newest = [](memory_files& files, std::string const& ending) {
        return "state/" + names_in(files, ending).back();
    };
    for (std::string const ending : {".manifest", ".state"}) {
        std::size_t size = 1;
        for (std::size_t byte = 0; byte < size; ++byte) {
            memory_files files;
            upserts out;
            {
                job first{at(files, {.records = 20}), sales_per(10_s), log, out};
                first.poll(45);
            }
            size = static_cast<std::size_t>(files.open(newest(files, ending), open_mode::read)->size());
            damage(files, newest(files, ending), byte);
            job second{at(files, {.records = 20}, drained), sales_per(10_s), log, out};
            CHECK(second.metrics().records == 20);
            auto const warnings = second.metrics().warnings;
            REQUIRE(warnings.size() == 1);
            if (!has(warnings[0], "snapshot 2 was left aside") || !has(warnings[0], "state/0000"))
                FAIL_CHECK(warnings[0]);
            second.run();
            if (out.rows != expected.rows) FAIL_CHECK("byte " << byte << " of " << ending);
        }
    }
}

TEST_CASE("where every snapshot is damaged the job begins anew, and says each", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    memory_files files;
    upserts out;
    {
        job first{at(files, {.records = 20}), sales_per(10_s), log, out};
        first.poll();
    }
    for (auto const& each : names_in(files, ".state")) damage(files, "state/" + each, 3);
    job second{at(files), sales_per(10_s), log, out};
    CHECK(second.metrics().records == 0);
    CHECK(second.metrics().warnings.size() == 2);
}

TEST_CASE("a sink that is ahead of the snapshot that is left refuses to go back", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    memory_files files;
    {
        staged_rows out{files, "out"};
        job first{at(files, {.records = 20}), sales_per(10_s), log, out};
        first.poll();
    }
    damage(files, "state/" + names_in(files, ".state").back(), 3);
    staged_rows out{files, "out"};
    CHECK(code_of([&] { job second{at(files), sales_per(10_s), log, out}; }) == error_code::mismatch);
}

TEST_CASE("of two instances of a job the older is fenced at its next snapshot", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    memory_files files;
    staged_rows out_of_first{files, "out"};
    staged_rows out_of_second{files, "out"};
    job first{at(files, {}, drained), sales_per(10_s), log, out_of_first};
    first.poll(20);
    first.save_snapshot();
    first.poll(10);
    job second{at(files, {}, drained), sales_per(10_s), log, out_of_second};
    CHECK(second.metrics().records == 20);
    second.poll(5);
    CHECK(code_of([&] { first.save_snapshot(); }) == error_code::fenced);
    second.save_snapshot();
    CHECK(code_of([&] { first.poll(); }) == error_code::stopped);
    second.run();
    CHECK(out_of_second.shown() == in_one_run(50));
}

TEST_CASE("the snapshot of another pipeline is refused with what differs, line by line", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    memory_files files;
    upserts out;
    {
        job first{at(files), sales_per(10_s), log, out};
        first.run();
    }
    auto const said = message_of([&] { job second{at(files), sales_per(20_s), log, out}; });
    CHECK(has(said, "- window tumbling size=10s"));
    CHECK(has(said, "+ window tumbling size=20s"));
    CHECK_FALSE(has(said, "assign_time"));
    CHECK(has(said, "if_changed::adopt"));
}

TEST_CASE("if_changed::restart begins anew, and says so", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    memory_files files;
    upserts out;
    {
        job first{at(files), sales_per(10_s), log, out};
        first.run();
    }
    job second{at(files, {.if_changed = if_changed::restart}), sales_per(20_s), log, out};
    CHECK(second.metrics().records == 0);
    CHECK(second.metrics().warnings.size() == 1);
    second.run();
    job third{at(files), sales_per(20_s), log, out};
    CHECK(third.metrics().records == 50);
}

TEST_CASE("if_changed::adopt keeps the state of operators that are the same, and says which begin empty",
    "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    auto const twice = [](duration second) {
        return from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>()
            | window(tumbling{30_s}, allowed_lateness{10_s}) | aggregate(count()).id("first"_name)
            | window(tumbling{second}) | aggregate(count()).id("second"_name);
    };
    memory_files files;
    nothing out;
    {
        job first{at(files), twice(60_s), log, out};
        first.run();
    }
    CHECK(code_of([&] { job second{at(files), twice(90_s), log, out}; }) == error_code::mismatch);
    job second{at(files, {.if_changed = if_changed::adopt}), twice(90_s), log, out};
    auto const now = second.metrics();
    CHECK(now.records == 50);
    CHECK(now.stage("first")->in() == 50);
    CHECK(now.stage("second")->in() == 0);
    REQUIRE(now.warnings.size() == 1);
    CHECK(has(now.warnings[0], "the state of aggregate 'second' begins empty: it is another one now"));
    CHECK_FALSE(has(now.warnings[0], "aggregate 'first' begins empty"));
}

TEST_CASE("a snapshot of other code is refused, unless somebody says what that means", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 50);
    upserts out;
    auto const start = [&](memory_files& files, std::string_view version, if_changed what) {
        job running{at(files, {.logic_version = version, .if_changed = what}), sales_per(10_s), log, out};
        auto const had = running.metrics().records;
        running.run();
        return had;
    };
    memory_files files;
    CHECK(start(files, "tax v1", if_changed::fail) == 0);
    CHECK(start(files, "tax v1", if_changed::fail) == 50);
    auto const said = message_of([&] { start(files, "tax v2", if_changed::fail); });
    CHECK((has(said, "tax v1") && has(said, "tax v2") && has(said, "adopt")));
    CHECK(start(files, "tax v2", if_changed::adopt) == 50);
    CHECK(start(files, "tax v2", if_changed::fail) == 50);
    CHECK(start(files, "tax v3", if_changed::restart) == 0);
    CHECK(start(files, "", if_changed::adopt) == 50);
    CHECK(start(files, "", if_changed::fail) == 50);  // the same program
}

TEST_CASE("another log, a shorter one, or one that retention has cut is refused", "[run][snapshots]") {
    test::temporary_folder const folder;
    memory_files files;
    upserts out;
    memory_log<sale> longer;
    append(longer, 0, 50);
    {
        job first{at(files), sales_per(10_s), longer, out};
        first.run();
    }
    memory_log<sale> shorter;
    append(shorter, 0, 49);
    CHECK(has(message_of([&] { job second{at(files), sales_per(10_s), shorter, out}; }), "ends at 49"));

    memory_files of_logs;
    file_log<sale> log{folder.path() + "/log", {.durable = every_batch}};
    append(log, 0, 50);
    {
        job first{at(of_logs), sales_per(10_s), log, out};
        first.run();
    }
    file_log<sale> other{folder.path() + "/other", {.durable = every_batch}};
    append(other, 0, 50);
    CHECK(has(message_of([&] { job second{at(of_logs), sales_per(10_s), other, out}; }), "is another log"));
    job same{at(of_logs), sales_per(10_s), log, out};
    CHECK(same.metrics().records == 50);
}

TEST_CASE("a snapshot is taken up by any number of threads", "[run][snapshots][threads]") {
    auto const expected = in_one_run(80);
    memory_files files;
    memory_log<sale> log;
    for (auto const threads : {1, 3, 2}) {
        append(log, static_cast<std::int64_t>(log.end_offset()), static_cast<std::int64_t>(log.end_offset()) + 20);
        staged_rows out{files, "out"};
        auto mode = at(files);
        mode.threads = threads;
        run(mode, sales_per(10_s), log, out);
    }
    append(log, 60, 80);
    staged_rows out{files, "out"};
    run(at(files, {}, drained), sales_per(10_s), log, out);
    CHECK(out.shown() == expected);
}

TEST_CASE("a job that was drained has ended, also when it is started again", "[run][snapshots]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 30);
    staged_rows out{files, "out"};
    run(at(files, {}, drained), sales_per(10_s), log, out);
    auto const shown = out.shown();
    CHECK(shown == in_one_run(30));
    for (auto const to : {drained, end_of_log, until::stopped}) {
        staged_rows again{files, "out"};
        run(at(files, {}, to), sales_per(10_s), log, again);
        CHECK(again.shown() == shown);
    }
    append(log, 30, 31);
    CHECK(code_of([&] {
        staged_rows again{files, "out"};
        run(at(files, {}, drained), sales_per(10_s), log, again);
    }) == error_code::stopped);
}

TEST_CASE("a sink of two phases needs snapshots, unless the run is one transaction", "[run][snapshots]") {
    memory_files files;
    memory_log<sale> log;
    append(log, 0, 30);
    staged_rows out{files, "out"};
    CHECK(code_of([&] { run(stream{.until = end_of_log}, sales_per(10_s), log, out); })
        == error_code::invalid_argument);
    staged_rows batch_out{files, "batch"};
    run(batch{}, sales_per(10_s), log, batch_out);
    CHECK(batch_out.shown() == in_one_run(30));
    staged_rows again{files, "batch"};
    CHECK(code_of([&] { run(batch{}, sales_per(10_s), log, again); }) == error_code::mismatch);
}

TEST_CASE("a full disk fails the job, or as many snapshots as are tolerated", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 100);
    auto const attempt = [&](std::size_t tolerated) {
        memory_files files;
        upserts out;
        job running{at(files, {.records = 10, .tolerated_failures = tolerated}), sales_per(10_s), log, out};
        running.poll(10);
        files.limit(0);
        for (int i = 0; i < 3; ++i) running.poll(10);
        REQUIRE(running.metrics().warnings.size() == 1);  // one line, however many there are
        CHECK(has(running.metrics().warnings[0], "snapshots that failed (the one before stays): 3; the last: "));
        CHECK(has(running.metrics().warnings[0], "No space left"));
        files.limit(~std::size_t{0});
        running.poll(10);
        CHECK(snapshot_store{"state", files}.read(5).records == 50);
        return running.metrics().records;
    };
    CHECK(attempt(3) == 50);
    CHECK(code_of([&] { attempt(2); }) == error_code::io);
}

TEST_CASE("a batch leaves its state, and a stream goes on from it at the exact offset", "[run][snapshots]") {
    test::temporary_folder const folder;
    auto const state = folder.path() + "/state";
    memory_log<sale> log;
    append(log, 0, 45);
    for (auto const threads : {1, 2}) {
        memory_log<sale> longer;
        append(longer, 0, 45);
        auto const rows = run(batch{.threads = threads, .leave_state = state.c_str()}, sales_per(10_s), longer);
        auto const plain = run(batch{}, sales_per(10_s), log);
        REQUIRE(rows.size() == plain.size());
        CHECK(std::equal(rows.begin(), rows.end(), plain.begin(), [](auto const& a, auto const& b) {
            return a.key == b.key && a.window == b.window && a.value == b.value;
        }));
        append(longer, 45, 80);
        upserts out;
        job running{stream{.snapshots = state, .until = drained}, sales_per(10_s), longer, out};
        CHECK(running.metrics().records == 45);
        for (auto const& each : rows) out.rows[{each.key, each.window.start.ms()}] = each.value;
        running.run();
        upserts whole;
        run(stream{.until = drained}, sales_per(10_s), longer, whole);
        CHECK(out.rows == whole.rows);
    }
}

TEST_CASE("with a sink of two phases only what is durable is read, and a log that never is makes no job",
    "[run][snapshots]") {
    test::temporary_folder const folder;
    memory_files files;
    staged_rows out{files, "out"};
    file_log<sale> never{folder.path() + "/never", {.durable = on_close}};
    CHECK(code_of([&] { job refused{at(files), sales_per(10_s), never, out}; }) == error_code::invalid_argument);

    file_log<sale> log{folder.path() + "/log", {.durable = every(1_h)}};
    append(log, 0, 30);
    log.sync();
    append(log, 30, 50);
    job running{at(files), sales_per(10_s), log, out};
    CHECK(running.poll() == 30);
    CHECK(running.poll() == 0);
    log.sync();
    CHECK(running.poll() == 20);
}

TEST_CASE("what was decided is kept beside the snapshots: a restart gives the panes of one run", "[run][snapshots]") {
    // Two partitions, one of them silent, and a trigger by the clock: idleness, clock and cuts are decided.
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>()
        | window(tumbling{10_s}, at_watermark().early(after(3_s)))
        | aggregate(count(), sum<&sale::cents>());
    auto const mode = [](memory_files& files) {
        auto out = at(files, {.records = 4});
        out.idle_after = 1_s;
        return out;
    };
    struct result {
        std::string shown;
        std::vector<std::string> journals;
    };
    auto const journals_in = [](memory_files& files) {
        std::vector<std::string> out;
        for (auto const& each : files.list("state")) {
            if (each.name.starts_with("journal")) out.push_back(each.name);
        }
        return out;
    };
    enum class end {
        drained,
        killed,
        without_power
    };
    auto const live = [&](end how) {
        memory_log<sale> log{2};
        memory_files files;
        fake_now = event_time{1'000'000'000'000};
        staged_rows out{files, "out"};
        {
            job running{mode(files), pipeline, log, out};
            for (std::int64_t i = 0; i < 31; ++i) {
                log.append(nth(i), i % 7 == 0 ? 1 : 0);
                fake_now = fake_now + 700_ms;
                if (i < 20) running.poll();
                else running.poll(1);
            }
            running.poll();
            fake_now = fake_now + 20_s;
            running.poll();  // early panes come due behind the last record
            if (how == end::drained) {
                running.drain();
                return result{out.shown(), journals_in(files)};
            }
            // What was decided before the last snapshot is as safe as that.
            if (how == end::without_power) running.save_snapshot();
        }
        if (how == end::killed) files.restart();
        else files.lose_power(7);
        staged_rows again{files, "out"};
        job running{mode(files), pipeline, log, again};
        running.drain();
        return result{again.shown(), journals_in(files)};
    };
    auto const whole = live(end::drained);
    CHECK(whole.shown.size() > 500);
    CHECK(whole.journals == std::vector<std::string>{"journal-1"});
    for (auto const how : {end::killed, end::without_power}) {
        auto const restarted = live(how);
        CHECK(restarted.shown == whole.shown);
        CHECK(restarted.journals == std::vector<std::string>{"journal-2"});
    }
}

TEST_CASE("a run to the present end reads to it, also behind a cut that its journal holds", "[run][snapshots]") {
    memory_log<sale> log{2};
    auto const more = [&](std::int64_t from, std::int64_t to) {
        for (auto i = from; i < to; ++i) log.append(nth(i), static_cast<std::uint32_t>(i % 2));
    };
    memory_files files;
    upserts out;
    more(0, 20);
    {
        job first{at(files), sales_per(10_s), log, out};
        first.run();
        more(20, 40);
        first.stop_snapshots();  // as if it died behind what it reads now
        first.run();
        CHECK(first.metrics().records == 40);
    }
    more(40, 50);
    job second{at(files), sales_per(10_s), log, out};
    CHECK(second.metrics().records == 20);
    second.run();
    CHECK(second.metrics().records == 50);
}

TEST_CASE("a job that begins anew leaves the journal aside, too", "[run][snapshots]") {
    auto const fill = [](memory_log<sale>& log, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) log.append(nth(i), static_cast<std::uint32_t>(i % 2));
    };
    memory_files files;
    upserts out;
    memory_log<sale> before{2};
    fill(before, 40);
    run(at(files), sales_per(10_s), before, out);
    memory_log<sale> now{2};  // other records, and fewer
    fill(now, 30);
    SECTION("because it is told to") {
        job again{at(files, {.begin_anew = true}), sales_per(10_s), now, out};
        again.run();
        CHECK(again.metrics().records == 30);
    }
    SECTION("because the pipeline has changed") {
        job again{at(files, {.if_changed = if_changed::restart}), sales_per(20_s), now, out};
        again.run();
        CHECK(again.metrics().records == 30);
    }
}

TEST_CASE("a job that takes no more snapshots reads on where one would be due", "[run][snapshots]") {
    memory_log<sale> log;
    append(log, 0, 20);
    memory_files files;
    upserts out;
    {
        job first{at(files, {.records = 7}), sales_per(10_s), log, out};
        first.run();
        first.stop_snapshots();
        append(log, 20, 100);
        first.run();
        first.save_snapshot();
        CHECK(first.metrics().records == 100);
    }
    job second{at(files), sales_per(10_s), log, out};
    CHECK(second.metrics().records == 20);
}
