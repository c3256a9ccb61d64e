// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/latest.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/io/compact.hpp>
#include <driftless/io/csv_rows.hpp>
#include <driftless/io/directory_sink.hpp>
#include <driftless/io/into.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <io/sink_conformance.hpp>
#include <io/small_log.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace latest_test {
using namespace driftless;
struct sale {
    text shop;
    std::int64_t cents;
    event_time at;
};
}  // namespace latest_test
BOOST_HANA_ADAPT_STRUCT(latest_test::sale, shop, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using namespace sink_conformance;
using latest_test::sale;
using logged = logged_row<std::int64_t, std::int64_t>;
using named = logged_row<text, std::int64_t>;

template <class Rows>
std::vector<std::string> shown(Rows const& rows) {
    std::vector<std::string> out;
    for (auto const& each : rows) {
        std::string key;
        if constexpr (requires { each.key.view(); }) key = each.key.str();
        else key = std::to_string(each.key);
        out.push_back(key + "@" + std::to_string(each.window.start.ns()) + "=" + std::to_string(each.value));
    }
    return out;
}
/// What a sink is given, in order.
struct recorder {
    std::vector<std::string> calls{};
    void write(row const& each) { calls.push_back(line(each.key, each.value)); }
    void remove(std::int64_t key, time_window) { calls.push_back("-" + std::to_string(key)); }
};
struct appender {
    std::vector<std::string> calls{};
    void write(row const& each) { calls.push_back(line(each.key, each.value)); }
};
}  // namespace

static_assert(delivery_of<latest_sink<recorder, row>> == delivery::at_least_once);
static_assert(delivery_of<latest_sink<directory_sink<row>, row>> == delivery::exactly_once);
static_assert(transactional_sink<latest_sink<recorder, row>>);
template <class Sink>
concept removes = requires(Sink& sink) { sink.remove(std::int64_t{}, time_window{}); };
static_assert(removes<latest_sink<recorder, row>>);
static_assert(!removes<latest_sink<appender, row>>);
static_assert(!removes<latest_sink<directory_sink<row>, row>>);
static_assert(removes<latest_sink<directory_sink<logged>, logged>>);

TEST_CASE("latest gives a sink the newest row of each key and window, once per transaction", "[io][latest]") {
    recorder target;
    auto sink = latest<row>(target);
    sink.recover(at(0, 0, 1));
    sink.write(made(2, 1));
    sink.write(made(1, 1));
    sink.write(made(2, 2));
    sink.write(row{2, hour(1), 9, {}});  // another window
    sink.write(made(3, 1));
    sink.remove(std::int64_t{3}, hour(3));
    sink.remove(std::int64_t{4}, hour(4));
    sink.write(made(4, 5));
    CHECK(target.calls.empty());
    CHECK(sink.size() == 5);
    sink.prepare(1);
    sink.commit(1);
    auto calls = target.calls;
    REQUIRE(calls.size() == 5);
    CHECK(std::vector<std::string>(calls.begin() + 2, calls.end()) == std::vector<std::string>{"2=2", "-3", "4=5"});
    std::sort(calls.begin(), calls.begin() + 2);  // one window: by hash
    CHECK(calls[0] == "1=1");
    CHECK(calls[1] == "2=9");
    target.calls.clear();
    sink.prepare(2);
    CHECK(target.calls.empty());
    sink.write(made(1, 7));
    sink.prepare(3);
    CHECK(target.calls == std::vector<std::string>{"1=7"});
    sink.commit(3);
    CHECK(sink.committed() == 3);
    sink.write(made(1, 8));
    sink.recover(at(3, 1, 2));  // nobody prepared it
    sink.prepare(4);
    CHECK(target.calls.size() == 1);
}

