// SPDX-License-Identifier: BSL-1.0
// bench/sorting.cpp - sorted_by_time over 1M records as a stream, against a priority queue of records written by hand
// that releases what the watermark has passed: in order, one record in twenty out of order, all of them.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/sorted_by_time.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <cstdint>
#include <limits>
#include <queue>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t record_count = 1'000'000;
constexpr auto step = 1_us;

/// What all records come to, in their order.
struct digest {
    std::uint64_t rows = 0;
    std::uint64_t mixed = 0;
    std::uint64_t late = 0;

    void row(sale const& s) {
        ++rows;
        mixed = (mixed ^ static_cast<std::uint64_t>(s.cents)) * 0x9e3779b97f4a7c15u;
        mixed += static_cast<std::uint64_t>(s.user);
    }
    friend bool operator==(digest const&, digest const&) = default;
};

/// One record in `one_in` is behind its time, by up to `disorder`.
std::vector<sale> make_records(dl::duration disorder, std::uint64_t one_in) {
    bench::random draw{7};
    std::vector<sale> out;
    out.reserve(record_count);
    for (std::size_t i = 0; i < record_count; ++i) {
        auto at = static_cast<std::int64_t>(i) * step.ns() + disorder.ns();
        if (disorder > dl::duration{} && draw.below(one_in) == 0)
            at -= static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(disorder.ns())));
        out.push_back({static_cast<std::int64_t>(draw.below(100'000)), static_cast<std::int64_t>(draw.below(10'000)),
            dl::event_time{at}});
    }
    return out;
}

digest by_pipeline(dl::memory_log<sale> const& log, dl::duration disorder) {
    digest out;
    auto const in_order = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
        | dl::sorted_by_time();
    auto const report =
        dl::run(dl::stream{.until = dl::drained}, in_order, log, dl::to([&](sale const& s) { out.row(s); }));
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}
digest by_hand(std::vector<sale> const& records, dl::duration disorder) {
    struct waiting {
        std::int64_t at;
        std::uint64_t nth;
        sale record;
        bool operator<(waiting const& other) const {  // the greatest is at the top
            return at != other.at ? at > other.at : nth > other.nth;
        }
    };
    digest out;
    std::priority_queue<waiting> held;
    auto watermark = std::numeric_limits<std::int64_t>::min();
    std::uint64_t nth = 0;
    for (auto const& each : records) {
        auto const at = each.at.ns();
        if (at < watermark) {
            ++out.late;
            continue;
        }
        held.push({at, nth++, each});
        if (at - disorder.ns() <= watermark) continue;
        watermark = at - disorder.ns();
        for (; !held.empty() && held.top().at < watermark; held.pop()) out.row(held.top().record);
    }
    for (; !held.empty(); held.pop()) out.row(held.top().record);
    return out;
}

void contest(char const* name, dl::duration disorder, std::uint64_t one_in) {
    auto const records = make_records(disorder, one_in);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records, disorder); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log, disorder); });
    game.run({.seconds = bench::full() ? 8.0 : 2.5, .least_rounds = 5});
    game.ratio(name, pipeline, floor, {1.2});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("sorted_in_order", 0_s, 1);
    contest("sorted_1_in_20_by_1000", 1_ms, 20);
    contest("sorted_all_by_1000", 1_ms, 1);
    contest("sorted_all_by_100k", 100_ms, 1);
}
