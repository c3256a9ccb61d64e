// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/replay_command.hpp>
#include <support/catch.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/versioned_view_reader.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;
using Catch::Matchers::Contains;
using dl::command_status;

namespace replay_command_test {
struct sale {
    dl::text shop;
    std::int64_t cents;
    dl::event_time at;
};
}  // namespace replay_command_test
BOOST_HANA_ADAPT_STRUCT(replay_command_test::sale, shop, cents, at);

namespace {
using replay_command_test::sale;
using command = dl::replay_command<std::string, std::int64_t>;

std::int64_t plain(sale const& s) { return s.cents; }
std::int64_t taxed(sale const& s) { return s.cents * 2; }
std::int64_t negative(sale const& s) { return -s.cents; }
std::int64_t throws_late(sale const& s) {
    return s.cents < 1000 ? s.cents : throw std::runtime_error{"too dear"};
}

auto revenue(std::int64_t (*of)(sale const&)) {
    return dl::from<sale>("sales"_name) | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s})
        | dl::key_by<&sale::shop>() | dl::window(dl::tumbling{10_s}) | dl::aggregate(dl::sum(of)).id("revenue"_name);
}
std::int64_t now_ns = 1'000'000'000;
std::int64_t tick_ns = 0;  // so much passes between two looks at the clock
dl::event_time fake_clock() { return dl::event_time{now_ns += tick_ns}; }

/// A program that is started for each command.
struct programs {
    dl::testing::memory_files& files;
    dl::memory_log<sale>& log;
    std::string out{};
    std::string err{};
    std::string objection{};  // of a guard

    command_status operator()(std::vector<std::string> const& words) {
        out.clear();
        err.clear();
        dl::deployment_options options;
        options.files = &files;
        options.clock = &fake_clock;
        options.cut_over_when_valid = true;  // not by `run`
        command all{"revenue", options,
            {[this](std::string_view text) { out += text; }, [this](std::string_view text) { err += text; }}};
        all.add("v1", revenue(&plain), dl::bind("sales"_name, log))
            .add("v2", revenue(&taxed), dl::bind("sales"_name, log))
            .add("wrong", revenue(&negative), log)
            .add("late", revenue(&throws_late), log);
        dl::validation<std::string, std::int64_t> checks;
        checks.add(dl::counts{});
        checks.invariant("revenue >= 0", [](std::int64_t cents) { return cents >= 0; });
        all.checks(std::move(checks)).guard("watch", [this](dl::trial_health const&) { return objection; });
        return all.run(words);
    }
};
void append(dl::memory_log<sale>& log, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        auto const at = static_cast<std::int64_t>(log.end_offset());
        log.append({dl::text{at % 2 == 0 ? "a" : "b"}, at, dl::event_time{} + at * 1_s});
    }
}
std::int64_t shown(dl::testing::memory_files& files) {
    dl::versioned_view_reader<std::string, std::int64_t> reader{"revenue", files};
    reader.refresh();
    std::int64_t sum = 0;
    dl::detail::each_row<std::string, std::int64_t>(
        *reader.read(), [&](auto const&, dl::time_window, std::int64_t cents) { sum += cents; });
    return sum;
}
}  // namespace

