// SPDX-License-Identifier: BSL-1.0
// bench/enrich.cpp - what enrich costs the thread of the job, beside the calls themselves, against what one would write
// by hand: a ring of records that are under way on the same pool of threads, handed on in their order. The answer is
// found in memory, in about a microsecond: what takes longer hides the difference.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/enrich.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/call_pool.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t record_count = 200'000;
constexpr std::size_t at_a_time = 64;
constexpr std::size_t threads = 2;

struct digest {
    std::uint64_t passed = 0;
    std::uint64_t mixed = 0;

    void row(sale const& s) {
        ++passed;
        mixed = (mixed ^ static_cast<std::uint64_t>(s.cents)) * 0x9e3779b97f4a7c15u;
    }
    friend bool operator==(digest const&, digest const&) = default;
};

std::int64_t price_of(sale const& s) {
    auto mixed = static_cast<std::uint64_t>(s.user);
    for (int i = 0; i < 300; ++i) mixed = (mixed ^ (mixed >> 29)) * 0x9e3779b97f4a7c15u;
    return static_cast<std::int64_t>(mixed % 1000);
}
sale priced(sale const& s, std::int64_t price) { return {s.user, s.cents * price, s.at}; }

struct slot final : dl::work_item {
    sale record{};
    std::int64_t answer = 0;
    std::atomic<bool> done{false};
    void work() noexcept override {
        answer = price_of(record);
        done.store(true, std::memory_order_release);
    }
};

digest by_hand(std::vector<sale> const& records) {
    digest out;
    dl::call_pool pool{threads};
    std::vector<slot> ring(at_a_time);
    std::size_t first = 0;
    std::size_t next = 0;
    auto const hand_on = [&] {
        auto& each = ring[first++ % at_a_time];
        while (true) {
            auto const seen = pool.finished();
            if (each.done.load(std::memory_order_acquire)) break;
            pool.wait(seen, 1_h);
        }
        out.row(priced(each.record, each.answer));
    };
    for (auto const& record : records) {
        if (next - first == at_a_time) hand_on();
        auto& each = ring[next++ % at_a_time];
        each.record = record;
        each.done.store(false, std::memory_order_relaxed);
        pool.submit(each);
    }
    while (first != next) hand_on();
    return out;
}
digest by_pipeline(dl::memory_log<sale> const& log) {
    digest out;
    dl::call_pool pool{threads};
    auto const p = dl::from<sale>() | dl::enrich(&price_of, dl::concurrency{at_a_time}, dl::calls_on(pool), &priced);
    dl::run(dl::stream{.until = dl::drained}, p, log, dl::to([&](sale const& s) { out.row(s); }));
    return out;
}
}  // namespace

int main() {
    bench::print_circumstances();
    std::vector<sale> records;
    bench::random draw{7};
    for (std::size_t i = 0; i < record_count; ++i) {
        auto const user = static_cast<std::int64_t>(draw.below(1'000'000));
        records.push_back({user, static_cast<std::int64_t>(draw.below(10'000)),
            dl::event_time{static_cast<std::int64_t>(i)}});
    }
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{"enrich", record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log); });
    game.run({.seconds = bench::full() ? 30.0 : 6.0, .least_rounds = 5});
    game.ratio("enrich", pipeline, floor, {1.3});
}
