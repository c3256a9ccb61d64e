// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/spill.hpp>

#include <driftless/run/fingerprint.hpp>
#include <driftless/testing/memory_cold_store.hpp>
#include <state/spilled_jobs.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using namespace spilled_jobs;

TEST_CASE("a process function that spills gives the rows and snapshots of one in memory", "[op][process][spill]") {
    testing::memory_cold_store store;
    same_rows_and_snapshots(store, visits);
    snapshots_go_over(store, visits);
}
TEST_CASE("an aggregate that spills gives the rows and snapshots of one in memory", "[op][aggregate][spill]") {
    testing::memory_cold_store store;
    same_rows_and_snapshots(store, totals);
    same_rows_and_snapshots(store, few_totals);
    snapshots_go_over(store, totals);
}

TEST_CASE("a store that fails fails the job", "[op][spill]") {
    auto const fails = [](auto const& pipe) {
        memory_log<click> log;
        std::vector<step> steps;
        for (std::uint32_t i = 0; i < 100; ++i) steps.push_back({i % 20, 1});
        append(log, steps);
        testing::memory_cold_store store;
        said rows;
        job running{stream{.on_error = on_error::skip}, pipe(spill_to{store, 5}), log, rows.sink()};
        store.fail_from(10);
        CHECK_THROWS_AS(running.poll(), error);
        CHECK_THROWS_AS(running.poll(), error);
        CHECK(running.metrics().failures == 0);
    };
    fails(visits);
    fails(totals);
}

TEST_CASE("a store that fails while state is read out fails the job, and nothing is lost", "[op][spill]") {
    auto const fails = [](auto const& pipe) {
        memory_log<click> log;
        std::vector<step> steps;
        for (std::uint32_t i = 0; i < 100; ++i) steps.push_back({i % 20, 1});
        append(log, steps);
        testing::memory_cold_store store;
        said rows;
        said whole;
        static_cast<void>(run(stream{.until = drained}, pipe(), log, whole.sink()));
        std::string state;
        auto const break_in = [&](auto const& asked) {
            job running{stream{}, pipe(spill_to{store, 5}), log, rows.sink()};
            running.poll(60);
            state = running.snapshot();
            running.poll(100);
            store.fail_from(1);
            CHECK_THROWS_AS(asked(running), error);
            store.fail_from(0);
        };
        break_in([](auto& running) { static_cast<void>(running.snapshot()); });
        break_in([](auto& running) { running.drain(); });
        CHECK(store.size() == 0);
        said rest;
        job again{stream{}, pipe(spill_to{store, 5}), log, rest.sink()};
        again.restore(state);
        again.drain();
        REQUIRE(rest.rows.size() >= 20);
        CHECK(std::equal(rest.rows.end() - 20, rest.rows.end(), whole.rows.end() - 20));
    };
    fails(visits);
    fails(totals);
}

TEST_CASE("where state is kept is no part of a pipeline's fingerprint", "[op][spill]") {
    testing::memory_cold_store store;
    CHECK(fingerprint(visits()) == fingerprint(visits(spill_to{store, 3})));
    CHECK(fingerprint(totals()) == fingerprint(totals(spill_to{store, 3})));
}
