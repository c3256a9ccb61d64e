#!/bin/sh
# run_example.sh PROGRAM SOURCE: runs an example as the comments in its source say.
#
#   // args: --input "$DRIFTLESS_DATA_DIR/x.csv"   begins a run; what stands before the first one is a run without arguments
#   // expect: LINE                                 a line of its standard output; several come in this order
#   // expect file: PATH                            its standard output is this file
#   // expect rows: PATH                            its standard output is this file, the lines after the first in any order
#
# Every run must exit with 0. Those that name DRIFTLESS_DATA_DIR are skipped while it is not set.
# Exit status 77: all were skipped.
set -eu
program=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# One file per run: its arguments in the first line, what it expects in the others.
awk '/^\/\/ args:/                 { run = sprintf("run%03d", ++n); print substr($0, 9) > run; next }
     /^\/\/ expect( file| rows)?: / { if (!n) { run = sprintf("run%03d", ++n); print "" > run } print substr($0, 4) > run }' "$source"

fail() {
    echo "FAILED $source: $arguments"
    echo "$1"
    head -n 40 "${2:-output}"
    exit 1
}
rows() {
    head -n 1 "$1"
    tail -n +2 "$1" | LC_ALL=C sort
}

ran=0
for run in run*; do
    arguments=$(head -n 1 "$run")
    if [ -z "${DRIFTLESS_DATA_DIR:-}" ] && grep -q DRIFTLESS_DATA_DIR "$run"; then
        echo "skipped, DRIFTLESS_DATA_DIR is not set: $arguments"
        continue
    fi
    ran=$((ran + 1))
    eval "set -- $arguments"
    "$program" "$@" >output || fail "exit status $?, its output:"

    tail -n +2 "$run" >expectations
    exec 3<output
    while IFS= read -r expectation; do
        what=${expectation%%: *}
        want=${expectation#*: }
        case $what in
        expect)
            while IFS= read -r line <&3 && [ "$line" != "$want" ]; do line=; done
            [ "$line" = "$want" ] || fail "this line is missing or not in its place: $want, in:"
            ;;
        'expect file')
            eval "want=$want"
            diff -u "$want" output >difference || fail "its output is not $want:" difference
            ;;
        'expect rows')
            eval "want=$want"
            rows "$want" >want
            rows output >got
            diff -u want got >difference || fail "the rows of its output are not those of $want:" difference
            ;;
        esac
    done <expectations
    exec 3<&-
done
[ "$ran" -gt 0 ] || exit 77
