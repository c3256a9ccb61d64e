// SPDX-License-Identifier: BSL-1.0
// bench/view.cpp - what serving costs. Point reads: of 100,000 keys with two numbers each, asked for in random order,
// against a table behind a seqlock, written by hand: open addressing, half full, values and where the job stands read
// as atomic words between two looks at one sequence number. And the job: count and sum per key in windows of 10 s over
// 8M records of 100,000 keys, 0.8M rows; into a function, and into a view that keeps a minute of them.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/view/view.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t key_count = 100'000;
constexpr std::size_t reads = 1'000'000;
constexpr std::size_t record_count = 8'000'000;

struct totals {
    std::int64_t count;
    std::int64_t cents;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(totals, count, cents);

namespace {
/// What one thread writes and others read: a reader that met the writer asks again.
class seqlock_table {
    struct slot {
        std::atomic<std::uint64_t> key{0};  // plus one
        std::atomic<std::int64_t> count{0};
        std::atomic<std::int64_t> cents{0};
        std::atomic<std::uint64_t> version{0};
    };
    std::atomic<std::uint64_t> sequence_{0};
    std::atomic<std::uint64_t> state_[6] = {};  // version, epoch, watermark, progress, published, offset
    std::vector<slot> slots_;
    std::size_t mask_;

    slot& place(std::uint64_t key) {
        auto i = static_cast<std::size_t>(dl::mix64(key)) & mask_;
        while (slots_[i].key.load(std::memory_order_relaxed) != 0
            && slots_[i].key.load(std::memory_order_relaxed) != key + 1)
            i = (i + 1) & mask_;
        return slots_[i];
    }

public:
    struct found {
        totals value{};
        std::uint64_t row_version = 0;
        std::uint64_t state[6] = {};
        bool there = false;
    };
    explicit seqlock_table(std::size_t places) : slots_(places), mask_(places - 1) {}

