// SPDX-License-Identifier: BSL-1.0
// bench/sessions.cpp - count and sum per key in sessions with a gap of 60 s: 1M records, 100,000 keys, one record in
// twenty up to 5 s out of order, as a stream, against interval sets written by hand (support/sessions_by_hand.hpp).
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/sessions_by_hand.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto gap = 60_s;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 1'000'000;
constexpr std::size_t key_count = 100'000;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>()
    | dl::window(dl::session{gap})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

digest by_pipeline(dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(dl::stream{.until = dl::drained}, per_user, log,
        dl::to(
            [&](auto const& pane) {
                auto const& [count, sum] = pane.value;
                out.row(pane.key, pane.window.start.ns(), count, sum);
            },
            [&](std::int64_t, dl::time_window) { ++out.removed; }));
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}
digest by_hand(std::vector<sale> const& records) {
    digest out;
    bench::by_hand::interval_sets sets{gap.ns(), key_count};
    auto const row = [&](std::int64_t key, std::int64_t start, std::int64_t count, std::int64_t sum) {
        out.row(key, start, count, sum);
    };
    auto const removed = [&](auto const&...) { ++out.removed; };
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    for (auto const& each : records) {
        sets.add(each.user, each.at.ns(), each.cents, removed);
        if (each.at.ns() <= newest) continue;
        newest = each.at.ns();
        sets.advance(newest - disorder.ns(), row);
    }
    sets.advance(std::numeric_limits<std::int64_t>::max(), row);
    out.applied = sets.books.applied;
    out.late = sets.books.late;
    return out;
}

/// Records `step` apart: a short one makes long sessions.
void contest(char const* name, dl::duration step) {
    auto const records = bench::make_sales(record_count, key_count, step, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log); });
    game.run({.seconds = bench::full() ? 12.0 : 2.5, .least_rounds = 5});
    game.ratio(name, pipeline, floor, {1.3});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("sessions_of_2", 1_ms);
    contest("sessions_of_all", 100_us);
}
