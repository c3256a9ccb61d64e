// SPDX-License-Identifier: BSL-1.0
// The window cases of RisingWave's tests (DRIFTLESS_DATA_DIR/window_cases): inputs in steps, and what is there after
// each.
#include <driftless/agg.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/release_on_close.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace window_data {
struct reading {
    std::int64_t step;
    std::int64_t row_id;
    std::int64_t uid;
    std::int64_t v;
    event_time created_at;
};
struct measure {
    std::int64_t step;
    event_time tm;
    std::int64_t foo;
    std::int64_t bar;
};
}  // namespace window_data
BOOST_HANA_ADAPT_STRUCT(window_data::reading, step, row_id, uid, v, created_at);
BOOST_HANA_ADAPT_STRUCT(window_data::measure, step, tm, foo, bar);
using window_data::measure;
using window_data::reading;

namespace {
/// The folder of a case, or nothing where the data is not there; that is said.
std::optional<std::string> folder_of(char const* name) {
    char const* const data = std::getenv("DRIFTLESS_DATA_DIR");
    if (data == nullptr || !std::ifstream{std::string{data} + "/window_cases/README.md"}) {
        WARN("skipped: DRIFTLESS_DATA_DIR is not set, or holds no window_cases");
        return {};
    }
    return std::string{data} + "/window_cases/" + name + "/";
}
template <class T>
std::vector<T> rows_of(std::string const& path, csv_options<T> how = {}) {
    std::vector<T> out;
    csv_reader<T> reader{csv_input{path}, std::move(how)};
    for (T row; reader.next(row);) out.push_back(row);
    REQUIRE_FALSE(out.empty());
    return out;
}
/// The lines of an expected file behind its header, sorted.
using lines = std::vector<std::string>;
lines sorted(lines all) {
    std::sort(all.begin(), all.end());
    return all;
}
lines lines_of(std::string const& path) {
    std::ifstream file{path};
    lines all;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) all.push_back(line);
    REQUIRE_FALSE(all.empty());
    return sorted(all);
}
std::string fields_of(auto const&... fields) {
    std::string out;
    ((out += (out.empty() ? "" : ",") + std::to_string(fields)), ...);
    return out;
}
template <class T>
std::vector<T> up_to(std::vector<T> const& all, std::int64_t step) {
    std::vector<T> out;
    for (auto const& each : all) {
        if (each.step <= step) out.push_back(each);
    }
    return out;
}
/// The same rows, as a batch and as a stream that holds back for long enough.
template <class P, class T, class Line>
lines both_ways(P const& pipeline, std::vector<T> const& input, Line line) {
    lines batched;
    for (auto const& row : run(batch{}, pipeline, input)) batched.push_back(line(row));
    lines streamed;
    for (auto const& row : run(stream{.threads = 2, .until = drained}, pipeline, input)) streamed.push_back(line(row));
    CHECK(batched == streamed);
    return sorted(batched);
}

template <class Windows>
void check_readings(std::vector<reading> const& input, std::string const& expected, Windows windows,
    std::int64_t step = 1) {
    INFO(expected);
    auto const timed = from<reading>() | assign_time<&reading::created_at>(bounded_disorder{30_d});
    auto const per_window = timed | window(windows) | aggregate(sum<&reading::v>());
    auto const per_user = timed | key_by<&reading::uid>() | window(windows) | aggregate(sum<&reading::v>());
    if (std::ifstream{expected + "_sum.csv"}) {
        CHECK(both_ways(per_window, input, [&](auto const& row) {
            return fields_of(step, row.value, row.window.start.ms());
        }) == lines_of(expected + "_sum.csv"));
    }
    CHECK(both_ways(per_user, input, [&](auto const& row) {
        return fields_of(step, row.key, row.value, row.window.start.ms());
    }) == lines_of(expected + "_sum_by_uid.csv"));
    if (!std::ifstream{expected + "_assign.csv"}) return;
    lines assigned;
    for (auto const& row : input) {
        each_window(windows, row.created_at, [&](time_window w) {
            assigned.push_back(fields_of(step, row.row_id, row.uid, row.created_at.ms(), w.start.ms(), w.end.ms()));
        });
    }
    CHECK(sorted(assigned) == lines_of(expected + "_assign.csv"));
}
}  // namespace

