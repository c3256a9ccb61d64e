// SPDX-License-Identifier: BSL-1.0
// bench/metrics.cpp - what it costs a job that another thread reads its metrics: count and sum per key in windows of
// ten seconds over 8M records of 10,000 keys, as a stream in polls of 16384 records, each of which publishes. Without a
// reader, against one that 100 times a second makes the whole Prometheus text and asks three alerts. What counts is the
// time of the job's thread. For information: a reader without pause, and the same job polled 64 records at a time.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/metrics/alerts.hpp>
#include <driftless/metrics/text.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/job_metrics.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t record_count = 8'000'000;
constexpr std::size_t key_count = 10'000;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

struct outcome {
    std::uint64_t rows = 0;
    std::int64_t cents = 0;
    friend bool operator==(outcome const&, outcome const&) = default;
};
enum class reader {
    none,
    hundred_a_second,
    without_pause
};

outcome run(dl::memory_log<sale> const& in, reader by, std::size_t poll) {
    outcome out;
    dl::job job{dl::stream{}, per_user, in, dl::to([&](auto const& row) {
                    ++out.rows;
                    out.cents += std::get<1>(row.value);
                })};
    std::atomic<bool> done{false};
    std::thread watching;
    if (by != reader::none) {
        watching = std::thread{[&] {
            dl::alerts watch;
            auto const ignore = [](dl::alert_event const&) {};
            watch.alert("driftless_lag_seconds", dl::above(1e9), ignore)
                .alert(dl::rate_of("driftless_refused_total", {{"reason", "late"}}), dl::above(1e9), ignore)
                .alert("driftless_state_bytes", dl::above(1e12), ignore);
            std::size_t bytes = 0;
            for (std::int64_t i = 0; !done.load(std::memory_order_relaxed); ++i) {
                auto const now = dl::event_time{} + i * 10_ms;
                auto const all = dl::metrics_of(job.metrics(), now, "sales");
                bytes += dl::prometheus_text(all).size();
                watch.look(all, now);
                if (by == reader::hundred_a_second) std::this_thread::sleep_for(std::chrono::milliseconds{10});
            }
            bench::keep(bytes);
        }};
    }
    while (job.poll(poll) != 0) {
    }
    job.drain();
    done = true;
    if (watching.joinable()) watching.join();
    return out;
}
}  // namespace

int main() {
    bench::print_circumstances();
    dl::memory_log<sale> in;
    in.append(bench::make_sales(record_count, key_count, 10_us, 1_s));
    bench::contest<outcome> game{"metrics_read", record_count};
    auto const floor = game.add("nobody reads", [&] { return run(in, reader::none, 16384); });
    auto const read = game.add("read 100 times a second", [&] { return run(in, reader::hundred_a_second, 16384); });
    auto const busy = game.add("read without pause", [&] { return run(in, reader::without_pause, 16384); });
    auto const small = game.add("polls of 64, nobody reads", [&] { return run(in, reader::none, 64); });
    game.run({.seconds = bench::full() ? 60.0 : 12.0, .least_rounds = 9});
    game.ratio("metrics_read", read, floor, {1.02});
    game.info("metrics_read_without_pause", busy, floor);
    game.info("metrics_small_polls", small, floor);
}
