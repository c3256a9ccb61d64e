// SPDX-License-Identifier: BSL-1.0
#include <driftless/run/snapshot_policy.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::memory_files;

namespace snapshot_policy_test {
struct sale {
    std::int64_t user;
    std::int64_t cents;
    event_time at;
};
}  // namespace snapshot_policy_test
BOOST_HANA_ADAPT_STRUCT(snapshot_policy_test::sale, user, cents, at);
using snapshot_policy_test::sale;

namespace {
constexpr snapshot_measures usual{.state_bytes = 1'000'000'000,
    .save = 1_s,
    .restore = 2_s,
    .arriving = 100'000,
    .replayed = 1'000'000,
    .changed = 0.001};
std::string message_of(snapshot_policy const& policy, snapshot_measures const& of) {
    try {
        static_cast<void>(policy.plan(of));
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::invalid_argument);
        return problem.what();
    }
    return {};
}
bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }
bool near(duration a, duration b) { return a - b < 1_ms && b - a < 1_ms; }

/// A crash at the worst moment, second by second: how long the job takes to be back at the end of its inputs.
double played(snapshot_measures const& of, duration every) {
    auto const s = [](duration d) { return static_cast<double>(d.ns()) / 1e9; };
    double behind = of.arriving * (s(every) + s(of.save));
    double time = 0;
    constexpr double step = 0.0005;
    for (; time < s(of.restore); time += step) behind += of.arriving * step;
    for (; behind > 0; time += step) behind += (of.arriving - of.replayed) * step;
    return time;
}
/// The most bytes that lie in the folder, snapshot by snapshot.
double most_bytes(snapshot_measures const& of, snapshot_options const& options) {
    auto const full = static_cast<double>(of.state_bytes);
    auto const part = full * std::min(1.0, of.changed * static_cast<double>(options.every.ns()) / 1e9);
    auto const size_of = [&](std::size_t i) { return i % options.full_every == 0 ? full : part; };
    double most = 0;
    for (std::size_t newest = options.keep; newest < 3 * options.full_every + options.keep; ++newest) {
        auto const oldest = newest - options.keep + 1;
        double sum = size_of(newest + 1);  // being written
        for (auto i = oldest / options.full_every * options.full_every; i <= newest; ++i) sum += size_of(i);
        most = std::max(most, sum);
    }
    return most;
}
}  // namespace

TEST_CASE("a snapshot policy takes the longest interval that keeps to the recovery time", "[run][snapshot_policy]") {
    auto const plan = snapshot_policy{.recovery = 10_s}.plan(usual);
    // 2 s to restore; then 8 s of replay read what 72 s of input brought: 72 - 2 - 1 = 69.
    CHECK(near(plan.options.every, 69_s));
    CHECK(plan.restore == 2_s);
    CHECK(near(plan.replay, 8_s));
    CHECK(plan.replay_records / 1000 == 8'000);
    CHECK(near(plan.recovery(), 10_s));
    CHECK(plan.pause == 1_s);
    CHECK(plan.options.keep == 2);
    for (auto const recovery : {3_s, 5_s, 30_s, 600_s}) {
        auto const any = snapshot_policy{.recovery = recovery}.plan(usual);
        auto const took = played(usual, any.options.every);
        CHECK(took <= static_cast<double>(recovery.ns()) / 1e9 + 0.01);
        CHECK(took >= static_cast<double>(recovery.ns()) / 1e9 - 0.01);
    }
}
TEST_CASE("what nothing arrives at needs a snapshot a day", "[run][snapshot_policy]") {
    auto still = usual;
    still.arriving = 0;
    auto const plan = snapshot_policy{.recovery = 10_s}.plan(still);
    CHECK(plan.options.every == 86'400_s);
    CHECK(plan.replay == 0_s);
}
TEST_CASE("a snapshot policy fills its storage with incremental snapshots, and no more", "[run][snapshot_policy]") {
    for (auto const storage : {3'000'000'000u, 3'500'000'000u, 4'100'000'000u}) {
        snapshot_policy const policy{.recovery = 10_s, .storage = storage};
        auto const plan = policy.plan(usual);
        CHECK(plan.storage <= storage);
        CHECK(most_bytes(usual, plan.options) <= static_cast<double>(plan.storage));
        auto more = plan;
        ++more.options.full_every;
        CHECK(most_bytes(usual, more.options) > 0.9 * static_cast<double>(storage) - 1e9);
    }
    CHECK(snapshot_policy{.recovery = 10_s, .storage = 3'000'000'000}.plan(usual).options.full_every == 1);
    CHECK(snapshot_policy{.recovery = 10_s, .storage = 3'500'000'000}.plan(usual).options.full_every == 8);
    CHECK(snapshot_policy{.recovery = 10_s, .storage = 2'500'000'000}.plan(usual).options.keep == 1);
    CHECK(snapshot_policy{.recovery = 10_s}.plan(usual).options.full_every == 100);
    auto busy = usual;
    busy.changed = 1;
    CHECK(snapshot_policy{.recovery = 10_s}.plan(busy).options.full_every == 1);
}
TEST_CASE("a snapshot policy that cannot be kept says what can", "[run][snapshot_policy]") {
    CHECK(has(message_of({.recovery = 1_s}, usual), "restoring takes 2s"));
    // At most a fifth of the time for snapshots of 1 s: every 4 s, so 2 + (4.001 + 1 + 2) / 9 s.
    CHECK(has(message_of({.recovery = 2500_ms}, usual), "back within 2778ms at best"));
    CHECK(near(snapshot_policy{.recovery = 2778_ms}.plan(usual).options.every, 4002_ms));
    CHECK(has(message_of({.recovery = 10_s, .storage = 1'999'999'999}, usual), "two must fit into `storage`"));
    auto slow = usual;
    slow.replayed = slow.arriving;
    CHECK(has(message_of({.recovery = 10_s}, slow), "never catches up"));
    CHECK(has(message_of({.recovery = 10_s, .most_share = 1}, usual), "most_share"));
}
TEST_CASE("a snapshot plan says what to expect", "[run][snapshot_policy]") {
    CHECK(snapshot_policy{.recovery = 10_s, .storage = 3'500'000'000}.plan(usual).str()
        ==
        "a snapshot every 69s, one in 8 full, 2 kept: 3483000000 bytes at most\n"
        "restore 2s, replay 8s (8000000 records at most): recovery within 10s\n"
        "a full snapshot stops the job for 1s, snapshots take 0.3 % of its time\n");
}
TEST_CASE("a job is measured for a policy", "[run][snapshot_policy]") {
    memory_log<sale> log;
    for (std::int64_t i = 0; i < 20'000; ++i) log.append(sale{i % 5'000, i, event_time{i * 1'000'000}});
    memory_files files;
    auto const pipeline = from<sale>() | assign_time<&sale::at>(bounded_disorder{1000_s}) | key_by<&sale::user>()
        | window(tumbling{10_s}) | aggregate(count(), sum<&sale::cents>());
    auto const make = [&] {
        return job{stream{.snapshots = "state", .snapshot_options = {.every = {}, .files = &files}}, pipeline, log};
    };
    auto const found = measure_snapshots("state", make, files);
    CHECK(found.state_bytes > 10'000 * 32);  // each of 5,000 users in two windows
    CHECK(found.state_bytes < 10'000 * 32 + 1000);
    CHECK(found.replayed > 1000);
    CHECK(found.save > 0_s);
    CHECK(found.restore > 0_s);
    CHECK_THROWS_AS(measure_snapshots("state", make, files), error);  // there is nothing left to read
}
