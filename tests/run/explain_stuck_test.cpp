// SPDX-License-Identifier: BSL-1.0
// job::explain_stuck() names who holds what back.
#include <driftless/run/job.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/sorted_by_time.hpp>
#include <driftless/op/timestamps.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>

using namespace driftless;
using namespace driftless::literals;

namespace stuck {
struct hit {
    int page;
    event_time at;
};
}  // namespace stuck
BOOST_HANA_ADAPT_STRUCT(stuck::hit, page, at);

namespace {
using stuck::hit;
hit hit_at(std::int64_t seconds, int page = 1) { return {page, event_time::from_ms(seconds * 1000)}; }
std::int64_t now_s = 0;
event_time clock_of_the_test() { return event_time::from_ms(now_s * 1000); }

bool says(std::string const& text, std::string const& line) {
    return ('\n' + text + '\n').find('\n' + line + '\n') != std::string::npos;
}

constexpr auto hits = from<hit>() | assign_time<&hit::at>(bounded_disorder{5_s}) | key_by<&hit::page>();
auto const none = to([](auto const&) {}, [](auto const&, time_window) {});
}  // namespace

TEST_CASE("explain_stuck names the watermark a window waits for", "[run][explain_stuck]") {
    auto const ask = [](auto const& p, int threads = 1) {
        memory_log<hit> log;
        for (auto const at : {10, 64, 70}) log.append(hit_at(at));
        auto out = none;
        job running{stream{.threads = threads}, p, log, out};
        running.poll();
        return running.explain_stuck();
    };
    auto const plain = hits | window(tumbling{60_s}) | aggregate(count()).id("per_minute"_name);
    for (int const threads : {1, 3}) {
        auto const text = ask(plain, threads);
        INFO(text);
        // 70 s less 5 s; what has not been told to anybody, because nothing changes below it, is not shown.
        CHECK(says(text,
            "aggregate 'per_minute' waits until the watermark is 1970-01-01T00:02:00Z: it is "
            "1970-01-01T00:01:05Z"));
        CHECK(says(text, "the watermark of the input is 1970-01-01T00:01:05Z"));
    }
    CHECK(says(ask(hits | window(sliding{60_s, 30_s}) | aggregate(count())),
        "aggregate waits until the watermark is 1970-01-01T00:01:30Z: it is 1970-01-01T00:01:05Z"));
    CHECK(says(ask(hits | window(session{30_s}) | aggregate(count())),
        "aggregate waits until the watermark is 1970-01-01T00:01:10Z: it is 1970-01-01T00:01:05Z"));
    CHECK(says(ask(hits | window(tumbling{60_s}, at_watermark().early(every(10))) | aggregate(count())),
        "aggregate waits until the watermark is 1970-01-01T00:02:00Z: it is 1970-01-01T00:01:05Z"));
    CHECK(says(ask(from<hit>() | assign_time<&hit::at>(bounded_disorder{5_s}) | sorted_by_time(allowed_lateness{10_s})),
        "sorted_by_time waits until the watermark is 1970-01-01T00:01:14.000000001Z: it is 1970-01-01T00:01:05Z"));
    auto const held = ask(hits | window(tumbling{60_s}, earliest_timestamp{}) | aggregate(count()));
    INFO(held);
    CHECK(says(held,
        "aggregate hands on the watermark up to 1970-01-01T00:01:04Z: panes are to come that have times "
        "of their records"));
}

TEST_CASE("explain_stuck says that nothing waits", "[run][explain_stuck]") {
    memory_log<hit> log;
    auto out = none;
    job running{stream{}, hits | window(tumbling{60_s}) | aggregate(count()), log, out};
    CHECK(says(running.explain_stuck(), "the watermark of the input is -inf"));
    CHECK(says(running.explain_stuck(), "aggregate has nothing that waits for the watermark"));
}

TEST_CASE("explain_stuck names an aggregate that answers at the end of the input", "[run][explain_stuck]") {
    auto const ask = [](auto const& p, int threads = 1) {
        memory_log<hit> log;
        log.append(hit_at(10));
        auto out = none;
        job running{stream{.threads = threads}, p, log, out};
        running.poll();
        return running.explain_stuck();
    };
    std::string const waits =
        " answers when the input ends: put window(...) or as_inserts() before it for answers before that";
    auto const per_page = hits | aggregate(count(), max_keys{100}).id("per_page"_name);
    CHECK(says(ask(per_page), "aggregate 'per_page'" + waits));
    CHECK(says(ask(per_page, 2), "aggregate 'per_page'" + waits));
    CHECK(says(ask(from<hit>() | aggregate(count()).id("all"_name)), "aggregate 'all'" + waits));
    auto const at_once = hits | as_inserts() | aggregate(count(), max_keys{100}).id("per_page"_name);
    CHECK(ask(at_once).find("answers when the input ends") == std::string::npos);
}

TEST_CASE("explain_stuck names the partition that holds the watermark and the merge", "[run][explain_stuck]") {
    memory_log<hit> log{3};
    log.append(hit_at(100), 0);
    log.append(hit_at(20), 1);
    auto out = none;
    now_s = 0;
    auto const p = hits | window(tumbling{60_s}) | aggregate(count());
    job running{stream{.clock = clock_of_the_test, .idle_after = 30_s}, p, log, out};
    running.poll();
    auto text = running.explain_stuck();
    INFO(text);
    CHECK(says(text,
        "partition 2 of the input has been read to its end, offset 0, and is not idle: records of others "
        "wait for its next one (stream{.idle_after} lets them go on)"));
    CHECK(says(text,
        "the watermark of the input is -inf; partition 0 holds it: nothing has come from it; partition 1 "
        "holds it: nothing has come from it; partition 2 holds it: nothing has come from it"));
    log.append(hit_at(30), 2);
    running.poll();
    running.poll();
    text = running.explain_stuck();
    INFO(text);
    CHECK(says(text,
        "partition 1 of the input has been read to its end, offset 1, and is not idle: records of others "
        "wait for its next one (stream{.idle_after} lets them go on)"));
    now_s = 30;
    running.poll();
    text = running.explain_stuck();
    INFO(text);
    CHECK(text.find("partition 1 is idle") != std::string::npos);
    CHECK(text.find("partition 2 of the input has been read to its end, offset 1") != std::string::npos);
}

TEST_CASE("explain_stuck names the input that holds a merge", "[run][explain_stuck]") {
    memory_log<hit> left;
    memory_log<hit> right;
    auto const p =
        merge(from<hit>("left"_name) | assign_time<&hit::at>(), from<hit>("right"_name) | assign_time<&hit::at>())
        | key_by<&hit::page>() | window(tumbling{60_s}) | aggregate(count());
    auto out = none;
    job running{stream{}, p, bind("left"_name, left), bind("right"_name, right), out};
    left.append(hit_at(100));
    right.append(hit_at(20));
    left.append(hit_at(110));
    running.poll();
    auto const text = running.explain_stuck();
    INFO(text);
    CHECK(says(text,
        "partition 0 of input 'right' has been read to its end, offset 1, and is not idle: records of "
        "others wait for its next one (stream{.idle_after} lets them go on)"));
    CHECK(says(text, "the watermark of input 'right' is 1970-01-01T00:00:20Z"));
    CHECK(text.find("watermark behind merge is -inf; input 0 holds it: nothing has come from it") != std::string::npos);
}
