// SPDX-License-Identifier: BSL-1.0
// Cases about delivery, with the sinks of io/ as targets: jobs with snapshots in a folder, stopped where the case says.
#include <driftless/io/directory_sink.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/io/outbox.hpp>
#include <driftless/io/outbox_sink.hpp>

#include <driftless/core/sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/job.hpp>
#include <driftless/state/keyed_state.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;
using testing::fault;
using testing::memory_files;

namespace sinks_cases {
struct numbered {
    std::int64_t key;
    std::int64_t value;

    friend bool operator==(numbered const&, numbered const&) = default;
};
struct running_sum {
    struct state {
        value_state<std::int64_t> sum;
    };
    void on_record(state& own, numbered const& record, auto& context) const {
        own.sum = own.sum.value_or(0) + record.value;
        context.emit(*own.sum);
    }
};
}  // namespace sinks_cases
BOOST_HANA_ADAPT_STRUCT(sinks_cases::numbered, key, value);
BOOST_HANA_ADAPT_STRUCT(sinks_cases::running_sum::state, sum);
using namespace sinks_cases;

namespace {
using values = std::vector<std::int64_t>;
event_time still() { return event_time{7}; }

/// CSV files of rows of Row, whose last two columns are a key and a value, or a value alone.
template <class Row>
struct in_files {
    memory_files files;
    void open() {
        if (files.make_folder("out")) files.sync_folder("");
    }
    void close() {}
    auto sink() {
        return std::make_unique<directory_sink<Row>>(
            "out", directory_options{.files = &files}, csv_rows{.window_columns = false});
    }
    std::vector<numbered> rows() {
        std::vector<numbered> out;
        for (auto const& part : directory_parts("out", files)) {
            auto const bytes = read_whole_file(part.path, files).value();
            for (auto from = bytes.find('\n') + 1; from < bytes.size(); from = bytes.find('\n', from) + 1) {
                auto const each = bytes.substr(from, bytes.find('\n', from) - from);
                out.push_back({std::stoll(each), std::stoll(each.substr(each.rfind(',') + 1))});
            }
        }
        return out;
    }
    std::size_t pending() {
        std::size_t count = 0;
        for (auto const& each : files.list("out/.staged")) count += each.name.ends_with(".csv") ? 1 : 0;
        return count;
    }
};
/// A log of the rows, in two partitions.
template <class Row>
struct in_a_log {
    memory_files files;
    std::optional<file_log<Row>> log;
    void open() {
        file_log_options how;
        how.partitions = 2;
        how.background = false;
        how.block_bytes = 1024;
        how.files = &files;
        how.clock = &still;
        how.id = {3, 4};
        log.emplace("log", how);
    }
    void close() { log.reset(); }
    auto sink() { return std::make_unique<log_sink<file_log<Row>>>(*log); }
    std::vector<numbered> rows() {
        std::vector<numbered> out;
        for (std::uint32_t p = 0; p < 2; ++p) {
            for (auto from = log->begin_offset(p); from < log->end_offset(p);) {
                auto const block = log->read(p, from);
                block.each(0, block.size(), [&](std::size_t, Row const& each) {
                    if constexpr (requires { each.info; }) out.push_back({each.key, each.value});
                    else out.push_back(each);
                });
                from += block.size();
            }
        }
        return out;
    }
    std::size_t pending() { return log->prepared().size(); }
};
using record = numbered;
using sum_row = pane<std::int64_t, std::int64_t>;
record item(std::int64_t value) { return {0, value}; }
values values_of(std::vector<numbered> const& rows, std::int64_t key = 0) {
    values out;
    for (auto const& each : rows) {
        if (each.key == key) out.push_back(each.value);
    }
    return out;
}
values up_to(std::int64_t n) {
    values out;
    for (std::int64_t i = 0; i < n; ++i) out.push_back(i);
    return out;
}
/// The process dies.
template <class Target>
void crash(Target& target) {
    target.close();
    target.files.restart();
    target.open();
}
}  // namespace

