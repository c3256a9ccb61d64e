// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/results.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace results_test {
struct word {
    text spelled;
    event_time at;
};
}  // namespace results_test
BOOST_HANA_ADAPT_STRUCT(results_test::word, spelled, at);
using results_test::word;

namespace {
constexpr auto timed = from<word>() | assign_time<&word::at>(bounded_disorder{1_s});
constexpr auto counted = timed | key_by<&word::spelled>() | window(tumbling{10_s}, allowed_lateness{100_s})
    | aggregate(count(), max<&word::spelled>());
/// Rows whose count has become 2 are taken away.
constexpr auto singles = counted | filter([](pane<text, std::tuple<std::int64_t, text>> const& row) noexcept {
    return std::get<0>(row.value) != 2;
});

void fill(memory_log<word>& log, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        auto const spelled = "word number " + std::to_string(i * 7 % 23) + " and more";
        log.append(word{text{spelled}, event_time{(i - i % 3 * 15) * 1'000'000'000}});
    }
}
template <class Rows>
std::vector<std::string> said(Rows const& rows) {
    std::vector<std::string> out;
    for (auto const& row : rows) {
        out.push_back(row.key + '|' + std::to_string(row.window.start.ms()) + '|'
            + std::to_string(std::get<0>(row.value)) + '|' + std::get<1>(row.value));
    }
    return out;
}
}  // namespace

TEST_CASE("results own their text: the log may be gone", "[run][results]") {
    auto const rows = [] {
        memory_log<word> log;
        fill(log, 100);
        return run(batch{}, counted, log);
    }();
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(rows[0].key)>, std::string>);
    REQUIRE(!rows.empty());
    for (auto const& row : rows) {
        CHECK(row.key.substr(0, 12) == "word number ");
        CHECK(std::get<1>(row.value) == row.key);
    }
    auto const records = [] {
        memory_log<word> log;
        fill(log, 100);
        return run(batch{}, timed, log);
    }();
    REQUIRE(records.size() == 100);
    CHECK(records[99].value.spelled == text{"word number 3 and more"});  // a reflected struct: re-homed
}

TEST_CASE("results come by window, canonical hash and key, in batch and in streaming, on every number of threads",
    "[run][results]") {
    memory_log<word> log;
    fill(log, 200);
    auto const first = run(batch{}, counted, log);
    for (std::size_t i = 1; i < first.size(); ++i) {
        auto const& a = first[i - 1];
        auto const& b = first[i];
        CHECK(std::tuple{a.window.end, canonical_hash(a.key), a.key}
            < std::tuple{b.window.end, canonical_hash(b.key), b.key});
    }
    for (auto const threads : {0, 1, 2, 3, 7}) {
        CHECK(said(run(batch{.threads = threads}, counted, log)) == said(first));
        CHECK(said(run(stream{.threads = threads, .until = drained}, counted, log)) == said(first));
    }
}

TEST_CASE("a row that is taken back is not among the results", "[run][results]") {
    memory_log<word> log;
    for (auto const& [spelled, seconds] :
        std::vector<std::pair<char const*, int>>{{"a", 1}, {"b", 2}, {"tick", 20}, {"a", 3}, {"b", 4}, {"b", 5}}) {
        log.append(word{spelled, event_time{seconds * 1'000'000'000LL}});
    }
    auto const streamed = run(stream{.until = drained}, singles, log);
    CHECK(said(streamed) == said(run(batch{}, singles, log)));
    CHECK(streamed.size() == 2);  // b (three times) and tick
    CHECK(streamed.report().stage("aggregate")->in() == 6);
}

TEST_CASE("results of a job: the rows so far, at any time", "[run][results]") {
    memory_log<word> log;
    fill(log, 60);
    job job{stream{}, counted, log};
    CHECK(job.results().empty());
    job.poll();
    auto const some = job.results().size();
    CHECK(some > 0);
    CHECK(job.results().size() == some);
    CHECK(job.results().report().records == 60);
    job.drain();
    CHECK(said(job.results()) == said(run(batch{}, counted, log)));
    auto const taken = job.take_results();
    CHECK(said(taken) == said(run(batch{}, counted, log)));
}

TEST_CASE("a job that is given up in the middle waits for its threads and says no more", "[run][results][threads]") {
    memory_log<word> log;
    fill(log, 5000);
    for (int i = 0; i < 5; ++i) {
        std::size_t rows = 0;
        auto sink = to([&](auto const&) { ++rows; }, [](text, time_window) {});
        job job{stream{.threads = 3}, counted, log, sink};
        job.poll(static_cast<std::size_t>(i) * 1100);
    }
    SUCCEED();
}