    void begin() {
        sequence_.fetch_add(1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
    }
    void write(std::uint64_t key, totals const& value, std::uint64_t version) {
        auto& at = place(key);
        at.key.store(key + 1, std::memory_order_relaxed);
        at.count.store(value.count, std::memory_order_relaxed);
        at.cents.store(value.cents, std::memory_order_relaxed);
        at.version.store(version, std::memory_order_relaxed);
    }
    void end(std::uint64_t version, std::uint64_t epoch) {
        state_[0].store(version, std::memory_order_relaxed);
        state_[1].store(epoch, std::memory_order_relaxed);
        state_[5].store(epoch, std::memory_order_relaxed);
        sequence_.fetch_add(1, std::memory_order_release);
    }
    [[nodiscard]] found find(std::uint64_t key) const {
        found out;
        for (;;) {
            auto const before = sequence_.load(std::memory_order_acquire);
            if (before % 2 != 0) continue;
            out.there = false;
            for (auto i = static_cast<std::size_t>(dl::mix64(key)) & mask_;; i = (i + 1) & mask_) {
                auto const& at = slots_[i];
                auto const is = at.key.load(std::memory_order_relaxed);
                if (is == 0) break;
                if (is != key + 1) continue;
                out.there = true;
                out.value = {at.count.load(std::memory_order_relaxed), at.cents.load(std::memory_order_relaxed)};
                out.row_version = at.version.load(std::memory_order_relaxed);
                break;
            }
            for (std::size_t i = 0; i < 6; ++i) out.state[i] = state_[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (sequence_.load(std::memory_order_relaxed) == before) return out;
        }
    }
};

void point_reads() {
    seqlock_table by_hand{std::size_t{1} << 18};
    dl::view<std::uint64_t, totals> served;
    auto const write_all = [&](std::uint64_t epoch, std::uint64_t from, std::uint64_t to) {
        for (auto key = from; key < to; ++key) {
            totals const value{static_cast<std::int64_t>(key % 7), static_cast<std::int64_t>(key * 3 + epoch)};
            served.write(dl::pane<std::uint64_t, totals>{key, {}, value, {}});
        }
        served.on_frontier({epoch, {}, {}, &epoch, 1});
        by_hand.begin();
        for (auto key = from; key < to; ++key) {
            totals const value{static_cast<std::int64_t>(key % 7), static_cast<std::int64_t>(key * 3 + epoch)};
            by_hand.write(key, value, epoch);
        }
        by_hand.end(epoch, epoch);
    };
    for (std::uint64_t epoch = 1; epoch <= 10; ++epoch) write_all(epoch, (epoch - 1) * 10'000, epoch * 10'000);
    std::vector<std::uint64_t> asked(reads);
    bench::random draw{3};
    for (auto& each : asked) each = draw.below(key_count + key_count / 16);  // one in 17 is not there

    using answer = std::pair<std::int64_t, std::uint64_t>;
    auto const with_hand = [&] {
        answer out{};
        for (auto const key : asked) {
            auto const found = by_hand.find(key);
            if (found.there) out.first += found.value.count + found.value.cents;
            out.second += found.state[1] + found.row_version + found.state[5];
        }
        return out;
    };
    auto const with_view = [&] {
        answer out{};
        for (auto const key : asked) {
            auto const found = served.find(key);
            if (found) out.first += found->count + found->cents;
            out.second += found.epoch() + found.row_version() + found.at().offsets[0];
        }
        return out;
    };
    bench::contest<answer> game{"view_point_read", reads};
    auto const floor = game.add("seqlock table", with_hand);
    auto const candidate = game.add("view", with_view);
    game.run({.seconds = bench::full() ? 10.0 : 2.0, .least_rounds = 5});
    game.ratio("view_point_read", candidate, floor, {1.5});
}

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{10_s})
    | dl::aggregate<totals>(dl::count(), dl::sum<&sale::cents>());

struct outcome {
    std::uint64_t rows = 0;
    std::int64_t cents = 0;
    friend bool operator==(outcome const&, outcome const&) = default;
};

void served_job() {
    dl::memory_log<sale> in;
    in.append(bench::make_sales(record_count, key_count, 10_us, 1_s));
    auto const without = [&] {
        outcome out;
        dl::run(dl::stream{.until = dl::drained}, per_user, in, dl::to([&](auto const& row) {
            ++out.rows;
            out.cents += row.value.cents;
        }));
        return out;
    };
    using view = dl::view<std::int64_t, totals>;
    /// The sink counts what the function counts, and hands it to the view.
    struct counted {
        view& into;
        outcome out{};
        void write(dl::pane<std::int64_t, totals> const& row) {
            ++out.rows;
            out.cents += row.value.cents;
            into.write(row);
        }
        void on_frontier(dl::frontier const& at) { into.on_frontier(at); }
    };
    auto const with = [&](bool read) {
        view shown{{.keep = 1_min}};
        counted sink{shown};
        std::atomic<bool> done{false};
        std::thread reader;
        if (read) {
            reader = std::thread{[&] {
                std::uint64_t sum = 0;
                for (std::int64_t key = 0; !done.load(std::memory_order_relaxed); key = (key + 1) % 100'000)
                    sum += shown.find(key, {dl::event_time{}, dl::event_time{} + 10_s}).epoch();
                bench::keep(sum);
            }};
        }
        dl::run(dl::stream{.until = dl::drained}, per_user, in, sink);
        done = true;
        if (read) reader.join();
        return sink.out;
    };
    bench::contest<outcome> game{"view_job", record_count};
    auto const floor = game.add("without", without);
    auto const candidate = game.add("view", [&] { return with(false); });
    auto const busy = game.add("view, read by another thread", [&] { return with(true); });
    game.run({.seconds = bench::full() ? 40.0 : 5.0, .least_rounds = 5});
    game.ratio("view_job", candidate, floor, {1.2});
    game.info("view_job_while_read", busy, floor);
}
}  // namespace

int main() {
    bench::print_circumstances();
    point_reads();
    served_job();
}
