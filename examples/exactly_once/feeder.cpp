// SPDX-License-Identifier: BSL-1.0
#include "feeder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <thread>

#include <unistd.h>

namespace payments {
std::atomic<bool> interrupted{false};
bool watched = false;

template <class F>
void feeder::each_new(F&& f) {
    left_out = 0;
    producers known{log};
    auto from = input == "-" ? dl::csv_input::standard_input() : dl::csv_input{input};
    dl::csv_reader<payment> lines{std::move(from), {.strict = true}};
    auto const refuse = [&](std::string const& why) {
        throw dl::error{dl::error_code::malformed,
            (input == "-" ? "<stdin>" : input) + ':' + std::to_string(lines.line()) + ": " + why
                + "; put the line right and start again: what stands before it is in the log"};
    };
    auto const next = [&](payment& line) {
        try {
            return lines.next(line);
        } catch (dl::error const& problem) {
            if (problem.code() != dl::error_code::malformed) throw;
            throw dl::error{problem.code(),
                plain(problem.what()) + "; put it right and start again, --help tells of the columns"};
        }
    };
    for (payment line; !stop && !interrupted && next(line);) {
        if (line.producer == 0) refuse("column 'producer': the numbers of producers begin with 1");
        if (!known.is_new(line.producer) && line.sequence < known.next_of(line.producer)) {
            ++left_out;
            continue;
        }
        if (!known.is_next(line)) {
            refuse("column 'sequence': producer " + std::to_string(line.producer) + " goes on with "
                + std::to_string(known.next_of(line.producer)) + ", and this is " + std::to_string(line.sequence)
                + ", so that lines are missing or in another order");
        }
        f(line);
    }
}

void feeder::run() {
    using clock = std::chrono::steady_clock;
    auto const start = clock::now();
    each_new([&](payment const& line) {
        if (rate != 0) {
            auto const seconds = static_cast<double>(appended) / static_cast<double>(rate);
            auto const due = start + std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
            while (clock::now() < due && !stop && !interrupted) {
                std::this_thread::sleep_until(std::min(due, clock::now() + std::chrono::milliseconds{20}));
            }
            if (stop || interrupted) return;
        }
        log.append_once(line.producer, line.sequence, std::span{&line, 1});
        if (++appended == die_after) ::kill(::getpid(), SIGKILL);
        if (appended % 1000 == 0 && !watched) {
            std::printf("%llu payments in the log\n", static_cast<unsigned long long>(log.end_offset()));
            std::fflush(stdout);
        }
    });
}

std::uint64_t feeder::count_new() {
    std::uint64_t out = 0;
    each_new([&](payment const&) { ++out; });
    return out;
}
}  // namespace payments
