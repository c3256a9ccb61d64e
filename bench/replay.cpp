// SPDX-License-Identifier: BSL-1.0
// bench/replay.cpp - a new version of a view is built from the log: against a batch job into a view of the same kind,
// and from a snapshot at 90 % of the log against from the beginning. Files are in memory unless DRIFTLESS_BENCH_DIR
// says where.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/view/deployment.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/scratch_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
struct totals {
    std::int64_t sales, cents;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(totals, sales, cents);

namespace {
constexpr std::size_t records = 16'000'000;
constexpr std::size_t keys = 1'000;
constexpr auto step = 1_ms;
constexpr auto size_of_window = 1_h;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{size_of_window})
    | dl::aggregate<totals>(dl::count(), dl::sum<&sale::cents>());
constexpr auto tripled = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{size_of_window})
    | dl::aggregate<totals>(dl::count(), dl::sum([](sale const& s) { return 3 * s.cents; }));

using log_t = dl::file_log<sale>;
using view_t = dl::view<std::int64_t, totals>;
using shop_t = dl::deployment<std::int64_t, totals>;

bench::digest digest_of(view_t const& rows, dl::event_time until) {
    bench::digest out;
    rows.snapshot().for_each([&](auto const& row) {
        if (row.window.end <= until) out.row(row.key, row.window.start.ns(), row.value.sales, row.value.cents);
    });
    return out;
}

void build(shop_t& shop) {
    while (shop.phase() == dl::deployment_phase::replaying) shop.poll();
    if (shop.phase() != dl::deployment_phase::ready) std::exit(1);
}
void make_current(shop_t& shop, std::string const& logic, bool finish) {
    shop.deploy(logic);
    build(shop);
    shop.cut_over();
    if (finish) shop.finish();
}

void replay() {
    bench::scratch_folder const scratch;
    auto all = bench::make_sales(records, keys, step, 1_s);
    auto const last_told = all.back().at - 2_s;
    log_t log{scratch.fresh("log"), {.durable = dl::every_batch, .segment_bytes = std::uint64_t{8} << 20}};
    log.append(all.data(), all.data() + records / 10 * 9, 0);

    shop_t shop{scratch.fresh("shop"), {.keep = 4}};
    shop.define("plain", per_user, log);
    shop.define("tripled", tripled, log);
    shop.start();
    make_current(shop, "plain", false);  // its last snapshot stays at 90 %
    make_current(shop, "tripled", true);
    log.append(all.data() + records / 10 * 9, all.data() + records, 0);
    all = {};
    log.sync();
    while (shop.poll() != 0) {}

    bench::contest<bench::digest> game{"replay", records};
    auto const batch = game.add("batch", [&] {
        view_t into;
        dl::run(dl::batch{}, per_user, log, into);
        return digest_of(into, last_told);
    });
    auto const stream = game.add("stream", [&] {
        view_t into;
        dl::run(dl::stream{.until = dl::end_of_log}, per_user, log, into);
        return digest_of(into, last_told);
    });
    auto const of_candidate = [&] {
        auto const rows = shop.view().read_version(shop.candidate());
        auto const out = digest_of(*rows, last_told);
        shop.stop("measured");
        return out;
    };
    auto const beginning = game.add("from the beginning", [&] {
        shop.deploy("plain");
        build(shop);
        return of_candidate();
    });
    auto const snapshot = game.add("from a snapshot at 90 %", [&] {
        shop.deploy("plain", dl::replay_from::snapshot());
        build(shop);
        return of_candidate();
    });
    game.run({.seconds = bench::full() ? 20.0 : 5.0});
    game.info("stream_throughput", batch, stream);
    game.ratio("replay_throughput", batch, beginning, {0.9, true});
    game.ratio("replay_from_snapshot", beginning, snapshot, {8.0, true});
}
}  // namespace

int main() {
    bench::print_circumstances();
    replay();
}
