// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace lambda_crash_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t id;
    std::int64_t cents;
    event_time at;
};
}  // namespace lambda_crash_test
BOOST_HANA_ADAPT_STRUCT(lambda_crash_test::sale, shop, id, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using lambda_crash_test::sale;
using testing::fault;
using testing::memory_files;
using totals = std::tuple<std::int64_t, std::int64_t>;
using shown = std::map<std::pair<std::int64_t, time_window>, totals>;

event_time fake_now = event_time{} + 1000_h;
event_time fake_clock() { return fake_now; }

inline constexpr auto sessions = from<sale>() | assign_time<&sale::at>(bounded_disorder{10_min}, as_declared)
    | dedup<&sale::id>(2_h) | key_by<&sale::shop>() | window(session{20_min}, allowed_lateness{15_min})
    | aggregate(count(), sum<&sale::cents>());
using coordinator = lambda_coordinator<std::remove_cvref_t<decltype(sessions)>, memory_log<sale>&>;

constexpr std::size_t before = 40;  // records at the first T
constexpr std::size_t all = 90;

void fill(memory_log<sale>& out, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
        std::mt19937_64 random{i};
        auto const minute = static_cast<std::int64_t>(i * 2) - static_cast<std::int64_t>(random() % 15);
        out.append({static_cast<std::int64_t>(random() % 3), static_cast<std::int64_t>(random() % (i / 2 + 3)),
            static_cast<std::int64_t>(random() % 100), event_time{} + minute * 1_min});
    }
}
template <class Rows>
shown content(Rows const& rows) {
    shown out;
    for (auto const& each : rows) REQUIRE(out.emplace(std::pair{each.key, each.window}, each.value).second);
    return out;
}
shown batch_over(std::size_t n) {
    memory_log<sale> log;
    fill(log, 0, n);
    return content(run(batch{}, sessions, log));
}
/// What a stream shows over so many records.
shown stream_over(std::size_t n) {
    memory_log<sale> log;
    fill(log, 0, n);
    view<std::int64_t, totals> rows;
    job running{stream{}, sessions, log, rows};
    running.poll();
    return content(rows.snapshot().rows());
}
std::unique_ptr<coordinator> open(
    memory_files& files, memory_log<sale>& log, lambda_mode mode, std::size_t keep = 0) {
    lambda_options how{.chunk = 25, .mode = mode, .keep = keep, .logic_version = "1", .files = &files};
    how.clock = &fake_clock;
    return std::make_unique<coordinator>("both", how, sessions, log);
}
/// The state that a coordinator begins the trial with: T behind `before` records.
void prepare(memory_files& files, lambda_mode mode) {
    memory_log<sale> log;
    fill(log, 0, before);
    auto const both = open(files, log, mode);
    REQUIRE(both->run_batch());
}
void check_at_contract(coordinator const& both, shown const& first, shown const& second) {
    auto const contract = both.view().contract();
    auto snapshot = both.view().snapshot();
    REQUIRE((contract.records == before || contract.records == all));
    REQUIRE(snapshot.at_contract());
    REQUIRE(content(snapshot.rows()) == (contract.records == before ? first : second));
}
}  // namespace

TEST_CASE("a coordinator that dies at any operation on its files serves one T or the other, whole",
    "[view][lambda][crash]") {
    auto const first = batch_over(before);
    auto const second = batch_over(all);
    auto const die_everywhere = [&](lambda_mode mode, fault how, bool power, std::size_t keep) {
        std::size_t moved = 0;
        std::size_t stayed = 0;
        bool done = false;
        for (std::uint64_t n = 1; !done; ++n) {
            CAPTURE(n, power, keep);
            memory_files files;
            prepare(files, mode);
            memory_log<sale> log;
            fill(log, 0, before);
            auto const begun = files.operations();
            files.inject(n, how);
            try {
                auto const both = open(files, log, mode, keep);
                fill(log, before, all);
                both->poll();
                both->run_batch();
                done = files.operations() - begun < n;
                if (done) files.inject(0, how);
            } catch (error const& problem) {
                REQUIRE(problem.code() == error_code::io);
            }
            if (power) files.lose_power(n);
            else files.restart();
            if (log.end_offset() < all) fill(log, static_cast<std::size_t>(log.end_offset()), all);
            auto const both = open(files, log, mode, keep);
            check_at_contract(*both, first, second);
            bool const has_moved = both->view().contract().records == all;
            ++(has_moved ? moved : stayed);
            // Nothing is left behind of a batch that did not end; a T that was published before may be kept.
            REQUIRE(files.list("both/versions").size() == (has_moved && keep != 0 ? 2U : 1U));
            REQUIRE(both->run_batch());
            REQUIRE(both->view().contract().records == all);
            check_at_contract(*both, first, second);
        }
        CHECK(moved > (keep == 0 ? 1U : 0U));  // what is kept is not removed after it
        CHECK(stayed > 10);
    };
    for (auto const mode : {lambda_mode::merged, lambda_mode::batch_only}) {
        for (auto const how : {fault::cut, fault::after}) {
            for (bool const power : {false, true}) {
                for (std::size_t const keep : {0U, 2U}) die_everywhere(mode, how, power, keep);
            }
        }
    }
}

TEST_CASE("one operation on files that fails leaves T and serving whole, and the next batch succeeds",
    "[view][lambda][crash]") {
    auto const first = batch_over(before);
    auto const second = batch_over(all);
    auto const streamed = stream_over(all);
    std::size_t failed = 0;
    bool done = false;
    for (std::uint64_t n = 1; !done; ++n) {
        CAPTURE(n);
        memory_files files;
        prepare(files, lambda_mode::merged);
        memory_log<sale> log;
        fill(log, 0, before);
        auto const both = open(files, log, lambda_mode::merged);
        fill(log, before, all);
        both->poll();
        auto const contract = both->view().contract();
        auto const begun = files.operations();
        files.inject(n, fault::fail);
        bool const published = both->run_batch();
        done = files.operations() - begun < n;
        if (done) files.inject(0, fault::fail);
        REQUIRE((!done || published));
        if (!published) {
            ++failed;
            REQUIRE(!both->report().batch_failure.empty());
            // Readers have noticed nothing, and the speed layer goes on.
            REQUIRE(both->view().contract() == contract);
            auto const now = both->view().snapshot();
            REQUIRE(now.speed().epoch == all);
            shown told;
            now.for_each([&](auto const& row) {
                if (row.layer != lambda_layer::open) told[{row.key, row.window}] = row.value;
            });
            REQUIRE(told == streamed);
            REQUIRE(both->run_batch());
        }
        REQUIRE(both->view().contract().records == all);
        check_at_contract(*both, first, second);
        REQUIRE(both->report().batch_failure.empty());
        REQUIRE(both->report().overlap_disagreeing == 0);
        // A start finds what was published.
        auto const number = both->view().contract().number;
        files.restart();
        auto const again = open(files, log, lambda_mode::merged);
        REQUIRE(again->view().contract().number == number);
        REQUIRE(files.list("both/versions").size() == 1);  // nothing is left behind
        check_at_contract(*again, first, second);
    }
    CHECK(failed > 10);
}
