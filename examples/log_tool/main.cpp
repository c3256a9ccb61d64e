// SPDX-License-Identifier: BSL-1.0
// driftless-log: looks at a log, checks it, mends it, copies it. `driftless-log --help` says more.
//
// program: driftless-log
// with: lz4
// with: zstd
#ifdef DRIFTLESS_WITH_LZ4
#include <driftless/adapt/lz4.hpp>
#endif
#ifdef DRIFTLESS_WITH_ZSTD
#include <driftless/adapt/zstd.hpp>
#endif
#include <driftless/core/error.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "help.hpp"
#include "output.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {
using namespace log_tool;

struct command {
    std::string_view name;
    int (*run)(std::vector<std::string> const&);
};
constexpr command commands[] = {{"inspect", &inspect}, {"verify", &verify}, {"repair", &repair},
    {"index", &log_tool::index}, {"dump", &dump}, {"tail", &tail}, {"copy", &copy}};

int complain(std::string_view sentence, int status) {
    constexpr std::string_view prefix = "driftless: ";
    if (sentence.starts_with(prefix)) sentence.remove_prefix(prefix.size());
    std::cerr << "driftless-log: " << sentence << '\n';
    return status;
}
bool asks_for_help(std::string const& word) { return word == "--help" || word == "-h" || word == "help"; }

int run(std::vector<std::string> words) {
    if (words.empty()) throw usage_error{"expected a command"};
    if (asks_for_help(words[0])) {
        auto const text = help(words.size() > 1 ? words[1] : "");
        if (text.empty()) throw usage_error{"there is no command '" + words[1] + "'"};
        print(text);
        return good;
    }
    for (auto const& each : commands) {
        if (each.name != words[0]) continue;
        words.erase(words.begin());
        for (auto const& word : words) {
            if (word != "--help" && word != "-h") continue;
            print(help(each.name));
            return good;
        }
        return each.run(words);
    }
    throw usage_error{"there is no command '" + words[0] + "'"};
}
}  // namespace

int main(int argc, char** argv) {
    try {
        auto const status = run({argv + (argc > 0 ? 1 : 0), argv + argc});
        finish_output();
        return status;
    } catch (usage_error const& problem) {
        return complain(problem.what() + std::string{"; see --help"}, misuse);
    } catch (std::exception const& problem) {
        return complain(problem.what(), unreadable);
    }
}
