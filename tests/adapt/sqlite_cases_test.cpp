// SPDX-License-Identifier: BSL-1.0
// Cases about exactly-once sinks, with a SQLite table as the target.
#include <driftless/adapt/sqlite.hpp>

#include <driftless/core/sink.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/job.hpp>
#include <driftless/state/keyed_state.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

using namespace driftless;
using namespace driftless::literals;

namespace sqlite_cases {
struct item {
    std::int64_t value;
};
struct numbered {
    std::int64_t key;
    std::int64_t value;
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
}  // namespace sqlite_cases
BOOST_HANA_ADAPT_STRUCT(sqlite_cases::item, value);
BOOST_HANA_ADAPT_STRUCT(sqlite_cases::numbered, key, value);
BOOST_HANA_ADAPT_STRUCT(sqlite_cases::running_sum::state, sum);
using namespace sqlite_cases;

namespace {
using items = sqlite_sink<item, sqlite_append>;

struct target {
    test::temporary_folder folder;
    std::string path = folder.path() + "/out.db";
    std::uint64_t instance = 0;

    [[nodiscard]] std::unique_ptr<items> restart(std::uint64_t snapshot, duration busy = 5_s) {
        auto made = std::make_unique<items>(path, sqlite_options{.table = "items", .busy_timeout = busy});
        made->recover({"job", snapshot, instance, instance + 1});
        ++instance;
        return made;
    }
    [[nodiscard]] std::vector<std::int64_t> committed() const {
        std::vector<std::int64_t> out;
        read_sqlite<item, sqlite_append>(
            path, {.table = "items"}, [&](item const& each) { out.push_back(each.value); });
        return out;
    }
};
using values = std::vector<std::int64_t>;
/// 42; snapshot; 43; snapshot; 44.
std::unique_ptr<items> three(target& to) {
    auto sink = to.restart(0);
    sink->write_record(item{42});
    sink->prepare(1);
    sink->write_record(item{43});
    sink->prepare(2);
    sink->write_record(item{44});
    return sink;
}
}  // namespace

TEST_CASE("F-22 (a) a commit shows all before it, and a late one for less changes nothing", "[cases][sqlite]") {
    target to;
    auto const sink = three(to);
    sink->prepare(3);
    CHECK(sink->pending() == 3);
    sink->commit(3);
    sink->commit(2);
    CHECK(to.committed() == values{42, 43, 44});
    CHECK(sink->pending() == 0);
    CHECK(sink->committed() == 3);
}

TEST_CASE("F-22 (b) a commit shows nothing that came behind it", "[cases][sqlite]") {
    target to;
    auto const sink = three(to);
    sink->commit(2);
    sink->write_record(item{45});
    sink->prepare(3);
    sink->prepare(4);
    CHECK(to.committed() == values{42, 43});
    CHECK(sink->pending() == 2);
}

TEST_CASE("F-22 (c) restore makes up for the commit of its snapshot and gives up what came behind",
    "[cases][sqlite]") {
    target to;
    three(to).reset();  // fails within the third snapshot
    auto const sink = to.restart(2);
    CHECK(to.committed() == values{42, 43});
    CHECK(sink->pending() == 0);
    sink->prepare(3);
    sink->commit(3);
    CHECK(to.committed() == values{42, 43});
}

TEST_CASE("E-04 a commit that had to be tried again is made on restore, once", "[cases][sqlite]") {
    target to;
    auto sink = to.restart(0, 20_ms);
    sink->write_record(item{1});
    sink->prepare(1);
    CHECK(to.committed().empty());
    sqlite3* other = nullptr;  // keeps the target locked: "try again"
    sqlite3_open(to.path.c_str(), &other);
    sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    CHECK_THROWS_AS(sink->commit(1), error);
    sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    CHECK(to.committed().empty());
    sink.reset();

    sink = to.restart(1);
    CHECK(to.committed() == values{1});
    CHECK(sink->pending() == 0);
    CHECK(sink->committed() == 1);
    sink->commit(1);
    CHECK(to.committed() == values{1});
}

namespace {
/// A job over two partitions that is restarted from its last snapshot.
template <class Pipeline, class Sink>
class restartable {
    Pipeline pipeline_;
    memory_log<numbered>* log_;
    std::string path_;
    sqlite_options how_;
    std::uint64_t snapshot_ = 0;
    std::uint64_t taken_by_ = 0;
    std::uint64_t instance_ = 0;
    std::string state_;
    std::unique_ptr<Sink> sink_;

public:
    restartable(Pipeline pipeline, memory_log<numbered>& log, std::string path, sqlite_options how)
        : pipeline_(pipeline), log_(&log), path_(std::move(path)), how_(std::move(how)) {}

