// SPDX-License-Identifier: BSL-1.0
// bench/tiered_log.cpp - reading a log of which 90 of 104 parts lie in a cold folder, against a file_log of the same
// records and compression; how fast segments move. Files are in memory unless DRIFTLESS_BENCH_DIR says where.
#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/tiered_log.hpp>
#ifdef DRIFTLESS_WITH_LZ4
#include <driftless/adapt/lz4.hpp>
#endif
#ifdef DRIFTLESS_WITH_ZSTD
#include <driftless/adapt/zstd.hpp>
#endif

#include <support/contest.hpp>
#include <support/logged_sales.hpp>
#include <support/scratch_folder.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace bench::logged;

namespace {
dl::file_log_options options_of(dl::compression by) {
    dl::file_log_options out;
    out.background = false;
    out.durable = dl::on_close;
    out.segment_bytes = std::uint64_t{1} << 20;
    out.compressed = by;
    return out;
}
template <class Layout>
void measure(bench::scratch_folder const& in, std::vector<sale> const& sales, dl::compression by,
    std::string const& name) {
    auto const plain_path = in.fresh("plain");
    {
        dl::file_log<sale, Layout> log{plain_path, options_of(by)};
        log.append(sales);
        log.close();
    }
    using tiered = dl::tiered_log<dl::file_log<sale, Layout>>;
    auto const open = [&, hot = in.fresh("hot"), cold = in.fresh("cold")](dl::log_access access) {
        auto options = options_of(by);
        options.access = access;
        return tiered{hot, dl::cold_folder{cold}, {.compressed = by}, options};
    };
    {
        auto log = open(dl::log_access::append);
        log.append(sales);
        log.sync();
        log.move_before(0, sales.size() * 90 / 104);
        log.close();
    }
    auto reading = options_of(by);
    reading.access = dl::log_access::read;
    dl::file_log<sale, Layout> const plain{plain_path, reading};
    auto const log = open(dl::log_access::read);
    bench::contest<digest> game{"tiered_read_" + name, sales.size()};
    auto const floor = game.add("file_log", [&] { return sum_cents(plain); });
    auto const both = game.add("tiered_log", [&] { return sum_cents(log); });
    game.run();
    game.ratio("tiered_read_" + name, both, floor, {1.10});

    bench::contest<digest> jobs{"tiered_job_" + name, sales.size()};
    auto const job_floor = jobs.add("file_log", [&] { return run_job(plain); });
    auto const job_both = jobs.add("tiered_log", [&] { return run_job(log); });
    jobs.run();
    jobs.ratio("tiered_job_" + name, job_both, job_floor, {1.10});
}

/// Everything is checked, compressed, written, synced and removed.
template <class Layout>
void move(
    bench::scratch_folder const& in, std::vector<sale> const& sales, dl::compression by, std::string const& name) {
    dl::tiered_log<dl::file_log<sale, Layout>> log{
        in.fresh("hot"), dl::cold_folder{in.fresh("cold")}, {.compressed = by}, options_of(dl::compression::none)};
    log.append(sales);
    log.sync();
    auto const begin = std::chrono::steady_clock::now();
    auto const moved = log.move_before(0, sales.size());
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
    std::printf("%s: %.0f MB/s, %.1f million records/s, %.2f of the bytes, %llu segments\n",
        bench::named("tiered_move_" + name).c_str(), static_cast<double>(moved.bytes_read) / 1e6 / took.count(),
        static_cast<double>(moved.records) / 1e6 / took.count(),
        static_cast<double>(moved.bytes_written) / static_cast<double>(moved.bytes_read),
        static_cast<unsigned long long>(moved.segments));
}
/// A tenth of the keys has most of the records.
void compact(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    dl::file_log<sale> log{in.fresh("log"), options_of(dl::compression::none)};
    log.append(sales);
    log.sync();
    auto const begin = std::chrono::steady_clock::now();
    auto const done = dl::compact_by_key(log, [](sale const& each) { return each.user; });
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
    std::printf("%s: %.1f million records/s, %.3f of the bytes are left\n", bench::named("compact_by_key").c_str(),
        static_cast<double>(sales.size()) / 1e6 / took.count(),
        static_cast<double>(done.bytes_after) / static_cast<double>(done.bytes_before));
}
}  // namespace

int main() {
    bench::scratch_folder const in;
    auto const sales = make_sales(1'000'000);
    measure<dl::rows>(in, sales, dl::compression::none, "rows");
    move<dl::rows>(in, sales, dl::compression::none, "rows");
#ifdef DRIFTLESS_WITH_LZ4
    measure<dl::rows>(in, sales, dl::compression::lz4, "rows_lz4");
    move<dl::rows>(in, sales, dl::compression::lz4, "rows_lz4");
#endif
#ifdef DRIFTLESS_WITH_ZSTD
    measure<dl::columns>(in, sales, dl::compression::zstd, "columns_zstd");
    move<dl::columns>(in, sales, dl::compression::zstd, "columns_zstd");
#endif
    compact(in, sales);
}