TEST_CASE("a program plans, runs, validates, cuts over and rolls back by commands", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    append(log, 1000);
    programs start{files, log};
    CHECK(start({"plan", "v1"}) == command_status::good);
    CHECK_THAT(start.out, Contains("reads 1000 records") && Contains("\npossible\n"));
    CHECK_FALSE(files.exists("revenue"));
    CHECK(start({"history"}) == command_status::unusable);
    CHECK(start({"cutover"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("driftless-replay: no version is ready: `run` one first"));

    CHECK(start({"run", "v1"}) == command_status::good);
    INFO(start.err);
    CHECK_THAT(start.out, Contains("counts: skipped") && Contains("version 1 is ready: it has read 1000 records"));
    CHECK(start({"cutover"}) == command_status::good);
    CHECK(start.out == "version 1 is current\n");
    // 990 and later are not closed yet.
    CHECK(shown(files) == 989 * 990 / 2);

    append(log, 100);
    CHECK(start({"run", "wrong"}) == command_status::refused);
    CHECK_THAT(start.out, Contains("revenue >= 0: FAILED"));
    CHECK_THAT(start.err, Contains("not valid: checks: failed: revenue >= 0"));
    CHECK(start({"validate"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("there is no version to compare"));
    CHECK(start({"run"}) == command_status::misuse);

    CHECK(start({"run", "v2", "--records-per-second=100000000"}) == command_status::good);
    CHECK_THAT(start.out, Contains("revenue >= 0: passed") && Contains("version 3 is ready"));
    CHECK(start({"run", "v2"}) == command_status::good);  // it is
    CHECK(start({"run", "v1"}) == command_status::refused);
    CHECK(start({"validate"}) == command_status::good);
    CHECK_THAT(start.out, Contains("counts: passed") && Contains("2 checks passed"));
    auto const before = shown(files);
    CHECK(start({"cutover"}) == command_status::good);
    CHECK(shown(files) == 2 * (1089 * 1090 / 2));
    CHECK(before == 1089 * 1090 / 2);
    CHECK(start({"run", "v1"}) == command_status::refused);  // the window is open
    CHECK(start({"rollback", "the tax was right before"}) == command_status::good);
    CHECK(start.out == "version 1 is current again\n");
    CHECK(shown(files) == before);
    CHECK(start({"rollback"}) == command_status::refused);

    CHECK(start({"history"}) == command_status::good);
    for (auto const* const part : {"deploy v1 (version 1) by driftless-replay", "cut_over v2 (version 3)",
             "roll_back v1 (version 1)", "the tax was right before", "stop wrong (version 2)"}) {
        CHECK_THAT(start.out, Contains(part));
    }
    CHECK(start({"history", "wrong"}) == command_status::good);
    CHECK_THAT(start.out, !Contains("v2"));

    CHECK(start({"plan", "v2", "--from", "snapshot"}) == command_status::good);
    CHECK_THAT(start.out, Contains("begins with snapshot"));
    CHECK(start({"plan", "v1", "--from=offset:2000"}) == command_status::refused);
    CHECK_THAT(start.out, Contains("not possible"));
}

TEST_CASE("commands end the rollback window as well, and many of them are no crash loop", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    append(log, 1000);
    programs start{files, log};
    for (auto const* const version : {"v1", "v2"}) {
        REQUIRE(start({"run", version}) == command_status::good);
        REQUIRE(start({"cutover"}) == command_status::good);
    }
    for (int i = 0; i < 8; ++i) CHECK(start({"run", "v1"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("can still be rolled back"));
    now_ns += 600'000'000'000;
    CHECK(start({"run", "v1", "--from", "offset:2000"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("a replay cannot begin outside"));
    CHECK(start({"run", "wrong"}) == command_status::refused);
    CHECK(start({"run", "v1"}) == command_status::good);
    CHECK_THAT(start.out, Contains("version 4 is ready"));
    append(log, 70'000);  // more than one look at the logs reads
    CHECK(start({"validate"}) == command_status::good);
    CHECK_THAT(start.out, Contains("rows now 14198, windows 7099, windows off 0]"));
}

TEST_CASE("a version that turned out bad after it was ready is told so", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    append(log, 1000);
    programs start{files, log};
    REQUIRE(start({"run", "late"}) == command_status::good);
    append(log, 1);  // too dear
    CHECK(start({"validate"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("version 1 was stopped") && Contains("too dear"));

    REQUIRE(start({"run", "v1"}) == command_status::good);
    log.append({dl::text{"a"}, -5'000'000, dl::event_time{} + 1001_s});
    append(log, 20);
    CHECK(start({"validate"}) == command_status::refused);
    CHECK_THAT(start.out, Contains("revenue >= 0: FAILED"));

    start.objection = "enough";
    CHECK(start({"validate"}) == command_status::refused);
    CHECK_THAT(start.err, Contains("version 2 was stopped: guard watch: enough"));
}

TEST_CASE("a replay by command reads no faster than it may", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    append(log, 1000);
    programs start{files, log};
    tick_ns = 2'000'000;
    auto const before = now_ns;
    CHECK(start({"run", "v1", "--records-per-second", "500"}) == command_status::good);
    CHECK(now_ns - before >= 1'000'000'000);  // what a bucket holds at first costs nothing
    tick_ns = 0;
}

TEST_CASE("a command line that makes no sense is told so", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    programs start{files, log};
    std::vector<std::pair<std::vector<std::string>, char const*>> const all{{{}, "expected a command"},
        {{"go"}, "there is no command 'go'"}, {{"plan"}, "expected the name of a version"},
        {{"plan", "v9"}, "there is no version 'v9'; there are v1, v2, wrong, late"},
        {{"run", "v9"}, "there is no version 'v9'"},
        {{"plan", "v1", "v2"}, "there is nothing to do with 'v2'"},
        {{"plan", "v1", "--from", "yesterday"}, "--from is beginning"},
        {{"plan", "v1", "--from", "offset:x"}, "offset is a whole number, not 'x'"},
        {{"plan", "v1", "--from"}, "--from needs a value"}, {{"plan", "-x"}, "there is no option '-x'"},
        {{"plan", "--speed=3"}, "there is no option '--speed'"},
        {{"plan", "v1", "--records-per-second", "0"}, "--records-per-second is at least 1"},
        {{"plan", "v1", "--from=snapshot", "--from=adopt"}, "--from is given twice"},
        {{"cutover", "--from=snapshot"}, "--from has no meaning here"}};
    for (auto const& [words, sentence] : all) {
        CHECK(start(words) == command_status::misuse);
        CHECK_THAT(start.err, Contains(sentence) && Contains("; see --help"));
        CHECK(start.out.empty());
    }
    CHECK_FALSE(files.exists("revenue"));
    CHECK(start({"--help"}) == command_status::good);
    CHECK_THAT(start.out, Contains("EXIT STATUS"));
    char const* const words[] = {"program", "nothing"};
    command silent{"revenue", {}, {[](std::string_view) {}, [](std::string_view) {}}};
    CHECK(silent.main(2, words) == 2);
}

TEST_CASE("a folder that another process holds is unusable, but for plan and history", "[view][replay_command]") {
    dl::testing::memory_files files;
    dl::memory_log<sale> log;
    append(log, 100);
    programs start{files, log};
    REQUIRE(start({"run", "v1"}) == command_status::good);
    dl::deployment_options options;
    options.files = &files;
    dl::deployment<std::string, std::int64_t> service{"revenue", options};
    for (std::vector<std::string> const& words :
        {std::vector<std::string>{"run", "v1"}, {"cutover"}, {"rollback"}, {"validate"}}) {
        CHECK(start(words) == command_status::unusable);
        CHECK_FALSE(start.err.empty());
    }
    CHECK(start({"plan", "v1"}) == command_status::good);
    CHECK(start({"history"}) == command_status::good);
}
