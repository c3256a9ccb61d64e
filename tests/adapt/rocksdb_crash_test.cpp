// SPDX-License-Identifier: BSL-1.0
// What a process that was killed leaves in a rocksdb_store is trusted by nobody. The children are this program again:
// RocksDB's threads do not survive a fork.
#include <driftless/adapt/rocksdb.hpp>

#include <driftless/log/file_log.hpp>
#include <state/spilled_jobs.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

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

namespace {
constexpr auto folder_variable = "DRIFTLESS_ROCKSDB_CRASH_FOLDER";
constexpr auto polls_variable = "DRIFTLESS_ROCKSDB_CRASH_POLLS";
constexpr rocksdb_options small{
    .write_buffer_bytes = std::size_t{64} << 10, .block_cache_bytes = std::size_t{64} << 10};

stream with_snapshots(std::string const& folder) {
    return stream{.on_error = on_error::skip,
        .snapshots = folder,
        .until = drained,
        .snapshot_options = {.every = {}, .records = 40}};
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
    job running{with_snapshots(in + "/state"), totals(spill_to{store, 5}), log, rows.sink()};
    for (auto left = std::stoi(polls); left != 0; --left) running.poll(17);
    ::raise(SIGKILL);
}

TEST_CASE("a job that is killed goes on from its snapshot, not from its cold store", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    std::vector<step> steps;
    for (std::uint32_t i = 0; i < 600; ++i) steps.push_back({i * 7 % 60, static_cast<std::int64_t>(i % 17)});
    {
        file_log<click> log{folder.path() + "/log"};
        append(log, steps);
    }
    for (int const polls : {1, 5, 2, 7, 1, 1, 9}) {
        die_in(folder.path(), polls);
        CHECK(fs::exists(folder.path() + "/cold/rocksdb/CURRENT"));
    }
    file_log<click> log{folder.path() + "/log"};
    said whole;
    static_cast<void>(
        run(stream{.on_error = on_error::skip, .until = drained}, totals(), log, whole.sink()));
    said parts;
    {
        rocksdb_store store{folder.path() + "/cold", small};
        auto const report =
            run(with_snapshots(folder.path() + "/state"), totals(spill_to{store, 5}), log, parts.sink());
        CHECK(report.stages[0].applied + report.stages[0].refusals(reason::failed) == steps.size());
    }
    CHECK(parts.rows == whole.rows);
    CHECK(parts.rows.size() == 60);
}
