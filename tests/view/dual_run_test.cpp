// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/dual_run.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/time/session.hpp>
#include <driftless/time/trigger.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace dual_test {
struct hit {
    text page;
    std::int64_t bytes;
    event_time at;
};
}  // namespace dual_test
BOOST_HANA_ADAPT_STRUCT(dual_test::hit, page, bytes, at);

namespace {
using dual_test::hit;
event_time dual_now{};
event_time dual_clock() { return dual_now; }
char const* const pages[] = {"/", "/cart", "/a page with a long name", "/help", "/pay"};

/// A second each, up to 3 s out of order.
hit nth_hit(std::int64_t i) {
    return {text{pages[i * 3 % 5]}, i, event_time{(i - i * 7 % 4) * 1'000'000'000}};
}

auto per_page(auto windows, auto... options) {
    return from<hit>() | assign_time<&hit::at>(bounded_disorder{4_s}) | key_by<&hit::page>()
        | window(windows, options...) | aggregate(count(), sum<&hit::bytes>());
}
/// Follows a log that grows, and compares now and then; what the comparisons found.
template <class P>
std::vector<drift_point> follow(P const& p, duration every = 20_s) {
    dual_now = event_time{};
    memory_log<hit> log;
    dual_run_options how{.watch = {.every = every}};
    how.mode.clock = &dual_clock;
    auto both = dual_run(how, p, log);
    for (std::int64_t i = 0; i < 400; ++i) {
        log.append(nth_hit(i));
        dual_now = dual_now + 1_s;
        both.poll();
    }
    CHECK(both.refused() == 0);
    return both.drift().history();
}
}  // namespace

TEST_CASE("a lawful pipeline has no drift, at any moment", "[view][dual_run]") {
    auto const check = [](auto const& p) {
        auto const found = follow(p);
        CHECK(found.size() == 20);
        for (auto const& each : found) {
            INFO(each.at.ns() / 1'000'000'000 << " s: " << each.disagreeing << " of " << each.rows << each.failure);
            CHECK(each.drift == 0);
        }
        CHECK(found.back().rows > 0);
        CHECK(std::all_of(found.begin(), found.end(), [](auto const& each) { return each.failure.empty(); }));
    };
    check(per_page(tumbling{10_s}));
    check(per_page(sliding{30_s, 10_s}));
    check(per_page(session{2_s}));
    check(per_page(tumbling{10_s}, at_watermark().early(every(3)), allowed_lateness{30_s}));
    check(from<hit>() | assign_time<&hit::at>(bounded_disorder{4_s}) | key_by<&hit::page>() | table(unbounded_state{}));
}

TEST_CASE("a trigger that asks the clock drifts from batch, and the rows are named", "[view][dual_run]") {
    // Takes no more 15 s after the first record of a window, whatever the watermark says.
    auto const unlawful = per_page(tumbling{30_s}, repeat(every(2)).or_finally(after(15_s)), allow_data_loss{});
    static_assert(!is_replayable<decltype(unlawful)>);
    dual_now = event_time{};
    memory_log<hit> log;
    dual_run_options how{.watch = {.every = 1_min, .compare = {.samples = 3}}};
    how.mode.clock = &dual_clock;
    auto both = dual_run(how, unlawful, log);
    std::uint64_t told = 0;
    both.drift().on_result([&](drift_point const& at, reconciliation const& found) {
        told += found.disagreeing();
        CHECK(at.drift == found.drift());
    });
    for (std::int64_t i = 0; i < 400; ++i) {
        log.append(nth_hit(i));
        dual_now = dual_now + 1_s;
        both.poll();
    }
    auto const now = both.drift().values();
    CHECK(told > 0);
    CHECK(now.last.drift > 0.5);
    CHECK(now.disagreements >= 5);
    REQUIRE(now.samples.size() == 3);
    for (auto const& each : now.samples) {
        CHECK(std::any_of(std::begin(pages), std::end(pages),
            [&](char const* page) { return each.key == '"' + std::string{page} + '"'; }));
        CHECK(each.left != each.right);
        CHECK(each.window.end - each.window.start == 30_s);
    }
}

TEST_CASE("what a stream refuses as late is drift, and is counted", "[view][dual_run]") {
    memory_log<hit> log;
    auto both = dual_run(per_page(tumbling{10_s}), log);
    for (std::int64_t i = 0; i < 100; ++i) log.append(nth_hit(i));
    both.poll();
    CHECK(both.drift().values().last.drift == 0);
    log.append({text{"/"}, 1, event_time{5'000'000'000}});
    both.poll();
    both.compare();
    CHECK(both.refused() == 1);
    CHECK(both.drift().values().last.disagreeing == 1);
    REQUIRE(both.drift().values().samples.size() == 1);
    CHECK(both.drift().values().samples[0].key == "\"/\"");
}

TEST_CASE("the batch of a dual run reads what the stream has read, not more", "[view][dual_run]") {
    testing::memory_files files;
    file_log<hit> log{"log", {.partitions = 3, .background = false, .files = &files}};
    for (std::int64_t i = 0; i < 300; ++i) log.append(nth_hit(i), static_cast<std::uint32_t>(i % 3));
    // Behind all of them come records of windows that have closed, in time all the same.
    for (std::int64_t i = 0; i < 300; i += 10) {
        log.append({text{"/"}, 1'000'000, event_time{i * 1'000'000'000}}, static_cast<std::uint32_t>(i % 3));
    }
    log.sync();
    auto both = dual_run(per_page(tumbling{10_s}, allowed_lateness{1_h}), log);
    for (int i = 0; i < 15; ++i) {
        both.poll(33);  // in the middle of blocks
        both.compare();
        CHECK(both.drift().values().last.drift == 0);
        CHECK(both.drift().values().failures == 0);
    }
    CHECK(both.drift().values().last.rows > 100);
    CHECK(both.refused() == 0);
}

TEST_CASE("a dual run of two logs", "[view][dual_run]") {
    memory_log<hit> left;
    memory_log<hit> right;
    auto const p = join(from<hit>("left"_name) | assign_time<&hit::at>(bounded_disorder{4_s}) | key_by<&hit::page>(),
                       from<hit>("right"_name) | assign_time<&hit::at>(bounded_disorder{4_s}) | key_by<&hit::page>(),
                       interval{-2_s, 2_s})
        | window(tumbling{20_s}) | aggregate(count());
    auto both = dual_run(p, left, right);
    for (std::int64_t i = 0; i < 200; ++i) {
        left.append(nth_hit(i));
        if (i % 2 == 0) right.append(nth_hit(i));
        both.poll();
        if (i % 10 == 0) both.compare();
    }
    CHECK(both.drift().values().worst_drift == 0);
    CHECK(both.drift().values().failures == 0);
    CHECK(both.drift().values().last.rows > 10);
}