TEMPLATE_TEST_CASE("F-22 a two-phase sink, step by step", "[cases][sink]", in_files<record>, in_a_log<record>) {
    TestType target;
    target.open();
    auto sink = target.sink();
    sink->recover({"job", 0, 0, 1});
    sink->write_record(item(42));
    sink->prepare(1);
    sink->write_record(item(43));
    sink->prepare(2);
    sink->write_record(item(44));
    SECTION("(a) a notification for all, and a late one") {
        sink->prepare(3);
        sink->write_record(item(45));  // the open one
        sink->commit(3);
        sink->commit(2);
        CHECK(values_of(target.rows()) == values{42, 43, 44});
        CHECK(sink->open_rows() == 1);
    }
    SECTION("(b) a notification for what came before") {
        sink->prepare(3);
        sink->commit(2);
        sink->write_record(item(45));
        sink->prepare(4);
        CHECK(values_of(target.rows()) == values{42, 43});
        CHECK(target.pending() == 2);
    }
    SECTION("(c) a failure within the third, and a restore of the second") {
        sink.reset();
        crash(target);
        sink = target.sink();
        sink->recover({"job", 2, 1, 2});
        CHECK(values_of(target.rows()) == values{42, 43});
        CHECK(target.pending() == 0);
        CHECK(sink->open_rows() == 0);
    }
}

namespace {
/// Runs `pipeline` over `log` up to the end; with snapshots, one every so many records.
template <class Target, class P>
void run_once(Target& target, P const& pipeline, memory_log<numbered>& log, std::uint64_t every, bool stays) {
    auto const sink = target.sink();
    stream mode{.snapshots = "state", .until = end_of_log};
    mode.snapshot_options = {.every = {}, .records = every, .files = &target.files};
    job running{mode, pipeline, log, *sink};
    if (stays) return running.run();
    running.stop_snapshots();  // it reads all, and dies before its snapshot
    running.poll();
}
void append(memory_log<numbered>& log, std::int64_t keys, std::int64_t first, std::int64_t last) {
    for (auto value = first; value <= last; ++value) {
        for (std::int64_t key = 0; key < keys; ++key) log.append({key, value}, static_cast<std::uint32_t>(key % 2));
    }
}
auto copy() { return from<numbered>() | key_by<&numbered::key>(); }
auto sums() { return copy() | process<std::int64_t>(running_sum{}, unbounded_state{}); }
}  // namespace

TEMPLATE_TEST_CASE("B-05 where a job goes on behind a crash", "[cases][sink]", in_files<record>, in_a_log<record>) {
    memory_log<numbered> log;
    for (std::int64_t i = 0; i < 3; ++i) log.append(item(i));
    auto const seen = [](values& into) { return to([&](numbered const& each) { into.push_back(each.value); }); };
    auto const everything = from<numbered>();
    SECTION("(a) without a snapshot: from the beginning; a sink of two phases has shown nothing") {
        TestType target;
        target.open();
        values first;
        run(stream{.until = end_of_log}, everything, log, seen(first));
        CHECK(first == values{0, 1, 2});
        run_once(target, everything, log, 0, false);
        CHECK(target.rows().empty());
        crash(target);
        for (std::int64_t i = 3; i < 5; ++i) log.append(item(i));
        values second;
        run(stream{.until = end_of_log}, everything, log, seen(second));
        CHECK(second == values{0, 1, 2, 3, 4});
        run_once(target, everything, log, 0, true);
        CHECK(values_of(target.rows()) == values{0, 1, 2, 3, 4});
    }
    SECTION("(b) a snapshot per item: at the next one") {
        TestType target;
        target.open();
        {
            auto const sink = target.sink();
            stream mode{.snapshots = "state", .until = end_of_log};
            mode.snapshot_options = {.every = {}, .records = 1, .files = &target.files};
            job running{mode, everything, log, *sink};
            running.poll();
        }
        CHECK(values_of(target.rows()) == values{0, 1, 2});
        crash(target);
        for (std::int64_t i = 3; i < 5; ++i) log.append(item(i));
        values second;
        stream mode{.snapshots = "state", .until = end_of_log};
        mode.snapshot_options = {.every = {}, .records = 1, .files = &target.files};
        {
            memory_log<numbered>& again = log;
            auto const sink = target.sink();
            job running{mode, everything, again, *sink};
            CHECK(running.metrics().records == 3);
            CHECK(running.poll() == 2);
        }
        CHECK(values_of(target.rows()) == values{0, 1, 2, 3, 4});
    }
}

