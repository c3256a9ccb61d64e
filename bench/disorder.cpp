// SPDX-License-Identifier: BSL-1.0
// bench/disorder.cpp - count and sum per key in windows of 10 s over records that come up to 100 s before or behind
// their place, as a stream: some twenty windows are open at any time. Against a ring of tables written by hand, the
// best of the three plans in support/tumbling_by_hand.hpp.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/tumbling_by_hand.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto size = 10_s;
constexpr auto disorder = 100_s;
constexpr std::size_t record_count = 2'000'000;

constexpr auto sales = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{2 * disorder})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{size})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

digest by_pipeline(dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(dl::stream{.until = dl::drained}, sales, log, dl::to([&](auto const& pane) {
        auto const& [count, sum] = pane.value;
        out.row(pane.key, pane.window.start.ns(), count, sum);
    }));
    out.applied = report.stages[0].applied;
    return out;
}
/// The size of a window is known when it is compiled: no division.
template <class Plan>
digest by_hand(std::vector<sale> const& records, std::size_t keys) {
    constexpr std::size_t open = 32;
    digest out;
    typename Plan::shared shared{keys};
    std::vector<typename Plan::table> ring;
    ring.reserve(open);
    for (std::size_t i = 0; i < open; ++i) ring.emplace_back(shared, keys);
    std::int64_t first = 0;  // the first window that has not fired
    std::int64_t newest = 0;
    auto const fire_until = [&](std::int64_t window) {
        for (; first < window; ++first) {
            auto& due = ring[static_cast<std::size_t>(first) % open];
            due.fire([&](auto const& key, std::int64_t count, std::int64_t sum) {
                out.row(key, first * size.ns(), count, sum);
            });
        }
    };
    for (auto const& record : records) {
        auto const at = record.at.ns();
        if (at > newest) {
            newest = at;
            auto const closed = (newest - 2 * disorder.ns()) / size.ns();
            if (closed > first) fire_until(closed);
        }
        ring[static_cast<std::uint64_t>(at) / static_cast<std::uint64_t>(size.ns()) % open].add(
            record.user, record.cents);
        ++out.applied;
    }
    fire_until(newest / size.ns() + 1);
    return out;
}

void contest(std::size_t keys) {
    auto const records = bench::make_sales(record_count, keys, 500_us, 2 * disorder, 1);
    dl::memory_log<sale> log;
    log.append(records);
    using namespace bench::by_hand;
    auto const name = "disorder_" + std::to_string(keys) + "_keys";
    bench::contest<digest> game{name.c_str(), record_count};
    auto const flat = game.add("flat tables by hand", [&] { return by_hand<flat_plan<integer_keys>>(records, keys); });
    auto const numbers =
        game.add("a dictionary by hand", [&] { return by_hand<dictionary_plan<integer_keys>>(records, keys); });
    auto const sparse = game.add("sparse by hand", [&] { return by_hand<sparse_plan<integer_keys>>(records, keys); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log); });
    game.run({.seconds = bench::full() ? 12.0 : 3.0, .least_rounds = 5});
    game.ratio(name.c_str(), pipeline, game.best({flat, numbers, sparse}), {1.1});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest(100);
    contest(10'000);
}
