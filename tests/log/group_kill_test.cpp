// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/log/group.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>
#include <support/temporary_folder.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

// Three processes share a log; one of them is killed at any moment (kill -9), the others take over.

using namespace driftless;
using namespace driftless::literals;
using log_conformance::reading;

namespace {
int const kills = test::slow() ? 60 : 3;
constexpr std::uint32_t partitions = 6;
constexpr std::uint64_t records = 200;  // in each
constexpr std::uint64_t at_once = 10;

/// What a member tells the test: before it looks at records, and after they are committed.
struct note {
    std::uint32_t partition;
    bool committed;
    std::uint64_t from;
    std::uint64_t to;
};
void tell(int to, note const& what) {
    if (::write(to, &what, sizeof what) != sizeof what) ::_exit(2);
}
bool is_done(log_group const& group) {
    for (std::uint32_t p = 0; p < partitions; ++p) {
        if (group.committed(p).value_or(0) != records) return false;
    }
    return true;
}

/// Reads and commits what it has, a few records at a time; true if there was something.
bool process_some(file_log<reading> const& log, log_group_member& member, int told) {
    bool worked = false;
    for (auto const p : member.partitions()) {
        auto const from = member.position(p);
        auto const to = std::min(from + at_once, log.end_offset(p));
        if (from == to) continue;
        tell(told, {p, false, from, to});
        for (auto at = from; at < to; ++at) {
            if (!(log.read(p, at)[0] == log_conformance::make_record(static_cast<reading const*>(nullptr), at))) {
                ::_exit(3);
            }
        }
        member.commit(p, to);
        tell(told, {p, true, from, to});
        worked = true;
    }
    return worked;
}

/// Works until everything is committed. Who was too slow for its lease joins again.
[[noreturn]] void be_member(std::string const& path, std::string const& name, int told) {
    ::alarm(120);
    try {
        file_log_options options;
        options.access = log_access::read;
        file_log<reading> const log{path, options};
        log_group const group{log, "workers"};
        while (!is_done(group)) {
            try {
                auto member = group.join({.member = name, .lease = 500_ms});
                for (bool more = true; more; member.heartbeat()) {
                    if (process_some(log, member, told)) continue;
                    more = !is_done(group);
                    ::usleep(2'000);  // others have something left
                }
            } catch (error const& problem) {
                if (problem.code() != error_code::fenced) throw;
            }
        }
    } catch (...) {
        ::_exit(1);
    }
    ::_exit(0);
}
}  // namespace

TEST_CASE("members take over from one that is killed, lose no record and repeat nothing committed",
    "[log][group][crash]") {
    for (int round = 0; round < kills; ++round) {
        test::temporary_folder const folder;
        auto const path = folder.path() + "/log";
        {
            file_log<reading> log{path, {.partitions = partitions}};
            for (std::uint32_t p = 0; p < partitions; ++p) log_conformance::append_some(log, 0, records, p);
        }
        int notes[2];
        REQUIRE(::pipe(notes) == 0);
        std::array<::pid_t, 3> members{};
        for (std::size_t m = 0; m < members.size(); ++m) {
            members[m] = ::fork();
            REQUIRE(members[m] >= 0);
            if (members[m] == 0) {
                ::close(notes[0]);
                be_member(path, "m" + std::to_string(m), notes[1]);
            }
        }
        ::close(notes[1]);

        INFO("round " << round);
        std::array<std::uint64_t, partitions> looked_at{};
        std::array<std::uint64_t, partitions> committed{};
        int until_kill = 1 + round * 29 % 90;
        for (note each{}; ::read(notes[0], &each, sizeof each) == sizeof each;) {
            if (--until_kill == 0) REQUIRE(::kill(members[static_cast<std::size_t>(round) % 3], SIGKILL) == 0);
            REQUIRE(each.partition < partitions);
            if (each.committed) {
                committed[each.partition] = std::max(committed[each.partition], each.to);
            } else {
                CHECK(each.from >= committed[each.partition]);  // not again
                CHECK(each.from <= looked_at[each.partition]);  // none left out
                looked_at[each.partition] = std::max(looked_at[each.partition], each.to);
            }
        }
        ::close(notes[0]);
        for (std::size_t m = 0; m < members.size(); ++m) {
            int status = 0;
            REQUIRE(::waitpid(members[m], &status, 0) == members[m]);
            if (m == static_cast<std::size_t>(round) % 3) CHECK(WIFSIGNALED(status));
            else CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
        }
        for (auto const end : looked_at) CHECK(end == records);
        file_log_options options;
        options.access = log_access::read;
        file_log<reading> const log{path, options};
        CHECK(is_done(log_group{log, "workers"}));
    }
}
