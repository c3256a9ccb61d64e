// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/untyped_log.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "print_records.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <time.h>

namespace log_tool {
namespace {
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

void wait_a_moment() {
    ::timespec const moment{0, 50'000'000};
    ::nanosleep(&moment, nullptr);  // a signal ends it
}
}  // namespace

int tail(std::vector<std::string> const& words) {
    constexpr auto all = ~std::uint64_t{0};
    arguments given{words, {"--lines", "--partition"}};
    bool const short_follow = given.flag("-f");
    bool const follow = given.flag("--follow") || short_follow;
    auto const lines = given.number("--lines", 10);
    auto const only = given.optional_number("--partition");
    driftless::untyped_log log{given.paths(1, "the folder of a log")[0]};
    auto const partitions = partitions_of(log, only);
    if (follow) {
        std::signal(SIGINT, &interrupt);
        std::signal(SIGTERM, &interrupt);
    }
    std::vector<std::uint64_t> at;
    for (auto p = partitions.first; p != partitions.end; ++p) {
        auto const begin = log.begin_offset(p);
        auto const end = log.end_offset(p);
        at.push_back(end - std::min(lines, end - std::min(begin, end)));
    }
    while (interrupted == 0) {
        bool more = false;
        for (auto p = partitions.first; p != partitions.end && interrupted == 0; ++p) {
            auto& next = at[p - partitions.first];
            auto const end = log.end_offset(p);
            if (next >= end) continue;
            next += print_records(log, p, next, end, all);
            more = true;
        }
        finish_output();  // whoever reads it should have it now
        if (!follow) break;
        if (!more) wait_a_moment();
    }
    return good;
}
}  // namespace log_tool
