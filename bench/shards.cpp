// SPDX-License-Identifier: BSL-1.0
// bench/shards.cpp - count and sum per key in tumbling windows of 10 s: two threads against one. 1M keys over a log of
// two partitions, as a batch and as a stream; a batch over one partition, which is read in stretches of time, with 1M
// keys in two windows and with 1k keys in a hundred. Time is that of the wall: threads are about nothing else. Runs
// take turns.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/log/partitioner.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 1'000'000;
constexpr std::size_t key_count = 1'000'000;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

template <class Mode>
digest answer(Mode const& mode, dl::memory_log<sale> const& log) {
    digest out;
    auto const report = dl::run(mode, per_user, log, dl::to([&](auto const& pane) {
        auto const& [count, sum] = pane.value;
        out.row(pane.key, pane.window.start.ns(), count, sum);
    }));
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_of_all() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
struct lap {
    double wall = 0;
    double cpu = 0;
};
template <class F>
lap timed(F&& f, digest const& expected) {
    auto const wall = seconds();
    auto const cpu = cpu_of_all();
    auto const got = f();
    lap const took{seconds() - wall, cpu_of_all() - cpu};
    if (!(got == expected)) {
        std::fprintf(stderr, "shards: answers differ\n");
        std::exit(1);
    }
    return took;
}

template <class One, class Two>
void contest(char const* name, double goal, One one, Two two) {
    auto const expected = one();
    std::vector<double> quotients;
    std::vector<double> walls[2];
    std::vector<double> cpus[2];
    double const until = seconds() + (bench::full() ? 40.0 : 8.0);
    while (quotients.size() < 5 || seconds() < until) {
        auto const a = timed(one, expected);
        auto const b = timed(two, expected);
        quotients.push_back(a.wall / b.wall);
        walls[0].push_back(a.wall), walls[1].push_back(b.wall);
        cpus[0].push_back(a.cpu), cpus[1].push_back(b.cpu);
    }
    auto const ns = [](std::vector<double> const& of) {
        return bench::spread_of(of).median * 1e9 / static_cast<double>(record_count);
    };
    std::printf("info %s one thread %.1f ns/record, two %.1f; CPU time %.1f and %.1f, rounds %zu\n",
        bench::named(name).c_str(), ns(walls[0]), ns(walls[1]), ns(cpus[0]), ns(cpus[1]), quotients.size());
    auto const all = bench::spread_of(quotients);
    // What all processors did for the process tells a busy machine from a plan that does not scale.
    std::printf("info %s quartiles %.3f to %.3f; two threads had %.2f processors\n", bench::named(name).c_str(),
        all.low, all.high, ns(cpus[1]) / ns(walls[1]));
    std::printf("ratio %s %.3f goal >= %.2f\n", bench::named(name).c_str(), all.median, goal);
    std::fflush(stdout);
}
}  // namespace

int main() {
    bench::print_circumstances();
    auto const records = bench::make_sales(record_count, key_count, 10_us, disorder);
    dl::memory_log<sale> log{2};
    auto by_user = dl::partitioned(log, dl::by_key(&sale::user));
    for (auto const& each : records) by_user.append(each);
    auto const with = [&](auto mode) { return [&, mode] { return answer(mode, log); }; };
    contest("shards_batch", 1.6, with(dl::batch{}), with(dl::batch{.threads = 2}));
    contest("shards_stream", 1.6, with(dl::stream{.until = dl::drained}),
        with(dl::stream{.threads = 2, .until = dl::drained}));

    auto const in_stretches = [](char const* name, auto const& whole) {
        auto const over_it = [&](auto mode) { return [&, mode] { return answer(mode, whole); }; };
        contest(name, 1.0, over_it(dl::batch{}), over_it(dl::batch{.threads = 2}));
    };
    dl::memory_log<sale> whole;
    whole.append(records);
    in_stretches("shards_batch_one_partition", whole);
    dl::memory_log<sale> small_windows;
    small_windows.append(bench::make_sales(record_count, 1'000, 1_ms, disorder));
    in_stretches("shards_batch_small_windows", small_windows);
}
