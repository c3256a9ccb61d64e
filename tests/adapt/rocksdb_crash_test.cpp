// SPDX-License-Identifier: BSL-1.0
// What a process that was killed leaves in a rocksdb_store is trusted by nobody. The children are this program again:
// RocksDB's threads do not survive a fork.
#include <driftless/adapt/rocksdb.hpp>

#include <driftless/log/file_log.hpp>
#include <state/spilled_jobs.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace driftless;
using namespace spilled_jobs;
namespace fs = std::filesystem;

namespace rocksdb_crash {
/// Speaks at the end alone, so that it says everything once, however often it is killed.
struct sum_up {
    struct state {
        value_state<std::int64_t> cents;
        list_state<std::int64_t> pages;
    };
    void on_record(state& own, click const& one, auto&) const {
        own.cents = (own.cents.value_or(0) * 31 + one.cents) % 1'000'000'007;
        own.pages.push_back(one.page);
    }
    void on_close(state& own, auto& context) const {
        context.emit(own.cents.value_or(0) + static_cast<std::int64_t>(own.pages.size()));
    }
};
}  // namespace rocksdb_crash
BOOST_HANA_ADAPT_STRUCT(rocksdb_crash::sum_up::state, cents, pages);

namespace {
constexpr auto folder_variable = "DRIFTLESS_ROCKSDB_CRASH_FOLDER";
constexpr auto polls_variable = "DRIFTLESS_ROCKSDB_CRASH_POLLS";
constexpr rocksdb_options small{
    .write_buffer_bytes = std::size_t{64} << 10, .block_cache_bytes = std::size_t{64} << 10};

auto sums(auto... storage) {
    return from<click>() | key_by<&click::who>()
        | process<std::int64_t>(rocksdb_crash::sum_up{}, unbounded_state{}, storage...);
}
stream with_snapshots(std::string const& folder) {
    return stream{.on_error = on_error::skip,
        .snapshots = folder,
        .until = drained,
        .snapshot_options = {.every = {}, .records = 1000}};
}
/// Runs this program with one test case, which dies after so many polls, by SIGKILL.
void die_in(std::string const& folder, int polls) {
    auto const child = ::fork();
    REQUIRE(child != -1);
    if (child == 0) {
        ::setenv(folder_variable, folder.c_str(), 1);
        ::setenv(polls_variable, std::to_string(polls).c_str(), 1);
        ::execl("/proc/self/exe", "test_adapt", "[rocksdb_child]", nullptr);
        ::_exit(3);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    INFO("status " << status);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
}
}  // namespace

TEST_CASE("a job that spills into a rocksdb_store dies", "[.][rocksdb_child]") {
    char const* const folder = std::getenv(folder_variable);
    char const* const polls = std::getenv(polls_variable);
    if (folder == nullptr || polls == nullptr) return;
    std::string const in = folder;
    file_log<click> log{in + "/log"};
    rocksdb_store store{in + "/cold", small};
    said rows;
    job running{with_snapshots(in + "/state"), sums(spill_to{store, 5}), log, rows.sink()};
    for (auto left = std::stoi(polls); left != 0; --left) running.poll(330);
    ::raise(SIGKILL);
}

TEST_CASE("a job that is killed goes on from its snapshot, not from its cold store", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    std::vector<step> steps;
    for (std::uint32_t i = 0; i < 12'000; ++i) {  // new keys come all the time, and old ones come back
        auto const who = i % 3 == 0 ? i * 7 % (i + 1) : i * 7 % 60;
        steps.push_back({who, static_cast<std::int64_t>(i % 17)});
    }
    {
        file_log<click> log{folder.path() + "/log"};
        append(log, steps);
    }
    std::size_t tables = 0;  // what is in these could be read again
    for (int const polls : {3, 6, 6, 2, 9, 1, 6}) {
        die_in(folder.path(), polls);
        for (auto const& each : fs::directory_iterator{folder.path() + "/cold/rocksdb"}) {
            tables += each.path().extension() == ".sst";
        }
    }
    CHECK(tables > 0);
    file_log<click> log{folder.path() + "/log"};
    said whole;
    static_cast<void>(
        run(stream{.on_error = on_error::skip, .until = drained}, sums(), log, whole.sink()));
    said parts;
    {
        rocksdb_store store{folder.path() + "/cold", small};
        auto const report =
            run(with_snapshots(folder.path() + "/state"), sums(spill_to{store, 5}), log, parts.sink());
        CHECK(report.stages[0].applied == steps.size());
    }
    CHECK(parts.rows == whole.rows);
    CHECK(parts.rows.size() > 3000);
}
