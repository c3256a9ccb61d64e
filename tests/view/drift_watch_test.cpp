// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/drift_watch.hpp>

#include <driftless/view/drift_thread.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
std::atomic<std::int64_t> watch_time{0};
event_time watch_clock() { return event_time{watch_time.load()}; }
void pass(duration by) { watch_time += by.ns(); }

using watch_t = drift_watch<std::string, std::int64_t>;
using rows_map = std::map<std::string, std::int64_t>;
row_set<std::string, std::int64_t> set_of(rows_map const& rows) {
    row_set<std::string, std::int64_t> out;
    for (auto const& [key, value] : rows) out.add(key, {}, value);
    return std::move(out).finish();
}
error_code thrown_by(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
/// What metric_set of the metrics room looks like from here.
struct some_metrics {
    struct label {
        std::string name, value;
    };
    struct family {
        some_metrics& of;
        std::string name;
        template <class Number>
        void add(std::vector<label> const& labels, Number value) {
            of.values[name + '{' + labels.at(0).name + '=' + labels.at(0).value + '}'] = static_cast<double>(value);
        }
    };
    std::map<std::string, double> values;
    family gauge(std::string name, std::string const&) { return {*this, std::move(name)}; }
    family counter(std::string name, std::string const&) { return {*this, std::move(name)}; }
};
}  // namespace

TEST_CASE("two sides are compared when it is due, by the clock that was given", "[view][drift_watch]") {
    watch_time = 1'000;
    rows_map left{{"a", 1}, {"b", 2}};
    auto right = left;
    int asked = 0;
    watch_t watch{[&] { return ++asked, set_of(left); }, [&] { return set_of(right); },
        {.name = "ledger", .every = 10_s, .history = 3, .clock = &watch_clock}};
    std::vector<drift_point> told;
    watch.on_result([&](drift_point const& at, reconciliation const& found) {
        CHECK(found.rows() == at.rows);
        told.push_back(at);
    });
    CHECK(watch.values().comparisons == 0);
    CHECK(watch.poll());  // the first one at once
    CHECK(!watch.poll());
    pass(10_s - 1_ns);
    CHECK(!watch.poll());
    pass(1_ns);
    CHECK(watch.poll());
    CHECK(asked == 2);
    pass(35_s);  // three are overdue: one is made, and the next is due 10 s later
    CHECK(watch.poll());
    CHECK(!watch.poll());
    pass(9_s);
    CHECK(!watch.poll());
    pass(1_s);
    right["b"] = 3;
    right["c"] = 1;
    CHECK(watch.poll());
    REQUIRE(told.size() == 4);
    CHECK(told[0].drift == 0);
    CHECK(told[3].rows == 3);
    CHECK(told[3].disagreeing == 2);
    auto const now = watch.values();
    CHECK(now.comparisons == 4);
    CHECK(now.disagreements == 1);
    CHECK(now.last == told[3]);
    REQUIRE(now.samples.size() == 2);
    CHECK(now.samples[0].key != now.samples[1].key);
    CHECK(now.worst_drift == told[3].drift);
    watch.compare_now();
    CHECK(!watch.poll());
    CHECK(told.size() == 5);
}

TEST_CASE("the history of a drift watch is bounded, and so is the worst drift it tells", "[view][drift_watch]") {
    watch_time = 0;
    rows_map left{{"a", 1}};
    rows_map right{{"a", 2}};
    watch_t watch{[&] { return set_of(left); }, [&] { return set_of(right); },
        {.every = 1_s, .history = 3, .clock = &watch_clock}};
    watch.poll();
    right = left;
    for (int i = 0; i < 2; ++i) pass(1_s), watch.poll();
    CHECK(watch.values().worst_drift == 1);
    for (int i = 0; i < 100; ++i) pass(1_s), watch.poll();
    CHECK(watch.history().size() == 3);
    CHECK(watch.history().back().at == watch_clock());
    CHECK(watch.values().worst_drift == 0);
    CHECK(watch.values().disagreements == 1);
    CHECK(thrown_by([&] { watch_t{{}, {}, {.every = {}}}; }) == error_code::invalid_argument);
    CHECK(thrown_by([&] { watch_t{{}, {}, {.history = 0}}; }) == error_code::invalid_argument);
}

TEST_CASE("a side that throws is counted, and tried again when it is due", "[view][drift_watch]") {
    watch_time = 0;
    bool broken = false;
    watch_t watch{[&] { return broken ? throw std::runtime_error{"no ledger today"} : set_of({{"a", 1}}); },
        [] { return set_of({{"a", 1}}); }, {.name = "ledger", .every = 1_s, .clock = &watch_clock}};
    int told = 0;
    watch.on_result([&](auto const&, auto const&) {
        if (++told == 2) throw std::runtime_error{"nobody listens"};
    });
    watch.poll();
    auto const good = watch.values().last;
    broken = true;
    pass(1_s);
    CHECK(watch.poll());
    CHECK(!watch.poll());
    CHECK(told == 1);
    CHECK(watch.values().failures == 1);
    CHECK(watch.values().last == good);
    CHECK(watch.history().back().failure == "no ledger today");
    broken = false;
    pass(1_s);
    CHECK_THROWS_AS(watch.poll(), std::runtime_error);
    CHECK(watch.values().comparisons == 2);  // written down all the same
    some_metrics metrics;
    watch.collect(metrics);
    CHECK(metrics.values.at("driftless_drift_comparisons_total{name=ledger}") == 2);
    CHECK(metrics.values.at("driftless_drift_failures_total{name=ledger}") == 1);
    CHECK(metrics.values.at("driftless_drift_ratio{name=ledger}") == 0);
    CHECK(metrics.values.at("driftless_drift_compared_at_seconds{name=ledger}") == 2);
}

TEST_CASE("a thread compares when the clock says so, and others ask meanwhile", "[view][drift_watch]") {
    watch_time = 0;
    std::atomic<int> compared{0};
    watch_t watch{[&] { return set_of({{"a", 1}}); }, [] { return set_of({{"a", 2}}); },
        {.every = 1_s, .history = 5, .clock = &watch_clock}};
    watch.on_result([&](auto const&, auto const&) {
        if (++compared == 3) throw std::runtime_error{"the third"};
    });
    {
        drift_thread runs{watch, 1_h};  // it is woken, and nothing else
        for (int n = 1; n <= 20; ++n) {
            while (compared < n) std::this_thread::yield();
            CHECK(watch.history().size() <= 5);
            pass(1_s);
            runs.wake();
        }
        while (compared < 21) std::this_thread::yield();
        CHECK(runs.failure() == "the third");
    }
    CHECK(watch.values().comparisons == 21);
    CHECK(watch.values().samples.size() == 1);
}
