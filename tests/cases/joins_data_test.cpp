// SPDX-License-Identifier: BSL-1.0
// Joins in the window cases of RisingWave's tests (DRIFTLESS_DATA_DIR/window_cases): inputs in steps, and what is there
// after each.
#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/sorted_by_time.hpp>
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
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace joins_data {
struct entry {
    std::int64_t step;
    std::int64_t id;
    event_time ts;
    std::int64_t val;
};
struct located {
    std::int64_t step;
    event_time row_time;
    std::int64_t num;
    std::string id;
};
}  // namespace joins_data
BOOST_HANA_ADAPT_STRUCT(joins_data::entry, step, id, ts, val);
BOOST_HANA_ADAPT_STRUCT(joins_data::located, step, row_time, num, id);
using joins_data::entry;
using joins_data::located;

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
std::vector<T> rows_of(std::string const& path) {
    std::vector<T> out;
    csv_reader<T> reader{csv_input{path}, csv_options<T>{}};
    for (T row; reader.next(row);) out.push_back(row);
    REQUIRE_FALSE(out.empty());
    return out;
}
using lines = std::vector<std::string>;
lines sorted(lines all) {
    std::sort(all.begin(), all.end());
    return all;
}
/// The lines of an expected file by their first field, the step; "(none)" stands for no rows.
std::map<std::int64_t, lines> by_step(std::string const& path) {
    std::ifstream file{path};
    std::map<std::int64_t, lines> out;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        auto const comma = line.find(',');
        auto& of = out[std::stoll(line.substr(0, comma))];
        if (line.compare(comma, 7, ",(none)") != 0) of.push_back(line.substr(comma + 1));
    }
    REQUIRE_FALSE(out.empty());
    return out;
}
std::string joined_line(joined<entry, entry> const& both) {
    return std::to_string(both.left.id) + ',' + std::to_string(both.right.id) + ',' + std::to_string(both.left.ts.ms())
        + ',' + std::to_string(both.right.ts.ms());
}

/// Appends step by step; after each, what has come out so far is what the file says.
template <class P>
void check_steps(P const& pipeline, std::string const& folder, char const* expected, int threads) {
    auto const left = rows_of<entry>(folder + "input_left_table.csv");
    auto const right = rows_of<entry>(folder + "input_right_table.csv");
    auto const want = by_step(folder + expected);
    memory_log<entry> left_log;
    memory_log<entry> right_log;
    lines so_far;
    job running{stream{.threads = threads, .until = end_of_log}, pipeline, bind("left"_name, left_log),
        bind("right"_name, right_log), to([&](auto const& row) { so_far.push_back(joined_line(row.value)); })};
    for (std::int64_t step = 1; step <= 6; ++step) {
        for (auto const& each : left) {
            if (each.step == step) left_log.append(each);
        }
        for (auto const& each : right) {
            if (each.step == step) right_log.append(each);
        }
        running.run();
        INFO(expected << ", step " << step);
        if (auto const found = want.find(step); found != want.end()) CHECK(sorted(so_far) == sorted(found->second));
    }
}
auto table_of(auto name) {
    return from<entry>(name) | assign_time<&entry::ts>(bounded_disorder{5_s}) | key_by<&entry::id>();
}
}  // namespace

TEST_CASE("window_cases join_left_after_right", "[data][joins]") {
    auto const folder = folder_of("join_left_after_right");
    if (!folder) return;
    // left.ts >= right.ts; a day is more than the data spans.
    auto const pipe = join(table_of("left"_name), table_of("right"_name), interval{-1_d, 0_s});
    for (int const threads : {1, 2}) {
        check_steps(pipe, *folder, "expected_joined.csv", threads);
        check_steps(pipe | sorted_by_time(), *folder, "expected_closed.csv", threads);
    }
}

TEST_CASE("window_cases window_full_join", "[data][joins]") {
    auto const folder = folder_of("window_full_join");
    if (!folder) return;
    auto const in_windows = [](auto name) {
        return from<located>(name) | assign_time<&located::row_time>(bounded_disorder{5_min}) | key_by<&located::num>()
            | window(tumbling{5_min});
    };
    auto const pipe = join(in_windows("left"_name), in_windows("right"_name), full_outer{});
    auto const left = rows_of<located>(*folder + "input_lefttable.csv");
    auto const right = rows_of<located>(*folder + "input_righttable.csv");
    auto const want = by_step(*folder + "expected_full_join.csv").at(2);
    auto const lines_of = [](auto const& rows) {
        lines out;
        for (auto const& row : rows) {
            auto const side = [](std::optional<located> const& of) {
                return of ? std::to_string(of->num) + ',' + of->id + ',' : std::string{",,"};
            };
            out.push_back(side(row.value.left) + side(row.value.right) + std::to_string(row.window.start.ms()) + ','
                + std::to_string(row.window.end.ms()));
        }
        return sorted(out);
    };
    CHECK(lines_of(run(batch{}, pipe, bind("left"_name, left), bind("right"_name, right))) == sorted(want));
    memory_log<located> logs[2];
    for (auto const& each : left) logs[0].append(each);
    for (auto const& each : right) logs[1].append(each);
    CHECK(lines_of(run(stream{.until = drained}, pipe, bind("left"_name, logs[0]), bind("right"_name, logs[1])))
        == sorted(want));
}
