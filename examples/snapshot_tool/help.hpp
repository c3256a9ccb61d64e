// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SNAPSHOT_TOOL_HELP_HPP
#define EXAMPLES_SNAPSHOT_TOOL_HELP_HPP

#include <string_view>

namespace snapshot_tool {
inline constexpr std::string_view help = R"(NAME
    driftless-snapshot - look at the snapshots of a driftless job, and check them

SYNOPSIS
    driftless-snapshot inspect FOLDER [NUMBER]
    driftless-snapshot verify FOLDER [NUMBER]
    driftless-snapshot --help

DESCRIPTION
    FOLDER is what the job has as stream{.snapshots = ...}. It is only read, and may belong to a job that runs.

COMMANDS
    inspect    one line for each snapshot; of the newest, or of NUMBER, all that its manifest says: job, versions,
               how far the inputs were read, operators, the state of each and how much of it has not changed, files
    verify     reads every byte that a start of the job would read, of all snapshots or of NUMBER, and compares
               checksums; says which snapshot a start takes up if some are damaged

EXIT STATUS
    0    all is good
    1    a snapshot is damaged, and that was reported
    2    the command line is no good
    3    something could not be read: no folder, no snapshots, or a format of a newer driftless
)";
}  // namespace snapshot_tool
#endif
