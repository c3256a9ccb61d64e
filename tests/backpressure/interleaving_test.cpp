// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/threads.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace interleaving_test {
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    event_time at;
};
std::uint64_t seed = 0;

/// Workers that are one thread: a generator says which of them goes on, and when. What the scheduler of a machine does
/// once in a year is done here, again for each seed.
class seeded_workers final : public executor {
    struct worker {
        std::deque<work_item*> queue;
        std::size_t submitted = 0;
        std::size_t done = 0;
    };
    std::vector<worker> workers_;
    std::mt19937_64 random_{seed};
    std::uint64_t eager_ = random_() % 5;  // 0: works only when somebody waits

public:
    explicit seeded_workers(std::size_t n) : workers_(n) {}
    ~seeded_workers() {
        for (auto& each : workers_) {
            while (!each.queue.empty()) step(each);
        }
    }
    [[nodiscard]] std::size_t workers() const noexcept override { return workers_.size(); }
    std::size_t submit(std::size_t index, work_item& item) override {
        workers_[index].queue.push_back(&item);
        auto const ticket = ++workers_[index].submitted;
        for (auto steps = eager_ == 0 ? 0 : random_() % eager_; steps != 0; --steps) step(any());
        return ticket;
    }
    void wait(std::size_t index, std::size_t ticket) override {
        while (workers_[index].done < ticket) step(random_() % 2 == 0 ? any() : workers_[index]);
    }

private:
    worker& any() { return workers_[random_() % workers_.size()]; }
    static void step(worker& on) {
        if (on.queue.empty()) return;
        auto* const item = on.queue.front();
        on.queue.pop_front();
        item->work();
        ++on.done;
    }
};
}  // namespace interleaving_test
BOOST_HANA_ADAPT_STRUCT(interleaving_test::sale, shop, cents, at);

// .threads = short{n} asks for them.
template <>
struct driftless::detail::thread_pool_for<short> {
    static executor_handle start(std::size_t n) {
        return {new interleaving_test::seeded_workers{n},
            [](executor* made) { delete static_cast<interleaving_test::seeded_workers*>(made); }};
    }
};

namespace {
using interleaving_test::sale;
using interleaving_test::seed;

/// Out of order by up to two seconds, with some later than that.
void fill(memory_log<sale>& out, std::uint64_t with, std::int64_t count) {
    std::mt19937_64 random{with};
    for (std::int64_t i = 0; i < count; ++i) {
        auto const behind =
            static_cast<std::int64_t>(random() % 2'000'000'000) + (random() % 50 == 0 ? 5'000'000'000 : 0);
        out.append({static_cast<std::int64_t>(random() % 37), static_cast<std::int64_t>(random() % 1000),
            event_time{i * 2'000'000 - behind}});
    }
}
std::string told(auto const& pipeline, auto threads, std::size_t poll, auto const&... logs) {
    std::string out;
    auto const add = [&](auto const& row) {
        out += std::to_string(row.key) + "@" + std::to_string(row.window.start.ms()) + ":";
        if constexpr (requires { std::get<1>(row.value); })
            out += std::to_string(std::get<0>(row.value)) + "," + std::to_string(std::get<1>(row.value)) + "\n";
        else out += std::to_string(row.value) + "\n";
    };
    auto sink = to(add, [&](auto const& key, time_window) { out += "-" + std::to_string(key) + "\n"; });
    stream mode{.until = until::drained};
    mode.threads = thread_count{threads};
    job running{mode, pipeline, logs..., sink};
    while (running.poll(poll) != 0) {
    }
    running.run();
    return out;
}
void check_every_interleaving(auto const& pipeline, auto const&... logs) {
    auto const expected = told(pipeline, 1, 100'000, logs...);
    REQUIRE(expected.size() > 1000);
    for (seed = 1; seed <= 150; ++seed) {
        auto const rows = told(pipeline, static_cast<short>(2 + seed % 4), seed % 3 == 0 ? 777 : 100'000, logs...);
        if (rows != expected) FAIL("seed " << seed);
    }
}
}  // namespace

TEST_CASE(
    "whichever worker goes on when, the rows and their order are those of one thread", "[backpressure][threads]") {
    auto const keyed = from<sale>() | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>();
    memory_log<sale> log;
    memory_log<sale> other;
    SECTION("windows") {
        fill(log, 1, 9000);
        check_every_interleaving(keyed | window(tumbling{1_s}) | aggregate(count(), sum<&sale::cents>()), log);
    }
    SECTION("windows that are shown early") {
        fill(log, 2, 9000);
        check_every_interleaving(keyed | window(tumbling{1_s}, at_watermark().early(every(3)))
                | aggregate(count(), sum<&sale::cents>()),
            log);
    }
    SECTION("a join") {
        fill(log, 3, 3000);
        fill(other, 4, 3000);
        auto const side = [](auto name) {
            return from<sale>(name) | assign_time<&sale::at>(bounded_disorder{2_s}) | key_by<&sale::shop>();
        };
        check_every_interleaving(
            join(side("left"_name), side("right"_name), interval{-100_ms, 100_ms},
                [](sale const& left, sale const& right) { return left.cents * 1000 + right.cents; })
                | window(tumbling{1_s}) | aggregate(count()),
            log, other);
    }
}

TEST_CASE("the queues of the thread pool keep the order of each worker, and wait for what they are asked to",
    "[backpressure][threads]") {
    struct item final : work_item {
        std::vector<int>* log = nullptr;
        int n = 0;
        bool slow = false;
        void work() noexcept override {
            if (slow) std::this_thread::yield();
            log->push_back(n);
        }
    };
    for (std::uint64_t with = 0; with < 40; ++with) {
        std::mt19937_64 random{with};
        std::size_t const workers = 1 + random() % 4;
        std::vector<std::vector<int>> logs(workers);
        std::vector<std::deque<item>> items(workers);
        bool right = true;
        {
            thread_pool pool{workers};
            for (int i = 0; i < 2000; ++i) {
                auto const w = random() % workers;
                auto& made = items[w].emplace_back();
                made.log = &logs[w];
                made.n = static_cast<int>(items[w].size());
                made.slow = random() % 8 == 0;
                auto const ticket = pool.submit(w, made);
                right = right && ticket == items[w].size();
                if (random() % 16 != 0) continue;
                pool.wait(w, ticket);  // then nobody else writes the log
                right = right && logs[w].size() == ticket && logs[w].back() == made.n;
            }
        }  // what is queued is done before the threads end
        for (std::size_t w = 0; w < workers; ++w) {
            right = right && logs[w].size() == items[w].size();
            for (std::size_t i = 0; i < logs[w].size(); ++i) right = right && logs[w][i] == static_cast<int>(i + 1);
        }
        if (!right) FAIL("seed " << with);
    }
}
