// SPDX-License-Identifier: BSL-1.0
// trace() says of one record which windows it went into, which panes it is in, and who refused it.
#include <driftless/run/trace.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/merge.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
struct hit {
    int page;
    event_time at;
};
hit hit_at(std::int64_t seconds, int page = 1) { return {page, event_time::from_ms(seconds * 1000)}; }
constexpr auto hits = from<hit>() | assign_time<&hit::at>(bounded_disorder{5_s}) | key_by<&hit::page>();

/// Windows in seconds: "aggregate applied 0-60", "aggregate pane 0-60 on time".
std::vector<std::string> lines(record_trace const& of) {
    std::vector<std::string> out;
    for (auto const& each : of.steps) {
        using kind = traced_step::kind;
        if (each.what == kind::reached) continue;
        auto line = each.stage.str();
        auto const seconds = [](event_time t) { return std::to_string(t.ms() / 1000); };
        auto const window = seconds(each.window.start) + "-" + seconds(each.window.end);
        switch (each.what) {
            case kind::applied: line += " applied " + window; break;
            case kind::refused: line += " refused " + window + " " + std::string{to_string(each.why)}; break;
            case kind::unassigned: line += " unassigned"; break;
            case kind::pane: line += " pane " + window + " " + std::string{to_string(each.info.timing)}; break;
            case kind::removal: line += " removed " + window; break;
            case kind::reached: break;
        }
        out.push_back(line);
    }
    return out;
}
using strings = std::vector<std::string>;
}  // namespace

TEST_CASE("trace follows a record into its window and the panes it is in, and no others", "[run][trace]") {
    auto const log = std::vector<hit>({hit_at(10), hit_at(20, 2), hit_at(30), hit_at(130), hit_at(40)});
    auto const p = hits | window(tumbling{60_s}, allowed_lateness{5_min}) | aggregate(count());
    CHECK(lines(trace(stream{}, p, {.offset = 2}, log))
        == strings{"aggregate applied 0-60", "aggregate pane 0-60 on time", "aggregate pane 0-60 late"});
    CHECK(lines(trace(stream{}, p, {.offset = 1}, log))
        == strings{"aggregate applied 0-60", "aggregate pane 0-60 on time"});
    // The last of key 1 and [0, 60) came late: only its own pane has it.
    CHECK(lines(trace(stream{}, p, {.offset = 4}, log))
        == strings{"aggregate applied 0-60", "aggregate pane 0-60 late"});
    CHECK(lines(trace(stream{}, p, {.offset = 3}, log)) == strings{"aggregate applied 120-180"});  // still open
    CHECK(lines(trace(stream{.until = drained}, p, {.offset = 3}, log))
        == strings{"aggregate applied 120-180", "aggregate pane 120-180 on time"});
    CHECK(lines(trace(batch{}, p, {.offset = 4}, log))
        == strings{"aggregate applied 0-60", "aggregate pane 0-60 on time"});
    auto const none = trace(stream{}, p, {.offset = 5}, log);
    CHECK_FALSE(none.found);
    CHECK(none.steps.empty());
}

TEST_CASE("trace says which windows refused a record, and why", "[run][trace]") {
    auto const log = std::vector<hit>({hit_at(10), hit_at(100), hit_at(50)});  // the watermark is 95
    auto const p = hits | window(sliding{60_s, 20_s}) | aggregate(count());
    CHECK(lines(trace(stream{}, p, {.offset = 2}, log))
        == strings{"aggregate refused 0-60 late", "aggregate refused 20-80 late", "aggregate applied 40-100"});
    auto const one = hits | window(tumbling{60_s}) | aggregate(count()).id("per_minute"_name);
    auto const told = trace(stream{}, one, {.offset = 2}, log);
    CHECK(told.str()
        ==
        "offset 2 of partition 0 of input 0\n"
        "assign_time: reached\n"
        "key_by: reached\n"
        "window: reached\n"
        "aggregate 'per_minute': refused by [1970-01-01T00:00:00Z, 1970-01-01T00:01:00Z), late, "
        "watermark 1970-01-01T00:01:35Z\n");
    CHECK(lines(trace(batch{}, one, {.offset = 2}, log))
        == strings{"aggregate 'per_minute' applied 0-60", "aggregate 'per_minute' pane 0-60 on time"});
}

TEST_CASE("trace shows the last operator that a record reached", "[run][trace]") {
    auto const log = std::vector<hit>({hit_at(10), hit_at(20, 2)});
    auto const p = from<hit>() | filter([](hit const& h) { return h.page == 1; }).id("cheap"_name)
        | map([](hit const& h) { return h.page; });
    CHECK(trace(stream{}, p, {.offset = 0}, log).steps.size() == 2);
    auto const told = trace(stream{}, p, {.offset = 1}, log);
    REQUIRE(told.steps.size() == 1);
    CHECK(told.steps[0].str() == "filter 'cheap': reached");
}

