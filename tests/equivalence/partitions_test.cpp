// SPDX-License-Identifier: BSL-1.0
// Law 3 where threads read partitions of their own: rows, their order, the books, snapshots and errors are those of one
// thread, whether keys stay in their partition or not.
#include <driftless/run/detail/partition_workers.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>
#include <equivalence/partition_runs.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
/// Counts, and how often a count was asked for; it takes its time to tell.
struct asked_count {
    static constexpr std::string_view kind = "asked_count";
    static constexpr combine_class combines = combine_class::exact;
    static inline std::atomic<int> asked{0};

    template <class T>
    constexpr std::int64_t init(type_of<T>) const noexcept {
        return 0;
    }
    constexpr std::int64_t lift(auto const&) const noexcept { return 1; }
    constexpr void add(std::int64_t& into, auto const&) const noexcept { ++into; }
    constexpr void combine(std::int64_t& into, std::int64_t later) const noexcept { into += later; }
    std::int64_t lower(std::int64_t of) const noexcept {
        if (++asked % 1024 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
        return of;
    }
};

constexpr auto by_both = timed | map([](sale const& s) { return s; })
    | flat_map<sale>([](sale const& s, auto out) {
          for (auto n = s.cents & 1; n >= 0; --n) out(s);
      })
    | key_by<&sale::item, &sale::shop>() | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
constexpr auto in_two_levels = by_item | key_by([](auto const& row) { return row.key % 3; })
    | aggregate(count(), fold(std::uint64_t{7}, [](std::uint64_t hash, auto const& row) {
          return hash * 31 + static_cast<std::uint64_t>(row.key);
      }));
constexpr auto again_in_windows = by_item | key_by([](auto const& row) { return row.key % 3; })
    | window(tumbling{30_s}) | aggregate(count());

template <class P>
told in_batch(P const& pipeline, memory_log<sale> const& log, int threads) {
    told out;
    out.books = run(batch{.threads = threads}, pipeline, log, sink_into(out.rows));
    return out;
}
/// The log grows between polls of such sizes; a job now and then goes on elsewhere, on another number of threads.
template <class P>
told in_stream(P const& pipeline, std::vector<placed> const& records, std::uint32_t partitions, std::uint64_t pace,
    int threads, bool moving) {
    told out;
    dice random{pace};
    memory_log<sale> log{partitions};
    auto sink = sink_into(out.rows);
    using job_t = job<stream, P, memory_log<sale>&, decltype(sink)&>;
    std::optional<job_t> running;
    auto const start = [&](int n) { running.emplace(stream{.threads = n}, pipeline, log, sink); };
    start(threads);
    std::size_t next = 0;
    while (next != records.size()) {
        for (auto n = 1 + random.below(14'000); n != 0 && next != records.size(); --n, ++next)
            log.append(records[next].record, records[next].partition);
        running->poll(1 + random.below(random.one_in(3) ? 300 : 16'000));
        if (random.one_in(2)) static_cast<void>(running->metrics());
        out.snapshots.push_back(running->snapshot());
        bool const moves = random.one_in(4);
        if (moves && moving) {
            start(1 + static_cast<int>(next % 4));
            running->restore(out.snapshots.back());
        }
    }
    running->drain();
    out.books = running->metrics();
    return out;
}
template <class P>
void check_stream(P const& pipeline, std::uint64_t seed, std::uint32_t partitions, std::size_t keys, bool partitioned) {
    auto const records = many_records(seed, partitions, 40'000, keys, partitioned);
    auto const expected = in_stream(pipeline, records, partitions, seed, 1, false);
    REQUIRE(expected.rows.size() > 40);
    REQUIRE(expected.books.refused(reason::late) > 0);
    for (int const threads : {2, 4})
        check_same(in_stream(pipeline, records, partitions, seed, threads, false), expected);
    auto const moved = in_stream(pipeline, records, partitions, seed, 3, true);
    CHECK((moved.rows == expected.rows));
    CHECK((moved.snapshots == expected.snapshots));
}
template <class P>
void check_batch(P const& pipeline, std::uint64_t seed, std::uint32_t partitions, std::size_t keys, bool partitioned) {
    memory_log<sale> log{partitions};
    fill(log, many_records(seed, partitions, 40'000, keys, partitioned));
    auto const expected = in_batch(pipeline, log, 1);
    REQUIRE(expected.rows.size() > 40);
    for (int const threads : {2, 3, 5}) check_same(in_batch(pipeline, log, threads), expected);
    if (partitions != 1) return;
    std::vector<sale> range;
    for (auto const& each : many_records(seed, 1, 40'000, keys, partitioned)) range.push_back(each.record);
    told out;
    out.books = run(batch{.threads = 2}, pipeline, range, sink_into(out.rows));
    CHECK((out.rows == expected.rows));
    out.rows.clear();
    out.books = run(batch{.threads = 3}, pipeline, std::move(range), sink_into(out.rows));
    CHECK((out.rows == expected.rows));
}
template <class P>
void check(P const& pipeline) {
    std::uint64_t seed = 0;
    for (auto const keys : {std::size_t{70}, std::size_t{40'000}}) {  // in stretches
        for (auto const stretched : {21u, 22u}) check_batch(pipeline, stretched, 1, keys, false);
    }
    for (auto const partitions : {2u, 5u}) {
        for (auto const keys : {std::size_t{70}, std::size_t{40'000}}) {
            for (bool const partitioned : {true, false}) {
                INFO("partitions " << partitions << ", keys " << keys << ", partitioned " << partitioned);
                ++seed;
                check_batch(pipeline, seed, partitions, keys, partitioned);
                check_stream(pipeline, seed, partitions, keys, partitioned);
            }
        }
    }
}
}  // namespace

TEST_CASE("threads that read partitions: windows by an integer", "[equivalence][threads]") { check(by_item); }
TEST_CASE("threads that read partitions: windows by a text", "[equivalence][threads]") { check(by_shop); }
TEST_CASE("threads that read partitions: windows by a tuple, rows made on the way", "[equivalence][threads]") {
    check(by_both);
}
TEST_CASE("threads that read partitions: rows that are regrouped", "[equivalence][threads]") { check(in_two_levels); }
TEST_CASE("threads that read partitions: rows in windows again", "[equivalence][threads]") { check(again_in_windows); }

TEST_CASE("threads that read partitions: windows of many rows are told in parts, in order", "[equivalence][threads]") {
    auto const items =
        timed | key_by<&sale::item>() | window(tumbling{600_s}) | aggregate(count(), sum<&sale::cents>());
    auto const pairs = timed | key_by<&sale::item, &sale::shop>() | window(tumbling{600_s}) | aggregate(count());
    for (bool const partitioned : {true, false}) {
        for (auto const keys : {std::size_t{15'000}, std::size_t{400'000}}) {
            check_batch(items, 3, 3, keys, partitioned);
            check_batch(pairs, 4, 2, keys, partitioned);
        }
    }
}

TEST_CASE("threads that read partitions: what a function throws is told as by one thread", "[equivalence][threads]") {
    auto const failing = timed | map([](sale const& s) {
        if (s.cents == 777) throw std::runtime_error{"no such price"};
        return s;
    }) | key_by<&sale::item>()
        | window(tumbling{10_s}) | aggregate(count());
    for (std::uint64_t seed = 1; seed <= 18; ++seed) {
        std::uint32_t const partitions = seed <= 12 ? 3 : 1;
        auto records = many_records(seed, partitions, 40'000, 50, false);
        dice random{seed};
        for (auto& each : records) {
            if (each.record.cents == 777) each.record.cents = 1;
        }
        // From one time on, so that several partitions fail in one window.
        auto const from_here = records[20'000].record.at;
        for (auto& each : records) {
            if (each.record.at >= from_here && random.one_in(seed < 4 ? 4000 : 20)) each.record.cents = 777;
        }
        memory_log<sale> log{partitions};
        fill(log, records);
        auto const failed = [&](auto mode) {
            lines rows;
            auto const made = try_run(mode, failing, log, sink_into(rows));
            REQUIRE(!made);
            rows.push_back(std::to_string(made.error().offset()) + ": " + made.error().what());
            return rows;
        };
        CHECK((failed(batch{.threads = 3}) == failed(batch{.threads = 1})));
        auto const skipped = [&](auto mode) {
            told out;
            mode.on_error = on_error::skip;
            out.books = run(mode, failing, log, sink_into(out.rows));
            return out;
        };
        auto const expected = skipped(batch{.threads = 1});
        REQUIRE(expected.books.failures != 0);
        check_same(skipped(batch{.threads = 2}), expected);
        if (partitions == 1) continue;  // shards tell what they have, chunk by chunk
        CHECK((failed(stream{.threads = 3, .until = until::drained})
            == failed(stream{.threads = 1, .until = until::drained})));
        check_same(skipped(stream{.threads = 3, .until = until::drained}),
            skipped(stream{.threads = 1, .until = until::drained}));
    }
}

TEST_CASE("threads that read partitions: a result that is no value fails in its turn", "[equivalence][threads]") {
    auto const huge = timed | map([](sale s) {
        if (s.item % 1000 == 0) s.cents = std::numeric_limits<std::int64_t>::max();
        return s;
    }) | key_by<&sale::item>()
        | window(tumbling{600_s}) | aggregate(sum<&sale::cents>());  // so large that it is told in parts
    memory_log<sale> log{2};
    fill(log, many_records(5, 2, 100'000, 20'000, false));
    auto const skipped = [&](int threads) {
        told out;
        out.books = run(batch{.threads = threads, .on_error = on_error::skip}, huge, log, sink_into(out.rows));
        return out;
    };
    auto const expected = skipped(1);
    REQUIRE(expected.books.failures != 0);
    check_same(skipped(3), expected);
    auto const failed = [&](int threads) {
        lines rows;
        auto const made = try_run(batch{.threads = threads}, huge, log, sink_into(rows));
        REQUIRE(!made);
        rows.push_back(made.error().what());
        return rows;
    };
    CHECK((failed(3) == failed(1)));
}

TEST_CASE("threads that read partitions call what comes before the first aggregate", "[equivalence][threads]") {
    static std::atomic<int> elsewhere{0};
    static std::thread::id own;
    own = std::this_thread::get_id();
    auto const watched = [](auto const& source) {
        return source | filter([](sale const&) {
            if (std::this_thread::get_id() != own) ++elsewhere;
            return true;
        }) | key_by<&sale::item>()
            | window(tumbling{10_s});
    };
    auto const calls_elsewhere = [&](auto const& pipeline, std::uint32_t partitions, error_policy policy = {}) {
        memory_log<sale> log{partitions};
        for (auto each : many_records(1, 2, 20'000, 10, false)) log.append(each.record, each.partition % partitions);
        lines rows;
        elsewhere = 0;
        run(batch{.threads = 2, .on_error = policy}, pipeline, log, sink_into(rows));
        int const in_batch = elsewhere;
        elsewhere = 0;
        run(stream{.threads = 2, .on_error = policy, .until = until::drained}, pipeline, log, sink_into(rows));
        return std::pair{in_batch, elsewhere.load()};
    };
    auto const counted = watched(timed) | aggregate(count());
    auto const [in_batch, in_stream] = calls_elsewhere(counted, 2);
    CHECK(in_batch == 20'000);
    CHECK(in_stream > 10'000);  // the last records of a poll may be too few to be handed over
    CHECK(calls_elsewhere(counted, 1) == std::pair{20'000, 0});  // a stream of one partition has one order
    // Whoever could see the order.
    auto letters = [](dead_letter const&) {};
    CHECK(calls_elsewhere(counted, 2, on_error::dead_letter(letters)) == std::pair{0, 0});
    CHECK(calls_elsewhere(watched(timed) | aggregate(count(), max_keys{100}), 2) == std::pair{0, 0});
    CHECK(calls_elsewhere(watched(timed) | aggregate(collect<&sale::cents>()), 2) == std::pair{0, 0});
}

TEST_CASE("threads that read partitions: nobody is at work any more when a sink has thrown", "[equivalence][threads]") {
    memory_log<sale> log{2};
    fill(log, many_records(6, 2, 60'000, 400'000, false));
    auto const pipeline = timed | key_by<&sale::item>() | window(tumbling{600_s}) | aggregate(asked_count{});
    int written = 0;
    auto sink = to([&](auto const&) {
        if (++written == 10'000) throw std::runtime_error{"full"};
    });
    job running{stream{.threads = 2}, pipeline, log, sink};
    CHECK_THROWS(running.drain());
    int const asked = asked_count::asked;
    CHECK(asked >= 10'000);
    std::this_thread::sleep_for(std::chrono::milliseconds{30});
    CHECK(asked_count::asked == asked);
}

TEST_CASE("threads that read ahead: nobody is at work any more when a sink has thrown", "[equivalence][threads]") {
    static std::atomic<int> read{0};
    read = 0;
    memory_log<sale> log;
    fill(log, many_records(8, 1, 200'000, 10, false));
    auto const pipeline = timed | filter([](sale const&) { return ++read, true; }) | key_by<&sale::item>()
        | window(tumbling{10_s}) | aggregate(count());
    auto sink = to([&](auto const&) { throw std::runtime_error{"full"}; });
    job running{batch{.threads = 2}, pipeline, log, sink};
    CHECK_THROWS_WITH(running.run(), Catch::Contains("full"));
    int const by_then = read;
    CHECK(by_then > 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{30});
    CHECK(read == by_then);
}

TEST_CASE("threads that read ahead stay near what is told", "[equivalence][threads]") {
    static std::atomic<int> read{0};
    for (auto const partitions : {1u, 2u}) {
        read = 0;
        memory_log<sale> log{partitions};
        constexpr int all = 1'500'000;
        for (int i = 0; i < all; ++i) {
            // The second partition ends soon.
            log.append({{}, i % 10, 1, event_time{i * 1'000'000LL}}, i < 2'000 && partitions == 2 ? 1u : 0u);
        }
        auto const pipeline = timed | filter([](sale const&) { return ++read, true; }) | key_by<&sale::item>()
            | window(tumbling{1_s}) | aggregate(count());
        std::int64_t told = 0;
        std::int64_t most = 0;
        run(batch{.threads = 2}, pipeline, log, to([&](auto const& pane) {
            told += pane.value;
            most = std::max<std::int64_t>(most, read - told);
        }));
        CHECK(told == all);
        CHECK(most > 0);
        CHECK(most < all / 2);  // two rounds of two stretches of 131,072, and a block
    }
}
