// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/job.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DRIFTLESS_TEST_SANITIZED 1
#elif defined(__has_feature)
#define DRIFTLESS_TEST_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define DRIFTLESS_TEST_SANITIZED 0
#endif

// Every allocation of the program is counted: what is alive, and the most that was. Sanitizers have allocators of their
// own, and no memory is measured.
namespace {
std::atomic<std::int64_t> alive{0};
std::atomic<std::int64_t> most{0};
constexpr bool counts_memory = !DRIFTLESS_TEST_SANITIZED;
}  // namespace
#if !DRIFTLESS_TEST_SANITIZED
namespace {
constexpr std::size_t head = 64;  // keeps alignments up to it; the size stands in front

void* counted(std::size_t size, std::size_t alignment) {
    if (alignment > head) throw std::bad_alloc{};
    auto* const base = static_cast<char*>(std::aligned_alloc(head, (size + 2 * head - 1) / head * head));
    if (base == nullptr) throw std::bad_alloc{};
    ::new (base) std::size_t{size};
    auto const now = alive.fetch_add(static_cast<std::int64_t>(size)) + static_cast<std::int64_t>(size);
    auto before = most.load();
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    return base + head;
}
void give_back(void* memory) noexcept {
    if (memory == nullptr) return;
    auto* const base = static_cast<char*>(memory) - head;
    alive.fetch_sub(static_cast<std::int64_t>(*reinterpret_cast<std::size_t*>(base)));
    std::free(base);
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t to) { return counted(size, static_cast<std::size_t>(to)); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
#endif

namespace backpressure_test {
struct sale {
    std::int64_t shop;
    std::int64_t cents;
    driftless::event_time at;
};
}  // namespace backpressure_test
BOOST_HANA_ADAPT_STRUCT(backpressure_test::sale, shop, cents, at);

using namespace driftless;
using namespace driftless::literals;
using backpressure_test::sale;

namespace {
/// What is under way between the thread that reads and the workers: three chunks of 1,024 records.
constexpr std::int64_t bound = 3 * 1024;
constexpr std::int64_t step = 1'000'000;

sale nth(std::int64_t i) { return {i * 7 % 100, i % 1000, event_time{i * step}}; }

/// A row for every record.
auto updates() {
    return from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}) | key_by<&sale::shop>()
        | window(tumbling{1_s}, at_watermark().early(every(1))) | aggregate(count(), sum<&sale::cents>());
}

/// Takes far longer for a row than the job takes to make it.
class slow_sink {
    std::uint64_t state_ = 1;
    std::uint64_t* rows_;

public:
    explicit slow_sink(std::uint64_t& rows) : rows_(&rows) {}
    template <class K, class V>
    void write(pane<K, V> const& row) {
        for (int i = 0; i < 2000; ++i) state_ = state_ * 6364136223846793005u + static_cast<std::uint64_t>(row.key);
        *rows_ += state_ != 0 ? 1 : 2;
    }
    template <class K>
    void remove(K const&, time_window) {}
};

/// The most that a job needed beside its log, for a log that is `times` the bound.
std::int64_t peak(auto&& make_log, std::int64_t times, unsigned threads) {
    auto& log = make_log(times * bound);
    auto const before = alive.load();
    most = before;
    std::uint64_t rows = 0;
    slow_sink sink{rows};
    stream mode{.until = until::drained};
    mode.threads = thread_count{threads};
    auto const report = run(mode, updates(), log, sink);
    auto const used = most.load() - before;
    CHECK(report.records == static_cast<std::uint64_t>(times * bound));
    CHECK(rows >= report.records);
    CHECK(used > 0);
    return used;
}
}  // namespace

TEST_CASE("a slow sink slows its job down: memory does not grow with the log", "[backpressure]") {
    if (!counts_memory) {
        WARN("skipped: memory is not measured under a sanitizer");
        return;
    }
    auto const threads = GENERATE(1U, 2U);
    INFO("threads " << threads);
    SECTION("over memory") {
        std::optional<memory_log<sale>> log;
        auto const of = [&](std::int64_t records) -> auto& {
            log.emplace();
            for (std::int64_t i = 0; i < records; ++i) log->append(nth(i));
            return *log;
        };
        auto const short_log = peak(of, 10, threads);
        auto const long_log = peak(of, 100, threads);
        INFO("peak " << short_log << " and " << long_log << " bytes");
        CHECK(long_log < short_log + (64 << 10));
        CHECK(long_log < (4 << 20));
    }
    SECTION("over files") {
        test::temporary_folder folder;
        std::optional<file_log<sale>> log;
        auto const of = [&](std::int64_t records) -> auto& {
            log.reset();
            log.emplace(folder.path() + "/" + std::to_string(records));
            for (std::int64_t i = 0; i < records; ++i) log->append(nth(i));
            log->flush();
            return *log;
        };
        auto const short_log = peak(of, 10, threads);
        auto const long_log = peak(of, 100, threads);
        INFO("peak " << short_log << " and " << long_log << " bytes");
        CHECK(long_log < short_log + (256 << 10));
        CHECK(long_log < (8 << 20));
    }
}

TEST_CASE("a job that is stopped and drained while records arrive has seen each of them once", "[backpressure]") {
    constexpr std::int64_t records = 60'000;
    auto const threads = GENERATE(1U, 3U);
    memory_log<sale> log;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
    auto sink = to([&](auto const& row) { counts[{row.key, row.window.start.ns()}] = std::get<0>(row.value); });
    stream mode{};
    mode.threads = thread_count{threads};
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{1_s}) | key_by<&sale::shop>()
        | window(tumbling{1_s}) | aggregate(count(), sum<&sale::cents>());
    job running{mode, pipeline, log, sink};
    std::atomic<std::int64_t> appended{0};
    std::thread producer{[&] {
        for (std::int64_t i = 0; i < records; ++i) {
            log.append(nth(i));
            appended.store(i + 1, std::memory_order_release);
            appended.notify_one();
        }
    }};
    // Stopped and started again while the producer goes on, at points that it reaches.
    for (std::int64_t const at : {records / 8, records / 4, records / 2}) {
        std::thread stopper{[&] {
            for (auto seen = appended.load(); seen < at; seen = appended.load()) appended.wait(seen);
            running.stop();
        }};
        running.run();
        stopper.join();
    }
    producer.join();
    running.drain();
    CHECK(running.metrics().records == static_cast<std::uint64_t>(records));
    std::int64_t all = 0;
    for (auto const& [key, count] : counts) all += count;
    CHECK(all == records);
    CHECK(counts.size() == 100 * 60);
}
