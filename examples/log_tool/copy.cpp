// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/copy_log.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output.hpp"

#include <string>
#include <vector>

namespace log_tool {

int copy(std::vector<std::string> const& words) {
    arguments given{words, {"--from", "--to"}};
    driftless::copy_log_options options;
    options.from = given.number("--from", options.from);
    options.to = given.number("--to", options.to);
    auto const& paths = given.paths(2, "the folders of a log and of its copy");
    auto const records = driftless::copy_log(paths[0], paths[1], options);
    print("copied " + std::to_string(records) + " records\n");
    return good;
}
}  // namespace log_tool
