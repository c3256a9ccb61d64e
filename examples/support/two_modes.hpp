// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_TWO_MODES_HPP
#define EXAMPLES_SUPPORT_TWO_MODES_HPP

#include "options.hpp"
#include "output.hpp"
#include "runner.hpp"
#include "table.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <future>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace support {
namespace dl = driftless;

/// A table by name, and how to make it: make(runner const&) -> table.
template <class Make>
struct result {
    std::string_view name;
    Make make;
};
template <class Make>
result(std::string_view, Make) -> result<Make>;

/// Starts work on a thread of its own, or nothing.
template <class Work>
auto start_if(bool wanted, Work work) {
    return wanted ? std::async(std::launch::async, std::move(work)) : std::future<std::invoke_result_t<Work>>{};
}
template <class Table>
std::optional<Table> get_if_started(std::future<Table>& started) {
    if (!started.valid()) return std::nullopt;
    return started.get();
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
inline std::string throughput(char const* mode, std::uint64_t records, double seconds, char const* remark) {
    char out[160];
    std::snprintf(out, sizeof out, "%-6s  %llu records in %.3f s: %.2f M records/s%s\n", mode,
        static_cast<unsigned long long>(records), seconds, static_cast<double>(records) / 1e6 / seconds, remark);
    return out;
}

/// Where two tables part; empty if they do not.
template <class Table>
std::string first_difference(Table const& batch, Table const& stream) {
    auto const rows = std::max(batch.rows.size(), stream.rows.size());
    auto const shown = [](Table const& of, std::size_t row) {
        return row < of.rows.size() ? line_of(of.rows[row]) : std::string{"(no such row)\n"};
    };
    for (std::size_t i = 0; i < rows; ++i) {
        if (i < batch.rows.size() && i < stream.rows.size() && batch.rows[i] == stream.rows[i]) continue;
        return "row " + std::to_string(i + 1) + "\n  batch   " + shown(batch, i) + "  stream  " + shown(stream, i);
    }
    return {};
}

/// Makes the tables that are asked for: as streaming jobs that follow the log, each on a thread of its own, while
/// fill() appends to it on this one; then in batch over the whole log. Compares and prints them.
///
/// returns     the exit status: 1 if the modes differ
template <class Log, class Fill, class... Make>
int in_two_modes(options const& asked, Log const& log, Fill fill, result<Make> const&... results) {
    auto const wanted = [&](bool mode, std::string_view name) {
        return mode && (asked.result.empty() || asked.result == name);
    };

    std::stop_source complete;
    std::atomic<std::uint64_t> late{0};
    runner<Log> const follow{log, asked.threads, complete.get_token(), late};
    auto start = std::chrono::steady_clock::now();
    std::tuple following{start_if(wanted(asked.stream, results.name), [&] { return results.make(follow); })...};
    {
        struct completion {  // also when fill() throws: the streams come back
            std::stop_source& source;
            ~completion() { source.request_stop(); }
        } const at_end{complete};
        fill();
    }
    auto streams = std::apply([](auto&... each) { return std::tuple{get_if_started(each)...}; }, following);
    auto const stream_seconds = seconds_since(start);

    runner<Log> const read_all{log, asked.threads, std::nullopt, late};
    start = std::chrono::steady_clock::now();
    std::tuple batches{wanted(asked.batch, results.name) ? std::optional{results.make(read_all)} : std::nullopt...};
    auto const batch_seconds = seconds_since(start);

    std::string out;
    std::string differences;
    std::size_t rows = 0;
    auto const settle = [&](std::string_view name, auto& batch, auto& stream) {
        if (!batch && !stream) return;
        if (batch && stream) {
            auto const difference = first_difference(*batch, *stream);
            if (!difference.empty()) {
                differences += "batch and stream differ in " + std::string{name} + ", " + difference;
            }
        }
        auto& shown = batch ? *batch : *stream;
        std::sort(shown.rows.begin(), shown.rows.end());  // within a window, panes come in the order of the keys' hash
        rows += shown.rows.size();
        if (asked.csv && differences.empty()) write_csv(shown, stdout);
        if (!asked.csv) out += std::string{name} + '\n' + aligned(shown) + '\n';
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (settle(results.name, std::get<I>(batches), std::get<I>(streams)), ...);
    }(std::index_sequence_for<Make...>{});

    auto const records = log.end_offset();
    if (asked.stream) out += throughput("stream", records, stream_seconds, ", appending included");
    if (asked.batch) out += throughput("batch", records, batch_seconds, "");
    bool const equal = asked.batch && asked.stream && differences.empty();
    if (equal) out += "batch = stream, " + std::to_string(rows) + " rows\n";
    if (!asked.csv) print(out);
    if (late > 0) std::cerr << asked.program << ": the stream refused " << late << " records as late\n";
    std::cerr << differences;
    return differences.empty() ? 0 : 1;
}
}  // namespace support
#endif
