// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_QUERY_OPTIONS_HPP
#define EXAMPLES_SUPPORT_QUERY_OPTIONS_HPP

#include "answer.hpp"
#include "options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What the command lines of programs that answer queries have in common.
struct query_options {
    std::string query;       ///< the one query to answer; empty for all
    std::string data;        ///< the folder of CSV files; empty for made-up data
    std::string csv_folder;  ///< where to write made-up data; empty to answer
    bool batch = true;       ///< --mode leaves one of the two
    bool stream = true;
    bool restart = false;    ///< stop streams halfway, and go on from their snapshots
    bool csv = false, generate = false, help = false;
    int threads = 1;
    std::uint64_t count = 0;  ///< how much to make up
    std::uint64_t seed = 1;

    [[nodiscard]] mode how(bool as_batch) const {
        return as_batch ? mode::batch : restart ? mode::restarted
                                                : mode::stream;
    }
};

/// Reads a command line. `counted` says what --generate counts; `extra(name, value)` takes the options that only this
/// program has, and returns false for others; value() is the word behind.
template <class Extra>
query_options parse(std::vector<std::string_view> const& queries, std::string_view counted, std::uint64_t count,
    int argc, char** argv, Extra extra) {
    query_options out;
    out.count = count;
    std::vector<std::string> const words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const equals = words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
        std::string const name = words[i].substr(0, equals);
        auto const has_value = [&] {
            return equals != std::string::npos || (i + 1 < words.size() && !words[i + 1].starts_with("--"));
        };
        auto const value = [&] {
            if (!has_value()) throw usage_error{name + " needs a value"};
            return equals != std::string::npos ? words[i].substr(equals + 1) : words[++i];
        };
        if (name == "--help" || name == "-h") {
            out.help = true;
        } else if (name == "--query") {
            out.query = value();
            bool known = false;
            for (auto const each : queries) known = known || each == out.query;
            if (!known) throw usage_error{"there is no query '" + out.query + "'; there are: " + list(queries)};
        } else if (name == "--data") {
            out.data = value();
        } else if (name == "--mode") {
            auto const mode = value();
            if (mode != "batch" && mode != "stream") throw usage_error{"--mode is batch or stream, not '" + mode + "'"};
            out.batch = mode == "batch";
            out.stream = mode == "stream";
        } else if (name == "--restart") {
            out.restart = true;
        } else if (name == "--threads") {
            out.threads = parse_count<int>(name, value(), 256);
        } else if (name == "--generate") {
            out.generate = true;
            out.count = parse_count<std::uint64_t>(name, value(), 1'000'000'000);
        } else if (name == "--seed") {
            out.seed = parse_count<std::uint64_t>(name, value(), ~std::uint64_t{0});
        } else if (name == "--csv") {
            if (has_value()) out.csv_folder = value();
            else out.csv = true;
        } else if (!extra(std::string_view{name}, value)) {
            throw usage_error{"there is no option '" + name + "'"};
        }
    }
    if (!out.csv_folder.empty() && !out.generate) {
        throw usage_error{
            "--csv with a folder writes what --generate makes: name how many " + std::string{counted}};
    }
    if (out.csv && out.query.empty() && !out.help) throw usage_error{"--csv prints one query: choose it with --query"};
    if (out.generate && !out.data.empty()) {
        throw usage_error{"--data reads " + std::string{counted} + " and --generate makes them: choose one"};
    }
    return out;
}
}  // namespace support
#endif
