// SPDX-License-Identifier: BSL-1.0
// bench/sliding.cpp - windows of 60 s every second over 10,000 keys, one record in twenty up to 2 s out of order, as a
// stream, against columns of slices written by hand (support/sliding_by_hand.hpp): count and sum, from which a slice is
// subtracted, and those with a maximum, which takes two stacks. And windows of 600 slices against tumbling ones of the
// same size, 100 keys and 1,000 records a slice.
#include <driftless/agg/count.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>
#include <support/sliding_by_hand.hpp>

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 2_s;
constexpr std::size_t record_count = 2'000'000;

constexpr auto sales = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>();
constexpr auto minute = dl::window(dl::sliding{60_s, 1_s});
constexpr auto sums = sales | minute | dl::aggregate(dl::count(), dl::sum<&sale::cents>());
constexpr auto extremes = sales | minute | dl::aggregate(dl::count(), dl::sum<&sale::cents>(), dl::max<&sale::cents>());
constexpr auto of_600_slices =
    sales | dl::window(dl::sliding{600_s, 1_s}) | dl::aggregate(dl::count(), dl::sum<&sale::cents>());
constexpr auto of_one_slice =
    sales | dl::window(dl::tumbling{600_s}) | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

template <class Pipeline>
digest by_pipeline(Pipeline const& pipeline, dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(dl::stream{.until = dl::drained}, pipeline, log, dl::to([&](auto const& pane) {
        std::apply([&](auto... value) { out.row(pane.key, pane.window.start.ns(), value...); }, pane.value);
    }));
    out.applied = report.stages[0].applied;
    return out;
}
template <class Total, template <class> class Plan>
digest by_hand(std::vector<sale> const& records, std::size_t keys) {
    digest out;
    auto const books = bench::by_hand::slide<Total, Plan>(
        std::span{records}, keys, (60_s).ns(), (1_s).ns(), disorder.ns(), [](sale const& s) { return s.user; },
        [&](std::int64_t key, std::int64_t start, Total const& total) {
            auto const sum = bench::by_hand::narrowed(total.sum);
            if constexpr (requires { total.most; }) out.row(key, start, total.count, sum, total.most);
            else out.row(key, start, total.count, sum);
        });
    out.applied = books.applied;
    return out;
}

template <class Total, template <class> class Plan, class Pipeline>
void against_hand(char const* name, Pipeline const& pipeline, std::vector<sale> const& records,
    dl::memory_log<sale> const& log, std::size_t keys, bench::goal goal) {
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand<Total, Plan>(records, keys); });
    auto const candidate = game.add("pipeline", [&] { return by_pipeline(pipeline, log); });
    game.run({.seconds = bench::full() ? 12.0 : 2.5, .least_rounds = 5});
    game.ratio(name, candidate, floor, goal);
}

void many_slices(std::size_t keys) {
    auto const records = bench::make_sales(record_count, keys, 1_ms, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    // They do not do the same work: what must agree is that all records are in.
    bench::contest<std::uint64_t> game{"sliding_600_slices", record_count};
    auto const tumbling = game.add("tumbling", [&] { return by_pipeline(of_one_slice, log).applied; });
    auto const sliding = game.add("sliding", [&] { return by_pipeline(of_600_slices, log).applied / 600; });
    game.run({.seconds = bench::full() ? 12.0 : 2.5, .least_rounds = 5});
    game.ratio("sliding_600_slices", sliding, tumbling, {2.0});
}
}  // namespace

int main() {
    bench::print_circumstances();
    constexpr std::size_t keys = 10'000;
    auto const records = bench::make_sales(record_count, keys, 100_us, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    using namespace bench::by_hand;
    against_hand<sliding_sums, subtract_on_evict>("sliding_count_sum", sums, records, log, keys, {1.15});
    against_hand<sliding_extremes, two_stacks>("sliding_count_sum_max", extremes, records, log, keys, {1.2});
    many_slices(100);
}
