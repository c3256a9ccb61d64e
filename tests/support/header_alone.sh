#!/bin/sh
# header_alone.sh LIST COMPILER OPTION...: every header named in the file LIST compiles alone, and twice in a row.
# Two compilers run side by side.
set -eu
list=$1
shift
work=${list%.txt}.work
rm -rf "$work"
mkdir -p "$work"

check_half() {  # every second header, beginning with the first or the second one
    remainder=$1
    shift
    number=0
    while read -r header; do
        number=$((number + 1))
        [ $((number % 2)) -eq "$remainder" ] || continue
        stub=$work/$(printf '%s' "$header" | tr / _)
        printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$stub"
        # -c instead of -fsyntax-only: a compiler cache in front has something to keep.
        if ! "$@" -O0 -c -x c++ "$stub" -o "$stub.o" >"$stub.log" 2>&1; then
            echo "FAILED alone: $header"
            cat "$stub.log"
            echo "$header" >>"$work/failed"
        fi
    done <"$list"
}

check_half 1 "$@" >"$work/half.log" &
check_half 0 "$@"
wait
cat "$work/half.log"
if [ -e "$work/failed" ]; then exit 1; fi
echo "$(wc -l <"$list") headers compile alone"