TEMPLATE_TEST_CASE("E-01 a copy whose task fails", "[cases][sink]", in_files<sum_row>, in_a_log<sum_row>) {
    auto const pipeline = copy() | map([](numbered const& each) { return each.value; });
    TestType target;
    target.open();
    memory_log<numbered> log{2};
    append(log, 2, 0, 9);
    run_once(target, pipeline, log, 0, true);
    append(log, 2, 10, 14);
    values uncommitted;
    run(stream{.until = end_of_log}, from<numbered>(), log, to([&](numbered const& each) {
        if (each.key == 0) uncommitted.push_back(each.value);
    }));
    CHECK(uncommitted.size() == 15);
    run_once(target, pipeline, log, 0, false);
    for (std::int64_t const key : {0, 1}) CHECK(values_of(target.rows(), key) == up_to(10));
    auto const before = target.rows();
    crash(target);
    append(log, 2, 15, 19);
    run_once(target, pipeline, log, 0, true);
    auto const after = target.rows();
    CHECK(after.size() == 40);
    for (std::int64_t const key : {0, 1}) {
        CHECK(values_of(after, key) == up_to(20));
        auto rest = values_of(after, key);  // of a reader that had read ten
        rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(values_of(before, key).size()));
        CHECK(rest == values{10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
    }
}

TEMPLATE_TEST_CASE("E-02 running sums whose task fails", "[cases][sink]", in_files<sum_row>, in_a_log<sum_row>) {
    TestType target;
    target.open();
    memory_log<numbered> log{2};
    append(log, 2, 0, 9);
    run_once(target, sums(), log, 0, true);
    append(log, 4, 10, 14);
    run_once(target, sums(), log, 0, false);
    CHECK(target.rows().size() == 20);
    crash(target);
    append(log, 2, 15, 19);
    run_once(target, sums(), log, 0, true);
    auto const rows = target.rows();
    CHECK(rows.size() == 50);
    std::map<std::int64_t, std::int64_t> last;
    for (std::int64_t key = 0; key < 4; ++key) {
        values expected;
        std::int64_t sum = 0;
        for (std::int64_t v = key < 2 ? 0 : 10; v <= (key < 2 ? 19 : 14); ++v) expected.push_back(sum += v);
        CHECK(values_of(rows, key) == expected);
        last[key] = sum;
    }
    CHECK(last == std::map<std::int64_t, std::int64_t>{{0, 190}, {1, 190}, {2, 60}, {3, 60}});
}

TEMPLATE_TEST_CASE("E-04 a commit that had to be tried again", "[cases][sink]", in_files<record>, in_a_log<record>) {
    TestType target;
    target.open();
    auto sink = target.sink();
    sink->recover({"job", 0, 0, 1});
    sink->write_record(item(1));
    sink->prepare(1);
    CHECK(target.rows().empty());
    target.files.inject(1, fault::fail);  // "retry"
    CHECK_THROWS_AS(sink->commit(1), error);
    target.files.inject(0, fault::fail);
    CHECK(target.rows().empty());
    sink.reset();
    crash(target);
    sink = target.sink();
    sink->recover({"job", 1, 1, 2});
    CHECK(values_of(target.rows()) == values{1});
    CHECK(target.pending() == 0);
    sink->commit(1);
    CHECK(values_of(target.rows()) == values{1});
}

TEST_CASE("E-02 as calls: each is made once and has one id though the job fails", "[cases][sink][outbox]") {
    in_files<record> target;
    target.open();
    memory_log<numbered> log{2};
    std::map<std::string, std::int64_t> calls;
    auto const run_and_call = [&](bool stays) {
        outbox_sink<sum_row> sink{"out", {.files = &target.files}};
        {
            stream mode{.snapshots = "state", .until = end_of_log};
            mode.snapshot_options = {.every = {}, .files = &target.files};
            job running{mode, sums(), log, sink};
            if (stays) {
                running.run();
            } else {
                running.stop_snapshots();
                running.poll();
            }
        }
        outbox<sum_row> box{"out", {.clock = &still, .files = &target.files}};
        box.deliver([&](effect<sum_row> const& each) {
            CHECK(calls.emplace(std::string{each.id}, each.row.value).second);
        });
    };
    append(log, 2, 0, 9);
    run_and_call(true);
    append(log, 4, 10, 14);
    run_and_call(false);
    CHECK(calls.size() == 20);
    crash(target);
    append(log, 2, 15, 19);
    run_and_call(true);
    CHECK(calls.size() == 50);
    CHECK(calls.count("job.out.49") == 1);
    std::int64_t total = 0;
    for (auto const& [id, value] : calls) total += value;
    std::int64_t expected = 0;
    for (std::int64_t key = 0; key < 4; ++key) {
        std::int64_t sum = 0;
        for (std::int64_t v = key < 2 ? 0 : 10; v <= (key < 2 ? 19 : 14); ++v) expected += sum += v;
    }
    CHECK(total == expected);
}
