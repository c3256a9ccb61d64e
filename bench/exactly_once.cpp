// SPDX-License-Identifier: BSL-1.0
// bench/exactly_once.cpp - what it costs that a file sink delivers exactly once: count and sum per key in windows of
// 10 s over 16M records of 100,000 keys, 1.6M rows, written to a file log. Without: the rows are appended as they come,
// and no snapshot is taken. With: log_sink, and four snapshots per second of CPU time: four times as many as asked for.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/snapshot_store.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/scratch_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t record_count = 16'000'000;
constexpr std::size_t key_count = 100'000;
constexpr auto between_snapshots = 250_ms;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());
using totals = std::tuple<std::int64_t, std::int64_t>;
using row = dl::logged_row<std::int64_t, totals>;
using row_log = dl::file_log<row>;

struct answer {
    std::uint64_t rows = 0;
    std::uint64_t applied = 0;
    friend bool operator==(answer const&, answer const&) = default;
};

/// All the work is done by the thread that is measured.
dl::event_time cpu_clock() { return dl::event_time{static_cast<std::int64_t>(bench::cpu_seconds() * 1e9)}; }
dl::file_log_options one_thread() { return {.durable = dl::on_close, .background = false}; }

answer without(dl::memory_log<sale> const& in, std::string const& home) {
    row_log out{home, one_thread()};
    dl::logged_version version;
    auto const report = dl::run(dl::stream{.until = dl::drained}, per_user, in, dl::to([&](auto const& pane) {
        out.append(row{pane.key, pane.window, pane.value, pane.info, dl::row_kind::written, version});
        ++version.sequence;
    }));
    return {out.end_offset(), report.stages[0].applied};
}
answer exactly_once(dl::memory_log<sale> const& in, std::string const& home) {
    row_log out{home, one_thread()};
    dl::log_sink sink{out};
    auto const state = home + "_state";
    auto const report = dl::run(
        dl::stream{.snapshots = state,
            .until = dl::drained,
            .clock = &cpu_clock,
            .snapshot_options = {.every = between_snapshots, .logic_version = "1"}},
        per_user, in, sink);
    return {out.end_offset(), report.stages[0].applied};
}
/// The rows of a log, mixed.
std::uint64_t content_of(std::string const& home) {
    row_log const log{home, {.access = dl::log_access::read}};
    std::uint64_t out = 0;
    for (auto at = log.begin_offset(), end = log.end_offset(); at < end;) {
        auto const block = log.read(0, at);
        block.each(0, block.size(), [&](std::size_t, row const& each) {
            out = out * 31 + static_cast<std::uint64_t>(each.key) + each.version.sequence
                + static_cast<std::uint64_t>(std::get<1>(each.value));
        });
        at += block.size();
    }
    return out;
}
}  // namespace

int main() {
    bench::print_circumstances();
    bench::scratch_folder const folder;
    dl::memory_log<sale> in;
    in.append(bench::make_sales(record_count, key_count, 10_us, 1_s));

    auto const home = [&](char const* name) {
        static_cast<void>(folder.fresh(std::string{name} + "_state"));
        return folder.fresh(name);
    };
    without(in, home("without"));
    exactly_once(in, home("exactly_once"));
    if (content_of(folder.path() + "/without") != content_of(folder.path() + "/exactly_once")) {
        std::fprintf(stderr, "bench: exactly_once: the two logs do not hold the same rows\n");
        return 1;
    }
    dl::snapshot_store const store{folder.path() + "/exactly_once_state", dl::real_files()};
    std::printf("info %llu snapshots in a run\n", static_cast<unsigned long long>(store.numbers().back()));

    bench::contest<answer> game{"exactly_once", record_count};
    auto const floor = game.add("without", [&] { return without(in, home("without")); });
    auto const candidate = game.add("exactly once", [&] { return exactly_once(in, home("exactly_once")); });
    game.run({.seconds = bench::full() ? 40.0 : 10.0, .least_rounds = 5});
    game.ratio("exactly_once", candidate, floor, {1.15});
}
