// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/verify_log.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "progress_bar.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace log_tool {

int verify(std::vector<std::string> const& words) {
    arguments given{words, {}};
    bool const quiet = given.flag("--quiet");
    auto const path = given.paths(1, "the folder of a log")[0];

    progress_bar bar;
    driftless::verify_log_options options;
    options.progress = [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); };
    options.found = [&](driftless::log_finding const& each) {
        if (quiet && !each.is_problem) return;
        bar.clear();
        print((each.is_problem ? "" : "note: ") + each.path
            + (each.position ? ": byte " + std::to_string(*each.position) : "") + ": " + each.what + "\n");
    };
    auto const found = driftless::verify_log(path, options);
    bar.clear();
    if (!quiet) {
        print(std::to_string(found.records) + " records in " + std::to_string(found.blocks) + " blocks, "
            + std::to_string(found.segments) + " segments, " + std::to_string(found.bytes) + " bytes: "
            + (found.problems == 0 ? "good" : std::to_string(found.problems) + " problems") + "\n");
    }
    return found.problems == 0 ? good : problems;
}
}  // namespace log_tool