TEST_CASE("trace follows the rows that a record is part of through the next aggregate", "[run][trace]") {
    auto const log = std::vector<hit>({hit_at(10), hit_at(20, 2), hit_at(130)});
    auto const p = hits | window(tumbling{60_s}) | aggregate(count())
        | map([](pane<int, std::int64_t> const& row) { return row.value; }).id("value"_name)
        | key_by([](std::int64_t) { return 0; }) | aggregate(sum()).id("all"_name);
    auto const told = lines(trace(stream{}, p, {.offset = 1}, log));
    CHECK(told
        == strings{"aggregate applied 0-60", "aggregate pane 0-60 on time", "aggregate 'all' applied 0-60",
            "aggregate 'all' pane 0-60 on time"});
}

TEST_CASE("trace follows a record from session to session", "[run][trace]") {
    auto const log = std::vector<hit>({hit_at(10), hit_at(30), hit_at(20), hit_at(100)});
    auto const p = hits | window(session{15_s}, allowed_lateness{1_min}) | aggregate(count());
    CHECK(lines(trace(stream{}, p, {.offset = 0}, log))
        == strings{"aggregate applied 10-25", "aggregate pane 10-25 on time", "aggregate removed 10-25",
            "aggregate pane 10-45 on time"});
}

TEST_CASE("trace finds a record of a merge by its input and partition", "[run][trace]") {
    memory_log<hit> left{2};
    memory_log<hit> right;
    left.append(hit_at(10), 0);
    left.append(hit_at(11), 1);
    right.append(hit_at(12));
    auto const p =
        merge(from<hit>("left"_name) | assign_time<&hit::at>(), from<hit>("right"_name) | assign_time<&hit::at>())
        | key_by<&hit::page>() | window(tumbling{60_s}, at_watermark().early(every(1))) | aggregate(count());
    auto const at = [&](origin record) {
        return lines(trace(stream{}, p, record, bind("left"_name, left), bind("right"_name, right)));
    };
    CHECK(at({.offset = 0, .partition = 0, .input = 0}).size() == 4);
    CHECK(at({.offset = 0, .partition = 1, .input = 0}).size() == 3);
    CHECK(at({.offset = 0, .partition = 0, .input = 1}).size() == 2);
    origin const missing{.offset = 0, .partition = 1, .input = 1};
    auto const nowhere = trace(stream{}, p, missing, bind("left"_name, left), bind("right"_name, right));
    CHECK_FALSE(nowhere.found);
}

TEST_CASE("what trace says of each record adds up to the books of the run", "[run][trace]") {
    std::vector<hit> log;
    std::uint64_t random = 7;
    for (std::int64_t i = 0; i < 80; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        log.push_back(hit_at(i * 7 + static_cast<std::int64_t>(random >> 33) % 180, static_cast<int>(random >> 60)));
    }
    auto const p = hits | window(sliding{60_s, 25_s}, allowed_lateness{20_s}) | aggregate(count());
    std::uint64_t panes = 0;
    auto sink = to([&](pane<int, std::int64_t> const& row) { panes += static_cast<std::uint64_t>(row.value); },
        [](int, time_window) {});
    auto const books = run(stream{.until = drained}, p, log, sink);
    std::uint64_t applied = 0, refused = 0, contained = 0;
    for (std::uint64_t i = 0; i < log.size(); ++i) {
        auto const told = trace(stream{.until = drained}, p, {.offset = i}, log);
        for (auto const& each : told.steps) {
            applied += each.what == traced_step::kind::applied;
            refused += each.what == traced_step::kind::refused;
            contained += each.what == traced_step::kind::pane;
        }
    }
    CHECK(applied == books.stages[0].applied);
    CHECK(refused == books.refused(reason::late));
    CHECK(refused > 20);
    // A pane counts the records it has. Of those that come late, a pane before them does not have them.
    CHECK(contained == panes);
}

TEST_CASE("a record that an aggregate function threw at is in no pane", "[run][trace]") {
    std::vector<hit> const log{hit_at(10), hit_at(20), hit_at(130)};
    auto const cents = [](hit const& h) {
        if (h.at == event_time::from_ms(20'000)) throw std::runtime_error{"no price"};
        return 1;
    };
    auto const p = hits | window(tumbling{60_s}) | aggregate(sum(cents));
    CHECK(lines(trace(stream{.on_error = on_error::skip}, p, {.offset = 1}, log))
        == strings{"aggregate refused 0-60 failed"});
}
