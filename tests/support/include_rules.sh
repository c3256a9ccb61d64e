#!/bin/sh
# include_rules.sh INCLUDE_DIR: a header includes only from its own room or from one with a lower number, and heavy or
# foreign headers only where they belong.
set -eu
cd "$1"

find driftless -name '*.hpp' | sort | xargs awk '
    BEGIN {
        split("core 0 file 1 time 1 codec 1 metrics 1 state 2 agg 2 op 3 log 3 run 4 view 5 io 5 testing 6 adapt 6", words, " ")
        for (i = 1; i in words; i += 2) number[words[i]] = words[i + 1]
    }
    # The room a path below the include folder belongs to; "" for fwd.hpp and version.hpp, which anyone may include.
    # The gatherer of a room (op.hpp) counts to that room; driftless.hpp stands above all.
    function room_of(path, parts) {
        sub(/^driftless\//, "", path)
        split(path, parts, "/")
        sub(/\.hpp$/, "", parts[1])
        if (parts[1] == "fwd" || parts[1] == "version") return ""
        return parts[1]
    }
    function number_of(room) {
        if (room == "") return -1
        if (room == "driftless") return 9
        if (!(room in number)) { complain("there is no room " room); return 0 }
        return number[room]
    }
    function complain(what) { print FILENAME ":" FNR ": " what; bad = 1 }

    FNR == 1 { own = room_of(FILENAME); gatherer = FILENAME ~ /^driftless\/[a-z_]+\.hpp$/; light = own ~ /^(core|time|op)$/ }

    /^[ \t]*#[ \t]*include[ \t]*"/ { complain("write #include <driftless/...>, not a path in quotes") }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        header = $0
        sub(/^[^<]*</, "", header)
        sub(/>.*/, "", header)
        if (header ~ /^driftless\//) {
            other = room_of(header)
            if (other != own && number_of(other) >= number_of(own))
                complain((own == "" ? "a header without a room" : own) " must not include <" header ">")
            if (header == "driftless/time/chrono.hpp" && (gatherer || light))
                complain("time/chrono.hpp costs too much to be included here")
            if (own == "driftless" && other ~ /^(testing|adapt)$/) complain("driftless.hpp must not include <" header ">")
            next
        }
        if (header == "xxhash.h" && FILENAME != "driftless/codec/checksum.hpp")
            complain("xxhash.h is included by codec/checksum.hpp alone")
        if (FILENAME == "driftless/time/chrono.hpp" && header == "chrono") next
        if ((light || gatherer) && header ~ /^(iostream|ranges|chrono|range\/v3\/.*|windows\.h|unistd\.h|fcntl\.h|dirent\.h|dlfcn\.h|poll\.h|pthread\.h|sched\.h|signal\.h|sys\/.*|linux\/.*|netinet\/.*|arpa\/.*)$/)
            complain("<" header "> is too heavy for this room")
    }
    END { exit bad }
'
echo "include rules hold"
