// SPDX-License-Identifier: BSL-1.0
// bench/latency.cpp - from a record being appended to the row that it changes: count, sum and the newest stamp per key
// in windows of one hour, shown after every record. One thread appends a record every few microseconds, one looks for
// them without pause. By hand: a ring between the two, and a loop with a table of its own. Runs take turns; the ratio
// is that of the medians of all latencies of a run.
#include <driftless/agg/count.hpp>
#include <driftless/agg/min_max.hpp>
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

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

struct tick {
    std::int64_t user;
    std::int64_t cents;
    std::int64_t sent;  // ns of the steady clock
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(tick, user, cents, sent, at);

namespace {
constexpr std::size_t tick_count = 60'000;
constexpr std::size_t user_count = 1'000;
constexpr std::int64_t pace = 5'000;  // ns from one record to the next

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// What a run answered, and how long each row was under way.
struct run_result {
    std::uint64_t mixed = 0;
    std::uint64_t rows = 0;
    std::vector<double> took;

    run_result() { took.reserve(tick_count); }
    void row(std::int64_t user, std::int64_t count, std::int64_t sum, std::int64_t sent) {
        took.push_back(static_cast<double>(now() - sent));
        ++rows;
        mixed += static_cast<std::uint64_t>(user * 31 + count) * static_cast<std::uint64_t>(2 * sum + 1);
    }
};

/// Appends the ticks at their pace, each with the time at which it is.
template <class Append>
void produce(std::vector<tick> const& ticks, Append append) {
    auto due = now() + 1'000'000;
    for (auto each : ticks) {
        while ((each.sent = now()) < due) {
        }
        append(each);
        due += pace;
    }
}

constexpr auto per_user = dl::from<tick>()
    | dl::assign_time<&tick::at>(dl::bounded_disorder{5_s})
    | dl::key_by<&tick::user>()
    | dl::window(dl::tumbling{1_h}, dl::at_watermark().early(dl::every(1)))
    | dl::aggregate(dl::count(), dl::sum<&tick::cents>(), dl::max<&tick::sent>());

run_result by_driftless(std::vector<tick> const& ticks) {
    run_result out;
    dl::memory_log<tick> log;
    auto sink = dl::to(
        [&](auto const& pane) {
            auto const& [count, sum, sent] = pane.value;
            if (pane.info.timing == dl::timing::early) out.row(pane.key, count, sum, sent);
        },
        [](auto const&, dl::time_window) {});
    dl::job running{dl::stream{}, per_user, log, sink};
    std::thread producer{[&] { produce(ticks, [&](tick const& each) { log.append(each); }); }};
    while (out.rows < tick_count) running.poll();
    producer.join();
    return out;
}

/// One producer, one consumer.
class ring {
    static constexpr std::size_t size = 1 << 16;
    std::unique_ptr<tick[]> slots_{new tick[size]};
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};

public:
    void push(tick const& each) {
        auto const at = tail_.load(std::memory_order_relaxed);
        while (at - head_.load(std::memory_order_acquire) == size) {
        }
        slots_[at % size] = each;
        tail_.store(at + 1, std::memory_order_release);
    }
    bool pop(tick& into) {
        auto const at = head_.load(std::memory_order_relaxed);
        if (at == tail_.load(std::memory_order_acquire)) return false;
        into = slots_[at % size];
        head_.store(at + 1, std::memory_order_release);
        return true;
    }
};

run_result by_hand(std::vector<tick> const& ticks) {
    struct entry {
        std::int64_t user = 0;
        std::int64_t count = 0;
        std::int64_t sum = 0;
        std::int64_t sent = 0;
    };
    run_result out;
    constexpr std::size_t places = 1 << 13;
    std::vector<entry> table(places);
    constexpr std::int64_t hour = 3'600'000'000'000;
    std::int64_t newest = 0;
    ring between;
    std::thread producer{[&] { produce(ticks, [&](tick const& each) { between.push(each); }); }};
    tick each{};
    while (out.rows < tick_count) {
        if (!between.pop(each)) continue;
        auto const at = each.at.ns();
        if (at > newest) newest = at;
        // One window is open in this run; by hand this is all that is needed of time.
        if (at < 0 || at >= hour || newest - 5'000'000'000 >= hour) std::abort();
        auto place = static_cast<std::size_t>(bench::random{static_cast<std::uint64_t>(each.user)}()) % places;
        while (table[place].count != 0 && table[place].user != each.user) place = (place + 1) % places;
        auto& into = table[place];
        into.user = each.user;
        ++into.count;
        into.sum += each.cents;
        into.sent = std::max(into.sent, each.sent);
        out.row(into.user, into.count, into.sum, into.sent);
    }
    producer.join();
    return out;
}

std::pair<double, double> median_and_tail(std::vector<double>& took) {
    auto const at = [&](double share) {
        auto const place = took.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(took.size() - 1) * share);
        std::nth_element(took.begin(), place, took.end());
        return *place;
    };
    auto const half = at(0.5);
    return {half, at(0.99)};
}
}  // namespace

int main() {
    bench::print_circumstances();
    bench::random draw{7};
    std::vector<tick> ticks;
    for (std::size_t i = 0; i < tick_count; ++i) {
        ticks.push_back(
            {static_cast<std::int64_t>(draw.below(user_count)), static_cast<std::int64_t>(draw.below(10'000)), 0,
                dl::event_time{static_cast<std::int64_t>(i) * 1'000'000}});
    }
    std::vector<double> quotients;
    std::vector<double> medians[2];
    std::vector<double> tails[2];
    for (int round = 0; round < (bench::full() ? 21 : 7); ++round) {
        auto floor = by_hand(ticks);
        auto ours = by_driftless(ticks);
        if (floor.mixed != ours.mixed || floor.rows != ours.rows) {
            std::fprintf(stderr, "latency: answers differ\n");
            return 1;
        }
        auto const [floor_half, floor_tail] = median_and_tail(floor.took);
        auto const [half, tail] = median_and_tail(ours.took);
        quotients.push_back(half / floor_half);
        medians[0].push_back(floor_half), medians[1].push_back(half);
        tails[0].push_back(floor_tail), tails[1].push_back(tail);
    }
    auto const mid = [](std::vector<double> const& of) { return bench::spread_of(of).median; };
    std::printf("info %s p50 by hand %.0f ns, driftless %.0f; p99 %.0f and %.0f\n", bench::named("latency").c_str(),
        mid(medians[0]), mid(medians[1]), mid(tails[0]), mid(tails[1]));
    std::printf("ratio %s %.3f goal 1.30\n", bench::named("latency_p50").c_str(), mid(quotients));
}