    /// Starts, reads what there is, and snapshots `shown` of the two phases: both, or none, and then stops.
    void run(bool complete) {
        sink_ = std::make_unique<Sink>(path_, how_);
        sink_->recover({"copy", snapshot_, taken_by_, ++instance_});
        job running{stream{.until = end_of_log}, pipeline_, *log_,
            to([&](auto const& row) {
                sink_->write(row);
                ++written;
                if constexpr (requires { latest[row.key] = row.value; }) latest[row.key] = row.value;
            })};
        if (!state_.empty()) running.restore(state_);
        running.run();
        if (complete) {
            state_ = running.snapshot();
            sink_->prepare(++snapshot_);
            taken_by_ = instance_;
            sink_->commit(snapshot_);
        }
        sink_.reset();
    }
    std::uint64_t written = 0;
    std::map<std::int64_t, std::int64_t> latest;  // by key, committed or not
};
void append(memory_log<numbered>& log, std::int64_t keys, std::int64_t first, std::int64_t last) {
    for (auto value = first; value <= last; ++value) {
        for (std::int64_t key = 0; key < keys; ++key) log.append({key, value}, static_cast<std::uint32_t>(key % 2));
    }
}
values up_to(std::int64_t n) {
    values out;
    for (std::int64_t i = 0; i < n; ++i) out.push_back(i);
    return out;
}
}  // namespace

TEST_CASE("E-01 a copy whose task fails is there exactly once, in order, and readers go on", "[cases][sqlite]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/copy.db";
    using copied = pane<std::int64_t, numbered>;
    sqlite_options const how{.table = "copy", .key_columns = {"by"}, .window_columns = ""};
    memory_log<numbered> log{2};
    restartable<decltype(from<numbered>() | key_by<&numbered::key>()), sqlite_sink<copied, sqlite_append>> job{
        from<numbered>() | key_by<&numbered::key>(), log, path, how};
    /// Per key, what came behind a row that a reader had seen last.
    auto const read = [&](sqlite_row_id& seen, bool from_start) {
        std::vector<values> out(2);
        auto const after = seen;
        read_sqlite<copied, sqlite_append>(path, how, [&](copied const& row, sqlite_row_id id) {
            bool const old = id.epoch < after.epoch || (id.epoch == after.epoch && id.index <= after.index);
            if (old && !from_start) return;
            out[static_cast<std::size_t>(row.key)].push_back(row.value.value);
            seen = id;
        });
        return out;
    };
    append(log, 2, 0, 9);
    job.run(true);
    append(log, 2, 10, 14);
    job.run(false);
    CHECK(job.written == 30);  // 15 per key, for those who look at what is not committed
    sqlite_row_id seen;
    CHECK(read(seen, true) == std::vector<values>{up_to(10), up_to(10)});

    append(log, 2, 15, 19);
    job.run(true);
    CHECK(job.written == 50);
    auto rest = up_to(20);
    rest.erase(rest.begin(), rest.begin() + 10);
    CHECK(read(seen, false) == std::vector<values>{rest, rest});
    CHECK(read(seen, true) == std::vector<values>{up_to(20), up_to(20)});
}

TEST_CASE("E-02 running sums whose task fails add nothing twice", "[cases][sqlite]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/sums.db";
    using sum_row = pane<std::int64_t, std::int64_t>;
    sqlite_options const how{.table = "sums", .value_columns = {"total"}, .window_columns = ""};
    auto const sums = from<numbered>() | key_by<&numbered::key>()
        | process<std::int64_t>(running_sum{}, unbounded_state{});
    using keys_and_sums = std::vector<std::pair<std::int64_t, std::int64_t>>;
    auto const totals = [&](auto mode, std::string const& in) {
        keys_and_sums out;
        read_sqlite<sum_row, decltype(mode)>(
            in, how, [&](sum_row const& row) { out.emplace_back(row.key, row.value); });
        return out;
    };
    auto const both = [&](auto mode, std::string const& in) {
        memory_log<numbered> log{2};
        restartable<decltype(sums), sqlite_sink<sum_row, decltype(mode)>> job{sums, log, in, how};
        append(log, 2, 0, 9);
        job.run(true);
        append(log, 4, 10, 14);
        job.run(false);
        CHECK(keys_and_sums(job.latest.begin(), job.latest.end())
            == keys_and_sums{{0, 105}, {1, 105}, {2, 60}, {3, 60}});
        append(log, 2, 15, 19);
        job.run(true);
        CHECK(keys_and_sums(job.latest.begin(), job.latest.end())
            == keys_and_sums{{0, 190}, {1, 190}, {2, 60}, {3, 60}});
    };
    both(sqlite_upsert{}, path);
    CHECK(totals(sqlite_upsert{}, path)
        == keys_and_sums{{0, 190}, {1, 190}, {2, 60}, {3, 60}});

    auto const each = folder.path() + "/each.db";
    both(sqlite_append{}, each);
    auto const rows = totals(sqlite_append{}, each);
    CHECK(rows.size() == 50);
    for (std::int64_t key = 0; key < 4; ++key) {
        values seen;
        for (auto const& [of, total] : rows) {
            if (of == key) seen.push_back(total);
        }
        values expected;
        std::int64_t sum = 0;
        for (std::int64_t v = key < 2 ? 0 : 10; v <= (key < 2 ? 19 : 14); ++v) expected.push_back(sum += v);
        CHECK(seen == expected);
    }
}
