// SPDX-License-Identifier: BSL-1.0
// A job with a log and a table of a SQLite database as its sinks, killed by SIGKILL at any moment, again and again.
#include <driftless/adapt/sqlite.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>
#include <support/temporary_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <csignal>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace driftless;
using namespace driftless::literals;

namespace sqlite_kill {
struct click {
    std::int64_t number;
    text who;
    event_time at;
};
}  // namespace sqlite_kill
BOOST_HANA_ADAPT_STRUCT(sqlite_kill::click, number, who, at);

namespace {
using sqlite_kill::click;
int const kills = test::slow() ? 300 : 10;
constexpr std::int64_t records = 20'000;
constexpr int kills_of_a_job = 5;

constexpr auto clicks_per_window = from<click>() | assign_time<&click::at>(bounded_disorder{4_s})
    | key_by<&click::who>() | window(tumbling{7_s}) | late_to("late"_name)
    | aggregate(count(), sum<&click::number>());
using totals_row = pane<text, std::tuple<std::int64_t, std::int64_t>>;
sqlite_options const in_totals{.table = "totals", .key_columns = {"who"}, .buffer_bytes = 500};

/// Writes in memory where there is a folder for that: it is the process that dies, not the machine.
std::filesystem::path quick_folder() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}
void fill(std::string const& path) {
    static char const* const names[] = {"ann", "bob", "o'neil", "dora \"d\"", "eve"};
    file_log<click> log{path};
    std::uint64_t dice = 7;
    for (std::int64_t i = 0; i < records; ++i) {
        dice = dice * 6364136223846793005U + 1442695040888963407U;
        auto const behind = static_cast<std::int64_t>(dice >> 33U) % 5000;
        log.append(click{i, text{names[(dice >> 50U) % 5]}, event_time::from_ms(i * 100 - behind)});
    }
}
/// A process: from the last snapshot to the end.
void live(std::string const& home, std::string const& input) {
    file_log<click> const in{input, {.access = log_access::read}};
    file_log<click> late{home + "/late", {.durable = on_close, .background = false}};
    log_sink to_late{late};
    sqlite_sink<totals_row> totals{home + "/out.db", in_totals};
    job running{stream{.snapshots = home,
                    .until = drained,
                    .snapshot_options = {.every = {}, .records = 400, .logic_version = "1"}},
        clicks_per_window, in, bind("late"_name, to_late), totals};
    running.run();
}
std::vector<std::string> shown(std::string const& home) {
    std::vector<std::string> out;
    read_sqlite<totals_row>(home + "/out.db", in_totals, [&](totals_row const& row) {
        out.push_back(row.key.str() + ' ' + std::to_string(row.window.start.ms()) + ' '
            + std::to_string(std::get<0>(row.value)) + ' ' + std::to_string(std::get<1>(row.value)));
    });
    file_log<click> const late{home + "/late", {.access = log_access::read}};
    for (auto at = late.begin_offset(), end = late.end_offset(); at < end;) {
        auto const block = late.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) out.push_back("late " + std::to_string(block[i].number));
        at += block.size();
    }
    return out;
}
/// How a process of its own ended; it is killed behind so long a time.
int live_for(std::string const& home, std::string const& input, std::chrono::microseconds life) {
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            live(home, input);
        } catch (...) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    if (life.count() != 0) {
        std::this_thread::sleep_for(life);
        REQUIRE(::kill(child, SIGKILL) == 0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}
}  // namespace

TEST_CASE("killed at any moment, a job with a log and a SQLite table shows what one that was not shows",
    "[faults][sqlite][kill]") {
    test::temporary_folder const folder{quick_folder()};
    auto const input = folder.path() + "/in";
    fill(input);
    auto const whole = folder.path() + "/whole";
    std::filesystem::create_directory(whole);
    auto const start = std::chrono::steady_clock::now();
    live(whole, input);
    auto const takes = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    auto const expected = shown(whole);
    REQUIRE(expected.size() > 1000);
    REQUIRE(expected.back().starts_with("late "));

    int killed = 0;
    for (int round = 0; killed < kills; ++round) {
        REQUIRE(round < 2 * kills);
        auto const home = folder.path() + "/" + std::to_string(round);
        std::filesystem::create_directory(home);
        for (int life = 1;; ++life) {
            // Somewhere on the way, each time elsewhere; the last one comes to its end.
            auto const part = 1 + (round * 37 + life * 61) % 97;
            auto const until = life > kills_of_a_job ? std::chrono::microseconds{0} : takes * part / 160;
            auto const status = live_for(home, input, until);
            if (WIFSIGNALED(status)) {
                ++killed;
                continue;
            }
            REQUIRE(WIFEXITED(status));
            CHECK(WEXITSTATUS(status) == 0);
            if (life > kills_of_a_job) break;
        }
        INFO("round " << round << ", " << killed << " killed");
        CHECK(shown(home) == expected);
        std::filesystem::remove_all(home);
    }
}
