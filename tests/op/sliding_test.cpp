// SPDX-License-Identifier: BSL-1.0
// What sliding windows keep while they are open, and give back; functions that throw; keys that are text.
#include <driftless/op/sliding.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace sliding_rows {
struct visit {
    std::int64_t who;
    std::int64_t amount;
    event_time at;
};
struct named_visit {
    text who;
    event_time at;
};
}  // namespace sliding_rows
BOOST_HANA_ADAPT_STRUCT(sliding_rows::visit, who, amount, at);
BOOST_HANA_ADAPT_STRUCT(sliding_rows::named_visit, who, at);
using sliding_rows::named_visit;
using sliding_rows::visit;

namespace {
constexpr auto visits = from<visit>() | assign_time<&visit::at>(bounded_disorder{0_s}) | key_by<&visit::who>();
constexpr auto counted = visits | window(sliding{10_s, 1_s}) | aggregate(count(), sum<&visit::amount>());
constexpr auto greatest = visits | window(sliding{10_s, 1_s}) | aggregate(max<&visit::amount>());

/// Each key comes once, 100 of them a second: what is kept must not grow with those that have been.
template <class Pipeline>
void check_state(Pipeline const& pipeline) {
    memory_log<visit> log;
    std::uint64_t rows = 0;
    auto sink = to([&](auto const&) { ++rows; });
    job following{stream{}, pipeline, log, sink};
    std::uint64_t most = 0;
    std::uint64_t most_early = 0;
    for (std::int64_t i = 0; i < 20'000; ++i) {
        log.append(visit{i, 1, event_time{i * 10'000'000}});
        if (i % 500 != 499) continue;
        while (following.poll() != 0) {}
        most = std::max<std::uint64_t>(most, following.metrics().state_bytes);
        if (i < 5'000) most_early = most;
    }
    CHECK(most_early > 1'000 * 16);
    CHECK(most <= 2 * most_early);
    following.drain();
    CHECK(rows == 20'000 * 10);
    CHECK(following.metrics().state_bytes == 0);
}
}  // namespace

TEST_CASE("keys that are in no open window are forgotten", "[op][sliding]") {
    SECTION("slices that are subtracted") { check_state(counted); }
    SECTION("slices in two stacks") { check_state(greatest); }
}

namespace {
/// The same bytes, however many shards there are.
template <class Pipeline>
void check_snapshots(Pipeline const& pipeline) {
    memory_log<visit> log;
    std::mt19937 random{5};
    for (std::int64_t i = 0; i < 3'000; ++i) {
        auto const back = random() % 8 == 0 ? static_cast<std::int64_t>(random() % 8'000) : 0;  // some are late
        log.append(visit{static_cast<std::int64_t>(random() % 60), static_cast<std::int64_t>(random() % 100),
            event_time{(i * 10 - back) * 1'000'000}});
    }
    auto const snapshots = [&](unsigned threads) {
        std::vector<std::string> out;
        auto sink = to([](auto const&) {});
        job running{stream{.threads = threads}, pipeline, log, sink};
        for (std::size_t read = 0; read < 3'000; read += 600) {
            for (std::size_t left = 600; left != 0;) left -= running.poll(std::min<std::size_t>(7, left));
            out.push_back(running.snapshot());
        }
        return out;
    };
    auto const expected = snapshots(1);
    CHECK((snapshots(2) == expected));  // not printed: they are bytes
    CHECK((snapshots(3) == expected));
}
}  // namespace

TEST_CASE("a snapshot has the same bytes whatever the shards", "[op][sliding][snapshot]") {
    SECTION("slices that are subtracted") { check_snapshots(counted); }
    SECTION("slices in two stacks") { check_snapshots(greatest); }
}

TEST_CASE("text keys live as long as their windows", "[op][sliding][text]") {
    constexpr auto pipeline = from<named_visit>() | assign_time<&named_visit::at>(bounded_disorder{0_s})
        | key_by<&named_visit::who>() | window(sliding{4_s, 1_s}) | aggregate(count());
    std::map<std::pair<std::string, time_window>, std::int64_t> expected;
    memory_log<named_visit> log;
    for (std::int64_t i = 0; i < 3'000; ++i) {
        auto const who = "a visitor whose name takes some bytes, number " + std::to_string(i * i % 1'009 + i / 300);
        event_time const at{i * 20'000'000};
        log.append(named_visit{text{who}, at});
        sliding{4_s, 1_s}.assign_each(at, [&](time_window const& window) { ++expected[{who, window}]; });
    }
    std::map<std::pair<std::string, time_window>, std::int64_t> rows;
    run(stream{.until = drained}, pipeline, log,
        to([&](auto const& pane) { rows[{pane.key.str(), pane.window}] = pane.value; }));
    CHECK(rows == expected);
}

TEST_CASE("a record that a function refuses by throwing is refused by each window", "[op][sliding][on_error]") {
    constexpr auto pipeline = visits | window(sliding{3_s, 1_s})
        | aggregate(count(), sum([](visit const& v) {
              if (v.amount == 13) throw std::runtime_error("unlucky");
              return v.amount;
          }));
    std::vector<visit> const in{{1, 5, event_time{}}, {1, 13, event_time{}}, {1, 7, event_time{}}};
    auto const out = run(batch{.on_error = on_error::skip}, pipeline, in);
    REQUIRE(out.size() == 3);
    for (auto const& row : out) CHECK(row.value == std::tuple{2, 12});
    auto const* const books = out.report().stage("aggregate");
    CHECK(books->applied == 6);
    CHECK(books->refusals(reason::failed) == 3);
    CHECK_THROWS_AS(run(batch{}, pipeline, in), error);
}

TEST_CASE("sizes and periods that are no windows are refused before anything is cut", "[op][sliding]") {
    std::vector<visit> const none;
    for (auto const& windows : {sliding{0_s, 1_s}, sliding{1_s, 0_s}}) {
        auto const refused = try_run(batch{}, visits | window(windows) | aggregate(count()), none);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code() == error_code::invalid_argument);
    }
}

TEST_CASE("far apart in time, and with periods of 1 ns", "[op][sliding]") {
    std::vector<visit> const in{{1, 1, event_time{-4'000'000'000'000'000'000}}, {1, 2, event_time{0}},
        {1, 3, event_time{4'000'000'000'000'000'000}}};
    auto const out = run(batch{}, visits | window(sliding{3_ns, 1_ns}) | aggregate(count(), max<&visit::amount>()), in);
    REQUIRE(out.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        auto const& record = in[i / 3];
        CHECK(out[i].value == std::tuple{std::int64_t{1}, record.amount});
        CHECK(out[i].window.end == record.at + duration{1 + static_cast<std::int64_t>(i % 3)});
    }
}
