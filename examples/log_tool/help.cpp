// SPDX-License-Identifier: BSL-1.0
#include "help.hpp"

namespace log_tool {
namespace {
constexpr std::string_view program = R"(NAME
    driftless-log - look at a driftless log, check it, mend it, copy it

SYNOPSIS
    driftless-log COMMAND [OPTION...] LOG
    driftless-log COMMAND --help

DESCRIPTION
    LOG is the folder of a log. No program that wrote it is needed: every segment of a log says how its records
    are to be read.

COMMANDS
    inspect    what is in a log: partitions, segments, offsets, times, schema
    verify     look at every byte, say what is wrong
    repair     make a damaged log open again
    index      make the index files anew
    dump       the records as JSON, one a line
    tail       the last records, and those that come
    copy       a range of offsets into a new log

EXIT STATUS
    0    all is good
    1    the log has problems, and they were reported
    2    the command line is no good
    3    something could not be read or written
)";
constexpr std::string_view inspect = R"(NAME
    driftless-log inspect - what is in a log

SYNOPSIS
    driftless-log inspect [--schema] [--json] LOG

DESCRIPTION
    Prints the identity of the log, then each partition with its segments: offsets, records, blocks, bytes, when
    it was made, its layout, the bounds of event times, up to which offset a block says that records had been
    synced, and whether it is sealed (full), closed (by its writer) or open. Only headers are read; whether the
    log is intact, `driftless-log verify` tells. Times are nanoseconds since 1970.

OPTIONS
    --schema    also print the schema of each segment, as JSON
    --json      print everything as one line of JSON, with the schemas

EXIT STATUS
    0    done
    1    bytes of a segment cannot be read
    2    the command line is no good
    3    something could not be read
)";
constexpr std::string_view verify = R"(NAME
    driftless-log verify - look at every byte of a log

SYNOPSIS
    driftless-log verify [--quiet] LOG

DESCRIPTION
    Checks the identity, the header of every segment, the header and all parts of every block by their checksums,
    seals and what is behind them, that offsets go on without a gap and append times do not go back, that index
    files say what their segments do, and that every record is what its schema says. Reports files that no log
    makes. A log that is being written may be verified.

    Prints one line for each problem: the path, the byte, and what is wrong. Lines that begin with "note:" tell of
    what a writer may have left so, such as a log that was not closed. A bar on standard error shows how far it is,
    if that is a terminal.

OPTIONS
    --quiet    print problems alone

EXIT STATUS
    0    every byte is what a writer has written
    1    there are problems
    2    the command line is no good
    3    something could not be read
)";
constexpr std::string_view repair = R"(NAME
    driftless-log repair - make a damaged log open again

SYNOPSIS
    driftless-log repair [--dry-run] [--drop] LOG

DESCRIPTION
    Cuts back a tail that was not finished, writes seals and index files that are missing, makes a lost identity
    anew. Where a block is damaged that had been whole, everything behind it in its partition has to leave the log,
    since a log has no gaps; that is done only with --drop. Other partitions stay as they are. What leaves the log
    is kept beside it, in files that end in `.dropped`.

    Prints one line for each step: the path and what is done, with the offsets that are lost. Nobody may write the
    log meanwhile. A repair that was interrupted can be started again.

OPTIONS
    --dry-run    only say what would be done
    --drop       lose records if there is no other way

EXIT STATUS
    0    the log is as it should be (with --dry-run: it is already)
    1    there is something to do: with --dry-run, or because it would lose records and --drop was not given
    2    the command line is no good
    3    something could not be read or written, or the log has a writer
)";
constexpr std::string_view index = R"(NAME
    driftless-log index - make the index files of a log anew

SYNOPSIS
    driftless-log index LOG

DESCRIPTION
    Makes the index file of each sealed segment where it is missing or does not say what the segment does, and
    removes those without a segment. Everything in an index file can be found in its segment; without one, opening
    the segment takes longer. A log that is damaged otherwise is left alone: see `driftless-log repair`.

EXIT STATUS
    0    the index files are as they should be
    1    the log needs a repair first
    2    the command line is no good
    3    something could not be read or written, or the log has a writer
)";
constexpr std::string_view dump = R"(NAME
    driftless-log dump - the records of a log as JSON

SYNOPSIS
    driftless-log dump [--json] [--partition P] [--from OFFSET] [--to OFFSET] [--limit N] LOG

DESCRIPTION
    Prints a line for each record, partition by partition:

        {"partition":0,"offset":17,"time":1700000000000000000,"value":{"sku":"x","cents":199}}

    "time" is the first event time of the record, where it has one. Times are nanoseconds since 1970, durations
    nanoseconds. Bytes that are no UTF-8 appear as \udc80 to \udcff. A value that the schema does not describe is
    {"bytes":"..."} in hexadecimal.

OPTIONS
    --json           JSON lines; there is no other form
    --partition P    only this partition
    --from OFFSET    from this offset on
    --to OFFSET      up to this offset, without it
    --limit N        no more than N records altogether

EXIT STATUS
    0    done
    2    the command line is no good
    3    something could not be read, or is damaged; what comes before it has been printed
)";
constexpr std::string_view tail = R"(NAME
    driftless-log tail - the last records of a log, and those that come

SYNOPSIS
    driftless-log tail [-f] [--lines N] [--partition P] LOG

DESCRIPTION
    Prints the last records of each partition as `driftless-log dump` does. With -f it goes on with what others
    append, until it is interrupted (SIGINT or SIGTERM).

OPTIONS
    -f, --follow     go on
    --lines N        begin with the last N records of each partition (default: 10)
    --partition P    only this partition

EXIT STATUS
    0    done, or interrupted
    2    the command line is no good
    3    something could not be read, or is damaged
)";
constexpr std::string_view copy = R"(NAME
    driftless-log copy - a range of offsets into a new log

SYNOPSIS
    driftless-log copy [--from OFFSET] [--to OFFSET] SOURCE TARGET

DESCRIPTION
    Makes a new log in the folder TARGET, with an id of its own, of the records of SOURCE. Partitions, offsets,
    layout and schema stay. TARGET must not exist, or be empty. Until the copy is whole no log opens there, and the
    folder holds a file `copying`; a copy into the same folder then begins anew.

OPTIONS
    --from OFFSET    the first offset of each partition
    --to OFFSET      up to this offset, without it

EXIT STATUS
    0    done
    2    the command line is no good
    3    something could not be read or written, or SOURCE is damaged
)";
}  // namespace

std::string_view help(std::string_view of) {
    if (of.empty()) return program;
    if (of == "inspect") return inspect;
    if (of == "verify") return verify;
    if (of == "repair") return repair;
    if (of == "index") return index;
    if (of == "dump") return dump;
    if (of == "tail") return tail;
    if (of == "copy") return copy;
    return {};
}
}  // namespace log_tool