TEST_CASE("tumble_hop_offset: tumbling and sliding windows, with and without offset", "[cases][data]") {
    auto const folder = folder_of("tumble_hop_offset");
    if (!folder) return;
    auto const input = rows_of<reading>(*folder + "input_t1.csv");
    check_readings(input, *folder + "expected_tumble_30m", tumbling{30_min});
    check_readings(input, *folder + "expected_tumble_30m_offset13m", tumbling{30_min, 13_min});
    check_readings(input, *folder + "expected_hop_15m_30m", sliding{30_min, 15_min});
    check_readings(input, *folder + "expected_hop_15m_30m_offset13m", sliding{30_min, 15_min, 13_min});
}

TEST_CASE("hop_days: two days, every day", "[cases][data]") {
    auto const folder = folder_of("hop_days");
    if (!folder) return;
    auto const input = rows_of<reading>(*folder + "input_t1.csv");
    check_readings(input, *folder + "expected_hop_1d_2d", sliding{2_d, 1_d}, 2);
}

TEST_CASE("session_gap_10m: every row with the first and last time of its session", "[cases][data]") {
    auto const folder = folder_of("session_gap_10m");
    if (!folder) return;
    auto const all = rows_of<measure>(*folder + "input_t.csv");
    auto const sessions = from<measure>() | assign_time<&measure::tm>(bounded_disorder{1_d}) | key_by<&measure::bar>()
        | window(session{10_min}) | aggregate(count());
    lines said;
    for (std::int64_t step = 1; step <= all.back().step; ++step) {
        auto const input = up_to(all, step);
        auto const found = run(batch{}, sessions, input);
        auto const streamed = run(stream{.until = drained}, sessions, input);
        REQUIRE(found.size() == streamed.size());
        for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i].window == streamed[i].window);
        for (auto const& row : input) {
            for (auto const& of : found) {
                if (of.key != row.bar || row.tm < of.window.start || row.tm >= of.window.end) continue;
                said.push_back(fields_of(step, row.tm.ms(), row.foo, row.bar, of.window.start.ms(),
                    (of.window.end - 10_min).ms()));
            }
        }
    }
    CHECK(sorted(said) == lines_of(*folder + "expected_sessions.csv"));
}

namespace {
/// The lines that are there after each step, in the order of the steps: what a sink has said till then.
template <class P, class Sink>
lines after_steps(P const& pipeline, std::vector<measure> const& all, Sink& sink, lines const& there) {
    memory_log<measure> log;
    lines said;
    job running{stream{}, pipeline, log, sink};
    for (std::int64_t step = 1; step <= all.back().step; ++step) {
        for (auto const& row : all) {
            if (row.step == step) log.append(row);
        }
        running.poll();
        for (auto const& row : there) said.push_back(std::to_string(step) + ',' + row);
    }
    return said;
}
constexpr auto measured = from<measure>() | assign_time<&measure::tm>(bounded_disorder{5_min});
}  // namespace

TEST_CASE("emit_on_close_max, R-01: a window comes out when the watermark has reached its end", "[cases][data]") {
    auto const folder = folder_of("emit_on_close_max");
    if (!folder) return;
    auto const all = rows_of<measure>(*folder + "input_t.csv", {.defaults = {csv_default{&measure::bar, 0}}});
    auto const greatest = measured | window(tumbling{1_h}) | aggregate(max<&measure::foo>());
    lines there;
    auto sink = to([&](pane<unkeyed, std::int64_t> const& row) {
        there.push_back(fields_of(row.window.start.ms(), row.value));
    });
    CHECK(sorted(after_steps(greatest, all, sink, there)) == lines_of(*folder + "expected_closed.csv"));
}

TEST_CASE("emit_on_close_rows: rows come out once the watermark has passed them, by time", "[cases][data]") {
    auto const folder = folder_of("emit_on_close_rows");
    if (!folder) return;
    auto const all = rows_of<measure>(*folder + "input_t.csv", {.defaults = {csv_default{&measure::bar, 0}}});
    auto const rows = measured | release_on_close();
    lines there;
    auto sink = to([&](measure const& row) { there.push_back(fields_of(row.tm.ms(), row.foo)); });
    auto const said = after_steps(rows, all, sink, there);
    CHECK(sorted(said) == lines_of(*folder + "expected_closed.csv"));
    CHECK(std::is_sorted(there.begin(), there.end()));  // times of one length

    // A batch says at once what the stream has said when it is drained.
    lines batched;
    for (auto const& row : run(batch{}, rows, all)) batched.push_back(fields_of(row.value.tm.ms(), row.value.foo));
    lines drained_lines;
    for (auto const& row : run(stream{.until = drained}, rows, all)) {
        drained_lines.push_back(fields_of(row.value.tm.ms(), row.value.foo));
    }
    CHECK(batched == drained_lines);
    CHECK(batched.size() == all.size());
}