namespace {
/// Every row has a window of its own, so that nothing is left out and the order is known.
template <class Subject>
struct in_front {
    memory_files files;
    std::optional<file_log<logged>> log;
    void open() { log.emplace("log", test::small_log(files)); }
    void close() { log.reset(); }
    struct owner {
        log_sink<file_log<logged>> inner;
        latest_sink<log_sink<file_log<logged>>, logged> outer;
        std::int64_t at = 0;
        owner(file_log<logged>& to, sink_options how) : inner(to, std::move(how)), outer(latest(inner)) {}
        void write(row const& each) { outer.write(row{each.key, {event_time{at}, event_time{++at}}, each.value, {}}); }
        void recover(sink_position const& from) { outer.recover(from); }
        void prepare(std::uint64_t n) { outer.prepare(n); }
        void commit(std::uint64_t n) { outer.commit(n); }
        [[nodiscard]] std::uint64_t committed() const { return outer.committed(); }
    };
    auto sink(std::string name = "out") {
        return std::make_unique<owner>(*log, sink_options{name, name == "late" ? 1U : 0U});
    }
    lines seen(std::string const& job = "job", std::string const& name = "out") {
        lines out;
        bool const two = log->files().exists("log/sinks/job.1.out.committed");
        driftless::detail::each_record(*log, [&](std::uint32_t, std::uint64_t, logged const& each) {
            if (each.version.build != (name == "late" ? 1U : 0U)) return;
            if (two && (each.value == 2) != (job == "job.1")) return;
            out.push_back(line(each.key, each.value));
        });
        return out;
    }
    std::size_t leftovers() { return log->prepared().size() + log->unfinished().size(); }
};
}  // namespace
TEST_CASE("latest in front of a sink of two phases has two phases", "[io][sink][latest]") {
    all_of_it<in_front<row>>();
}

TEST_CASE("latest reads the last version of each row from a log of changes", "[io][latest]") {
    memory_files files;
    file_log<named> log{"log", test::small_log(files, 2)};
    log_sink stream{log, {.name = "stream", .build = 1}};
    log_sink corrected{log, {.name = "batch", .build = 2}};
    stream.recover({});
    corrected.recover({});
    auto const pane_of = [](text key, std::int64_t value) { return pane<text, std::int64_t>{key, hour(1), value, {}}; };
    corrected.write(pane_of(text{"a"}, 100));
    corrected.prepare(1);
    corrected.commit(1);
    stream.write(pane_of(text{"a"}, 1));  // comes later, and is of a lesser build
    stream.write(pane_of(text{"b"}, 2));
    stream.retract(pane_of(text{"b"}, 2));
    stream.write(pane_of(text{"b"}, 3));
    stream.write(pane_of(text{"c"}, 4));
    stream.remove(text{"c"}, hour(1));
    stream.write(pane_of(text{"d"}, 5));
    stream.remove(text{"d"}, hour(1));
    stream.write(pane_of(text{"d"}, 6));
    stream.write(pane<text, std::int64_t>{text{"a"}, hour(0), 7, {}});
    stream.prepare(1);
    stream.commit(1);
    auto rows = shown(latest(log));
    CHECK(rows.front() == "a@0=7");
    std::sort(rows.begin(), rows.end());
    CHECK(rows == std::vector<std::string>{"a@0=7", "a@10=100", "b@10=3", "d@10=6"});

    memory_files others;
    for (std::uint32_t const partitions : {1U, 2U}) {
        file_log<named> smaller{"smaller" + std::to_string(partitions), test::small_log(others, partitions)};
        auto const done = compact(log, smaller);
        CHECK(done.read == 11);
        CHECK(done.kept == 5);
        CHECK(shown(latest(smaller)) == shown(latest(log)));
        CHECK_THROWS_AS(compact(log, smaller), error);
        file_log<named> least{"least" + std::to_string(partitions), test::small_log(others, partitions)};
        CHECK(compact(log, least, {.keep_removed = false}).kept == 4);
        CHECK(shown(latest(least)) == shown(latest(log)));
    }
}

TEST_CASE("compact keeps the last of equal versions, in the order of the log", "[io][latest]") {
    memory_log<logged> log{2};
    auto const put = [&](std::int64_t key, std::int64_t value, std::uint64_t sequence, std::uint32_t partition) {
        log.append(logged{key, hour(1), value, {}, row_kind::written, {0, sequence}}, partition);
    };
    put(5, 1, 1, 1);
    put(7, 1, 2, 1);
    put(5, 2, 1, 1);
    put(6, 9, 4, 0);
    put(6, 3, 3, 0);
    put(8, 4, 5, 0);
    memory_log<logged> target{2};
    auto const done = compact(log, target);
    CHECK(done.read == 6);
    CHECK(done.kept == 4);
    std::vector<std::string> rows;
    driftless::detail::each_record(target, [&](std::uint32_t p, std::uint64_t offset, logged const& each) {
        rows.push_back(std::to_string(p) + "/" + std::to_string(offset) + " " + line(each.key, each.value));
    });
    CHECK(rows == std::vector<std::string>{"0/0 6=9", "0/1 8=4", "1/0 7=1", "1/1 5=2"});
    memory_log<logged> const nothing;
    memory_log<logged> empty;
    CHECK(compact(nothing, empty).read == 0);
}

