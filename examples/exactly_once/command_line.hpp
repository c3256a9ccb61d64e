// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_EXACTLY_ONCE_COMMAND_LINE_HPP
#define EXAMPLES_EXACTLY_ONCE_COMMAND_LINE_HPP

#include "../support/options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace payments {

struct asked {
    std::string input{};
    std::string state{};
    std::string out{};
    std::uint64_t rate = 0;      ///< 0: as fast as it goes
    std::uint64_t die_after = 0; ///< 0: somebody else has to kill it
    std::uint64_t generate = 0;  ///< so many payments, into `input`
    std::uint64_t seed = 7;
    bool watch = false;
    bool help = false;

    /// Nothing was named: the program shows what it can do.
    [[nodiscard]] bool demo() const { return input.empty() && state.empty() && out.empty(); }
    [[nodiscard]] bool to_sqlite() const { return std::string_view{out}.ends_with(".db"); }
};

inline asked parse(int argc, char** argv) {
    asked out;
    std::vector<std::string> const words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const equals = words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
        std::string const name = words[i].substr(0, equals);
        auto const value = [&] {
            auto const given = equals != std::string::npos ? words[i].substr(equals + 1)
                : i + 1 < words.size()                     ? words[++i]
                                                           : std::string{};
            if (given.empty()) throw support::usage_error{name + " needs a value"};
            return given;
        };
        auto const count = [&] { return support::parse_count<std::uint64_t>(name, value(), 1'000'000'000); };
        if (name == "--input") {
            out.input = value();
        } else if (name == "--state") {
            out.state = value();
        } else if (name == "--out") {
            out.out = value();
        } else if (name == "--rate") {
            out.rate = count();
        } else if (name == "--die-after") {
            out.die_after = count();
        } else if (name == "--seed") {
            out.seed = count();
        } else if (name == "--generate") {
            out.generate = count();
            if (i + 1 == words.size()) {
                throw support::usage_error{"--generate needs a number and a file: --generate N FILE"};
            }
            out.input = words[++i];
        } else if (words[i] == "--watch") {
            out.watch = true;
        } else if (name == "--help" || name == "-h") {
            out.help = true;
            return out;
        } else {
            throw support::usage_error{"there is no option '" + words[i] + "'"};
        }
    }
    if (out.generate != 0) {
        if (out.state.empty() && out.out.empty()) return out;
        throw support::usage_error{"--generate only makes a file; run the job on it in a second call"};
    }
    if (!out.demo() && (out.input.empty() || out.state.empty() || out.out.empty())) {
        throw support::usage_error{"--input, --state and --out belong together (or none of them, for a demonstration)"};
    }
    return out;
}

inline constexpr std::string_view usage =
    R"(usage: exactly_once --input FILE --state DIR --out DIR|FILE.db [--rate N] [--watch]
       exactly_once --generate N FILE [--seed N]
       exactly_once [--rate N] [--watch]

Reads payments from FILE into a log, while a job follows that log and writes totals per account and minute. Kill it
whenever you like, also with kill -9, and start it again with the same words: in the end it compares what the job has
committed with a batch run over the log, and exits with 0 only if both are equal.

  --input FILE   payments, as CSV with a header line; - is standard input, which has to begin anew at each start
  --state DIR    the log and the snapshots of the job; made if it is not there
  --out DIR      the output as CSV files: payments.totals.NUMBER.csv and payments.late.NUMBER.csv; made if not there
  --out FILE.db  the same as the tables `totals` and `late` of a SQLite database
  --rate N       at most N payments per second, so that there is time to kill it
  --watch        says how far the job is, on standard error: drawn anew there if it is a terminal, else a line a second
  --die-after N  kills itself (SIGKILL) when it has put N payments into the log: for tests
  --generate N FILE   makes N payments up, the same for the same --seed; - is standard output
  --help         this text

Without arguments it makes payments up, kills itself a few times on the way, and gives its verdict on the result.

The columns of FILE, found by name, others are left aside:

  producer,sequence,account,amount,time_ms
  1,0,alice,250,1700000000000
  2,0,bob,-99,1700000000350
  1,1,alice,100,1700000001000

  producer       who made the line, a number from 1 on
  sequence       numbers the lines of a producer, one after the other; lines that are in the log already (those of the
                 run that was killed, or sent twice) are left out
  account        any text
  amount         a whole number
  time_ms        when it happened, milliseconds since 1970

A total is written when its minute is closed: when a payment has come that is more than ten seconds behind its end.
A payment that comes later goes to `late`. Both together have every payment of the log once.

Exit status: 0 the verdict holds; 1 it does not, or something went wrong (a sentence says what); 2 the command line is
no good; 3 stopped by SIGINT or SIGTERM with a snapshot: start it again to go on.
)";
}  // namespace payments
#endif
