// SPDX-License-Identifier: BSL-1.0
// bench/lambda.cpp - what a second layer costs: a log that grows, served by one job with a view, and by a
// lambda_coordinator whose T moves three times, every quarter of the log. All of it in one thread; the files of T are
// in memory unless DRIFTLESS_BENCH_DIR says where.
//
// What there is to read is 2.5 logs: the speed layer has every record once, the batches have 1 + 2 + 3 quarters. The
// goal leaves a fifth for publishing: rows are compared, written to a file, and read again by the next speed layer.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/view/lambda_coordinator.hpp>
#include <driftless/view/view.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/scratch_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

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
constexpr std::size_t records = 4'000'000;
constexpr std::size_t quarter = records / 4;
constexpr std::size_t keys = 1'000;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{1_min})
    | dl::aggregate<totals>(dl::count(), dl::sum<&sale::cents>());

/// Of windows that have closed; those open at T are served by two layers only.
template <class Rows>
bench::digest closed(Rows const& rows, dl::event_time until) {
    bench::digest out;
    rows.for_each([&](auto const& row) {
        if (row.window.end <= until) out.row(row.key, row.window.start.ns(), row.value.sales, row.value.cents);
    });
    return out;
}

void lambda() {
    bench::scratch_folder const scratch;
    auto const sales = bench::make_sales(records, keys, 1_ms, 1_s);
    auto const until = sales.back().at - 2_s;
    auto const grow = [&](dl::memory_log<sale>& log, std::size_t part) {
        log.append(sales.data() + part * quarter, sales.data() + (part + 1) * quarter, 0);
    };

    bench::contest<bench::digest> game{"lambda", records};
    auto const one = game.add("one job", [&] {
        dl::memory_log<sale> log;
        dl::view<std::int64_t, totals> into;
        dl::job follow{dl::stream{}, per_user, log, into};
        for (std::size_t part = 0; part < 4; ++part) {
            grow(log, part);
            while (follow.poll() != 0) {}
        }
        return closed(into.snapshot(), until);
    });
    auto const two = game.add("two layers", [&] {
        dl::memory_log<sale> log;
        dl::lambda_options how;
        how.logic_version = "1";
        dl::lambda_coordinator shop{scratch.fresh("shop"), how, per_user, log};
        for (std::size_t part = 0; part < 4; ++part) {
            if (part != 0 && !shop.run_batch()) std::exit(1);
            grow(log, part);
            while (shop.poll() != 0) {}
        }
        return closed(shop.view().snapshot(), until);
    });
    game.run({.seconds = bench::full() ? 30.0 : 10.0});
    game.ratio("lambda_two_layers", two, one, {3.0});
}
}  // namespace

int main() {
    bench::print_circumstances();
    lambda();
}
