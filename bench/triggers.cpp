// SPDX-License-Identifier: BSL-1.0
// bench/triggers.cpp - count and sum per key in tumbling windows: what it costs to say when windows fire. The default
// trigger must cost nothing; named ones keep a state for each key and window, and show more panes.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <cstdint>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
template <class... Options>
constexpr auto per_user(Options... options) {
    return dl::from<sale>()
        | dl::assign_time<&sale::at>(dl::bounded_disorder{5_s})
        | dl::key_by<&sale::user>()
        | dl::window(dl::tumbling{10_s}, options...)
        | dl::aggregate(dl::count(), dl::sum<&sale::cents>());
}

/// What the last panes come to: the same however many came before them.
struct digest {
    std::uint64_t rows = 0;
    std::uint64_t mixed = 0;
    friend bool operator==(digest const&, digest const&) = default;
};
template <class P>
digest streamed(P const& pipeline, dl::memory_log<sale> const& log) {
    digest out;
    static_cast<void>(dl::run(dl::stream{.until = dl::drained}, pipeline, log,
        dl::to(
            [&](auto const& pane) {
                if (!pane.info.last) return;
                auto const& [count, sum] = pane.value;
                ++out.rows;
                out.mixed += static_cast<std::uint64_t>(pane.key ^ pane.window.start.ns()) * 0x9e3779b97f4a7c15u
                    * static_cast<std::uint64_t>(2 * sum + count);
            },
            [](std::int64_t, dl::time_window) {})));
    return out;
}
}  // namespace

int main() {
    bench::print_circumstances();
    constexpr std::size_t records = 2'000'000;
    dl::memory_log<sale> log;
    bench::random draw{7};
    for (std::size_t i = 0; i < records; ++i) {
        auto const newest = static_cast<std::int64_t>(i) * 20'000 + (5_s).ns();
        log.append(sale{static_cast<std::int64_t>(draw.below(10'000)), static_cast<std::int64_t>(draw.below(1'000)),
            dl::event_time{newest - static_cast<std::int64_t>(draw.below(5'000'000'000))}});
    }
    bench::contest<digest> game{"triggers", records};
    auto const unsaid = game.add("unsaid", [&] { return streamed(per_user(), log); });
    auto const said =
        game.add("at_watermark", [&] { return streamed(per_user(dl::at_watermark(), dl::accumulating{}), log); });
    // The last pane of these is the same; they show others before it.
    game.add("never", [&] { return streamed(per_user(dl::never{}), log); });
    auto const early = game.add("early",
        [&] { return streamed(per_user(dl::at_watermark().early(dl::every(10))), log); });
    game.run({.seconds = 4, .least_rounds = 7});
    game.ratio("triggers_default", said, unsaid, {1.02});
    game.info("triggers_early_every_10", early, unsaid);
}
