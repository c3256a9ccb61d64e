// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <log/log_conformance.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>
#include <support/temporary_folder.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

// A writer that is killed at any moment (kill -9), while a reader in another process follows.

using namespace driftless;
using log_conformance::reading;

namespace {
int const kills = test::slow() ? 200 : 8;

file_log_options options_of(int round) {
    file_log_options out;
    out.segment_bytes = 200'000;
    out.block_bytes = 4096;
    out.background = round % 2 == 0;
    out.durable = on_close;
    return out;
}

/// Appends until it is killed; tells after each flush how many records there are for certain.
[[noreturn]] void write_until_killed(std::string const& path, int round, int tell) {
    try {
        file_log<reading> log{path, options_of(round)};
        for (std::uint64_t i = log.end_offset();; ++i) {
            log.append(log_conformance::make_record(static_cast<reading const*>(nullptr), i));
            if (i % 512 != 511) continue;
            log.flush();
            std::uint64_t const end = i + 1;
            if (::write(tell, &end, sizeof end) != sizeof end) ::_exit(2);
        }
    } catch (...) {
        ::_exit(1);
    }
}
}  // namespace

TEST_CASE("a killed writer loses nothing it has flushed, and no reader sees a torn record", "[log][file_log][crash]") {
    test::temporary_folder const folder;
    std::string path;
    std::uint64_t known = 0;
    for (int round = 0; round < kills; ++round) {
        if (round % 20 == 0) {  // all of it is read in each round: let it not grow without end
            path = folder.path() + "/log" + std::to_string(round);
            file_log<reading> const made{path, options_of(0)};
            known = 0;
        }
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        auto const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) write_until_killed(path, round, ends[1]);
        ::close(ends[1]);

        // The writer is somewhere behind what it told when it dies.
        std::uint64_t told = 0;
        for (int i = 0; i <= round % 7 * 3; ++i) REQUIRE(::read(ends[0], &told, sizeof told) == sizeof told);
        auto options = options_of(round);
        options.access = log_access::read;
        std::uint64_t seen = 0;
        {
            file_log<reading> const follower{path, options};
            for (int look = 0; look < 3; ++look) {
                auto const end = follower.end_offset();
                CHECK(end >= seen);
                CHECK(end >= told);
                log_conformance::check_some(follower, seen, end, 0);
                seen = end;
            }
            REQUIRE(::kill(child, SIGKILL) == 0);
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            CHECK(WIFSIGNALED(status));
            for (std::uint64_t more = 0; ::read(ends[0], &more, sizeof more) == sizeof more;) told = more;
            ::close(ends[0]);
            auto const end = follower.end_offset();
            CHECK(end >= told);
            log_conformance::check_some(follower, seen, end, 0);
            seen = end;
        }
        INFO("round " << round << ", seen " << seen << ", told " << told);
        file_log<reading> again{path, options_of(round)};
        auto const there = again.end_offset();
        CHECK(there >= told);
        CHECK(there >= seen);
        CHECK(there > known);
        log_conformance::check_some(again, 0, there, 0);
        known = there;
    }
}
