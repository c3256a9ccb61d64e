// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_OPTIONS_HPP
#define EXAMPLES_SUPPORT_OPTIONS_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What the command lines of the larger examples have in common.
struct options {
    std::string program;
    std::string input;   ///< a CSV file, - for standard input, empty for the built-in generator
    std::string log;     ///< the folder that keeps the log; empty for one that is gone afterwards
    std::string result;  ///< the one table to compute; empty for all
    bool batch = true;   ///< --mode leaves one of the two
    bool stream = true;
    int threads = 1;
    std::uint64_t records = 300'000;  ///< how many the generator makes
    bool csv = false;
    bool strict = false;
    bool help = false;
};

/// A command line that makes no sense; the sentence says what would.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline std::string list(std::vector<std::string_view> const& names) {
    std::string out;
    for (auto const name : names) (out += out.empty() ? "" : ", ") += name;
    return out;
}

/// A whole number from 1 to `most`.
template <class Number>
Number parse_count(std::string_view option, std::string_view value, Number most) {
    Number number{};
    auto const [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (problem != std::errc{} || end != value.data() + value.size() || number < 1 || number > most) {
        throw usage_error{std::string{option} + " needs a whole number from 1 to " + std::to_string(most) + ", not '"
            + std::string{value} + "'"};
    }
    return number;
}

inline options parse(std::string_view program, std::vector<std::string_view> const& results, int argc, char** argv) {
    options out;
    out.program = program;
    std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const equals = words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
        std::string const name = words[i].substr(0, equals);
        auto const is_flag = [&](std::string_view flag) {
            if (name != flag) return false;
            if (equals != std::string::npos) throw usage_error{name + " takes no value"};
            return true;
        };
        auto const value = [&] {
            if (equals != std::string::npos) return words[i].substr(equals + 1);
            if (++i == words.size()) throw usage_error{name + " needs a value"};
            return words[i];
        };
        if (is_flag("--csv")) {
            out.csv = true;
        } else if (is_flag("--strict")) {
            out.strict = true;
        } else if (is_flag("--help") || is_flag("-h")) {
            out.help = true;
            return out;
        } else if (name == "--input") {
            out.input = value();
            if (out.input.empty()) throw usage_error{"--input needs the path of a CSV file, or - for standard input"};
        } else if (name == "--log") {
            out.log = value();
            if (out.log.empty()) throw usage_error{"--log needs the path of a folder"};
        } else if (name == "--result") {
            out.result = value();
            bool known = false;
            for (auto const each : results) known = known || each == out.result;
            if (!known) throw usage_error{"there is no result '" + out.result + "'; there are: " + list(results)};
        } else if (name == "--mode") {
            auto const mode = value();
            if (mode != "batch" && mode != "stream") throw usage_error{"--mode is batch or stream, not '" + mode + "'"};
            out.batch = mode == "batch";
            out.stream = mode == "stream";
        } else if (name == "--threads") {
            out.threads = parse_count<int>(name, value(), 256);
        } else if (name == "--records") {
            out.records = parse_count<std::uint64_t>(name, value(), 1'000'000'000);
        } else {
            throw usage_error{"there is no option '" + name + "'"};
        }
    }
    if (out.csv && out.result.empty()) {
        throw usage_error{"--csv prints one table: choose it with --result (" + list(results) + ")"};
    }
    return out;
}

inline std::string usage(std::string_view program, std::vector<std::string_view> const& results) {
    std::string out = "usage: " + std::string{program} + " [OPTION...]\n";
    out += R"(Computes tables from a log while another thread still appends to it, then again in batch, and compares.

  --input FILE        the CSV file to read, - for standard input (default: records made up on the spot)
  --log DIR           keep the log in this folder; a log that is there already is read (then no --input)
  --result NAME       only this table: )";
    out += list(results);
    return out += R"(
  --mode MODE         batch or stream (default: both, compared)
  --threads N         shards of keyed state (default: 1)
  --csv               the table as CSV on standard output, nothing else there; needs --result
  --strict            stop at the first malformed line (default: report it, count it, go on)
  --records N         how many records to make up without --input (default: 300000)
  --help              this text

Exit status: 0, 1 if the input is no good or the modes differ, 2 if the command line is no good.
)";
}
}  // namespace support
#endif