namespace {
sale nth(std::uint64_t i) {
    static char const* const shops[] = {"north", "south", "east", "a shop with a longer name"};
    auto const mixed = i * 0x9e3779b97f4a7c15ULL >> 40;
    auto const at = static_cast<std::int64_t>(i * 900 + mixed % 7000);
    return {text{shops[mixed % 4]}, static_cast<std::int64_t>(i), event_time{at}};
}
auto sessions() {  // corrected and removed as they merge
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{duration{500}}) | key_by<&sale::shop>()
        | window(session{duration{3000}}, allowed_lateness{duration{100'000}})
        | aggregate(sum<&sale::cents>());
}
}  // namespace

TEST_CASE("a log of changes, compacted or not, ends in what a batch says", "[io][latest][equivalence]") {
    memory_log<sale> sales;
    for (std::uint64_t i = 0; i < 700; ++i) sales.append(nth(i));
    auto const expected = run(batch{}, sessions(), sales);
    std::vector<std::string> want;
    for (auto const& each : expected) {
        want.push_back(each.key + "@" + std::to_string(each.window.start.ns()) + "=" + std::to_string(each.value));
    }
    std::uint64_t direct = 0;
    for (bool const resolved : {false, true}) {
        for (std::uint64_t const every : {7U, 100U, 0U}) {
            memory_files files;
            auto durable = test::small_log(files);
            durable.durable = every_batch;
            file_log<named> changes{"changes", durable};
            {
                log_sink into_changes{changes};
                snapshot_options const often{.every = {}, .records = every, .files = &files};
                stream const mode{.snapshots = "state", .until = drained, .snapshot_options = often};
                if (resolved) run(mode, sessions(), sales, latest(into_changes));
                else run(mode, sessions(), sales, into_changes);
            }
            CHECK(shown(latest(changes)) == want);
            if (!resolved) CHECK(changes.end_offset(0) > want.size() + 100);
            if (!resolved) direct = changes.end_offset(0);
            else if (every != 7) CHECK(changes.end_offset(0) < direct - 10);
            if (resolved && every == 0) CHECK(changes.end_offset(0) >= want.size());

            file_log<named> whole{"whole", test::small_log(files)};
            compact(changes, whole, {.keep_removed = false});
            CHECK(shown(latest(whole)) == want);
            CHECK(whole.end_offset(0) == want.size());

            // As a job that goes on: again from where it was.
            file_log<named> going{"going", test::small_log(files, 2)};
            for (auto const* const name : {"compaction", "compaction"}) {
                log_sink target{going};
                snapshot_options const often{.every = {}, .records = 50, .job = name, .files = &files};
                stream const mode{.snapshots = "compacted", .until = end_of_log, .snapshot_options = often};
                run(mode, from<named>(), changes, latest(target));
                CHECK(shown(latest(going)) == want);
            }
            for (std::uint32_t const p : {0U, 1U}) CHECK(going.end_offset(p) > 0);  // by key
        }
    }
}

TEST_CASE("a batch into latest gives each row once, in its final state", "[io][latest]") {
    memory_log<sale> sales;
    for (std::uint64_t i = 0; i < 200; ++i) sales.append(nth(i));
    auto const totals = from<sale>() | assign_time<&sale::at>(bounded_disorder{duration{500}}) | key_by<&sale::shop>()
        | window(tumbling{1_h}) | aggregate(sum<&sale::cents>());
    auto const expected = run(batch{}, totals, sales);
    memory_files files;
    directory_sink<pane<text, std::int64_t>> out{"out", {.files = &files}, {.window_columns = false}};
    run(batch{}, totals, sales, latest(out));
    std::string want = "key,value\n";
    for (auto const& each : expected) want += each.key + "," + std::to_string(each.value) + "\n";
    CHECK(read_whole_file("out/job.out.000000000001.csv", files) == want);
}
