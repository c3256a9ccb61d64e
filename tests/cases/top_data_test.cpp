// SPDX-License-Identifier: BSL-1.0
// Best rows of windows in the cases of RisingWave's tests (DRIFTLESS_DATA_DIR/window_cases).
#include <driftless/op/top.hpp>

#include <driftless/agg.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
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

namespace top_data {
struct measure {
    std::int64_t step;
    event_time tm;
    std::int64_t foo;
};
struct bid {
    event_time bidtime;
    std::int64_t price;
    text item;
    text supplier_id;
};
struct supplier_totals {
    std::int64_t price, bids;
};
}  // namespace top_data
BOOST_HANA_ADAPT_STRUCT(top_data::measure, step, tm, foo);
BOOST_HANA_ADAPT_STRUCT(top_data::bid, bidtime, price, item, supplier_id);
BOOST_HANA_ADAPT_STRUCT(top_data::supplier_totals, price, bids);
using top_data::bid;
using top_data::measure;
using top_data::supplier_totals;

namespace {
using lines = std::vector<std::string>;
/// The folder of a case, or nothing where the data is not there; that is said.
std::optional<std::string> folder_of(char const* name) {
    char const* const data = std::getenv("DRIFTLESS_DATA_DIR");
    if (data == nullptr || !std::ifstream{std::string{data} + "/window_cases/README.md"}) {
        WARN("skipped: DRIFTLESS_DATA_DIR is not set, or holds no window_cases");
        return {};
    }
    return std::string{data} + "/window_cases/" + name + "/";
}
lines sorted(lines all) {
    std::sort(all.begin(), all.end());
    return all;
}
/// The lines of an expected file behind its header, sorted.
lines lines_of(std::string const& path) {
    std::ifstream file{path};
    lines all;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) all.push_back(line);
    REQUIRE_FALSE(all.empty());
    return sorted(all);
}
std::string line_of(time_window const& window, std::string const& fields) {
    return "1," + std::to_string(window.start.ms()) + "," + std::to_string(window.end.ms()) + "," + fields;
}
}  // namespace

TEST_CASE("emit_on_close_top1: the least of each window, once it has closed", "[cases][data][top]") {
    auto const folder = folder_of("emit_on_close_top1");
    if (!folder) return;
    std::vector<measure> all;
    csv_reader<measure> reader{csv_input{*folder + "input_t.csv"}};
    for (measure row; reader.next(row);) all.push_back(row);
    auto const least = from<measure>() | assign_time<&measure::tm>(bounded_disorder{5_min}) | window(tumbling{1_h})
        | top<&measure::foo>(1, ascending{});
    lines there;
    lines said;
    auto sink = to([&](pane<unkeyed, measure> const& row) {
        there.push_back(std::to_string(row.window.start.ms()) + "," + std::to_string(row.value.foo));
    });
    memory_log<measure> log;
    job running{stream{}, least, log, sink};
    for (std::int64_t step = 1; step <= all.back().step; ++step) {
        for (auto const& row : all) {
            if (row.step == step) log.append(row);
        }
        running.poll();
        for (auto const& row : there) said.push_back(std::to_string(step) + "," + row);
    }
    CHECK(sorted(said) == lines_of(*folder + "expected_closed.csv"));
}

TEST_CASE("window_top3: the dearest items of each window, and the suppliers that sold most", "[cases][data][top]") {
    auto const folder = folder_of("window_top3");
    if (!folder) return;
    memory_log<bid> log;
    csv_reader<bid> reader{csv_input{*folder + "input_bid.csv"}};
    for (bid row; reader.next(row);) log.append(row);
    auto const timed = from<bid>() | assign_time<&bid::bidtime>(bounded_disorder{1_h});
    auto const items = timed | window(tumbling{10_min}) | top<&bid::price>(3);
    auto const suppliers = timed | key_by<&bid::supplier_id>() | window(tumbling{10_min})
        | aggregate<supplier_totals>(sum<&bid::price>(), count()) | top<&supplier_totals::price>(3);

    auto const check = [&](auto const& mode, int threads) {
        INFO("threads " << threads);
        lines found;
        for (auto const& row : run(mode, items, log))
            found.push_back(line_of(row.window, row.value.item.str() + "," + std::to_string(row.value.price)));
        CHECK(sorted(found) == lines_of(*folder + "expected_top3_items.csv"));
        found.clear();
        for (auto const& row : run(mode, suppliers, log)) {
            found.push_back(line_of(row.window,
                row.key + "," + std::to_string(row.value.price) + "," + std::to_string(row.value.bids)));
        }
        CHECK(sorted(found) == lines_of(*folder + "expected_top3_suppliers.csv"));
    };
    for (int const threads : {1, 2}) {
        check(batch{.threads = threads}, threads);
        check(stream{.threads = threads, .until = drained}, threads);
    }
}
