// SPDX-License-Identifier: BSL-1.0
// bench/directory_sink.cpp - what it costs to write rows as CSV exactly once: 2M panes of 1,000 keys in four files.
// The floor writes the same bytes with a csv_writer over a stdio stream, and syncs each file; no books, no rename.
#include <driftless/core/pane.hpp>
#include <driftless/io/csv_writer.hpp>
#include <driftless/io/directory_sink.hpp>

#include <support/contest.hpp>
#include <support/scratch_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <unistd.h>

namespace dl = driftless;

struct totals {
    std::int64_t orders;
    std::int64_t cents;
    double mean;
};
BOOST_HANA_ADAPT_STRUCT(totals, orders, cents, mean);

namespace {
constexpr std::size_t row_count = 2'000'000;
constexpr std::size_t parts = 4;
using row = dl::pane<dl::text, totals>;

std::string by_hand(std::vector<row> const& rows, std::string const& folder) {
    dl::real_files().make_folder(folder);
    for (std::size_t part = 0; part < parts; ++part) {
        auto const path = folder + "/job.out." + dl::detail::padded_number(part + 1) + ".csv";
        std::FILE* const to = std::fopen(path.c_str(), "w");
        {
            dl::csv_writer out{to};
            out.write_row("key", "window_start_ms", "window_end_ms", "orders", "cents", "mean");
            for (std::size_t i = part * row_count / parts; i < (part + 1) * row_count / parts; ++i) {
                auto const& [key, window, value, info] = rows[i];
                out.write_row(key, window.start, window.end, value.orders, value.cents, value.mean);
            }
            out.flush();
        }
        ::fdatasync(::fileno(to));
        std::fclose(to);
    }
    return folder;
}
std::string exactly_once(std::vector<row> const& rows, std::string const& folder) {
    dl::directory_sink<row> out{folder};
    out.recover({"job", 0, 0, 1});
    for (std::size_t part = 0; part < parts; ++part) {
        for (std::size_t i = part * row_count / parts; i < (part + 1) * row_count / parts; ++i) out.write(rows[i]);
        out.prepare(part + 1);
        out.commit(part + 1);
    }
    return folder;
}
/// What the parts of a folder hold.
std::string content_of(std::string const& folder) {
    std::string all;
    for (auto const& part : dl::directory_parts(folder)) all += dl::read_whole_file(part.path).value();
    return all;
}
}  // namespace

int main() {
    bench::print_circumstances();
    bench::scratch_folder const folder;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < 1000; ++i) keys.push_back("article " + std::to_string(i * 7919 % 1000));
    std::vector<row> rows;
    for (std::size_t i = 0; i < row_count; ++i) {
        auto const n = static_cast<std::int64_t>(i);
        auto const start = dl::event_time::from_ms(1'700'000'000'000 + n / 1000 * 60'000);
        dl::time_window const window{start, start + dl::duration{60'000'000'000}};
        rows.push_back({dl::text{keys[i % 1000]}, window, {n % 97, n * 31, static_cast<double>(n) / 7}, {}});
    }
    if (content_of(by_hand(rows, folder.fresh("by_hand"))) != content_of(exactly_once(rows, folder.fresh("sink")))) {
        std::fprintf(stderr, "bench: directory_sink: the files do not hold the same rows\n");
        return 1;
    }
    bench::contest<std::size_t> game{"directory_sink", row_count};
    auto const rows_in = [&](std::string const& home) { return home.empty() ? 0 : row_count; };
    auto const floor = game.add("by hand", [&] { return rows_in(by_hand(rows, folder.fresh("by_hand"))); });
    auto const candidate = game.add("exactly once", [&] { return rows_in(exactly_once(rows, folder.fresh("sink"))); });
    game.run({.seconds = bench::full() ? 40.0 : 10.0, .least_rounds = 5});
    game.ratio("directory_sink", candidate, floor, {1.15});
}
