#!/bin/sh
# snapshot_tool.sh DRIFTLESS_SNAPSHOT GOLDEN: what driftless-snapshot prints and how it ends, for folders of snapshots
# that are good, damaged or none. GOLDEN is a folder of one version under tests/golden/snapshots.
set -eu
program=$1
golden=$2
. "$(dirname "$0")/program.sh"

fresh() { rm -rf kept && cp -r "$golden/windows_by_number" kept && chmod -R u+w kept; }
newest=kept/000000000002

# --- help, and command lines
ends 0 'driftless-snapshot inspect FOLDER' --help
ends 0 'EXIT STATUS' help
ends 0 'EXIT STATUS' verify --help
refused 2 'expected a command'
refused 2 "there is no command 'mend'" mend kept
mkdir empty
for command in inspect verify; do
    refused 2 'expected the folder' $command
    refused 2 'a folder, and the number of a snapshot at most' $command kept 1 2
    refused 2 "there is no option '--loud'" $command --loud
    refused 2 "a whole number, not '2x'" $command "$golden/windows" 2x
    refused 3 'no such folder' $command nowhere
    refused 3 'no snapshots in this folder' $command empty
    refused 3 'no snapshot 7; there are 2 to 2' $command "$golden/windows" 7
done
[ ! -e nowhere ] || fail "looking at a folder made it"
[ -z "$(ls empty)" ] || fail "looking at a folder wrote into it"

# --- good ones
fresh
ends 0 'snapshot 2: 2023-11-14 22:13:20 UTC, 399 records, ' inspect kept
ends 0 'of them in 1 earlier file' inspect kept 2
ends 0 'job golden, instance 1, driftless ' inspect kept
ends 0 "input 'sales' partition 1: next offset 200" inspect kept
ends 0 'operator aggregate count, sum(cents), max(cents) over window tumbling' inspect kept
ends 0 '4 parts, 1 of them unchanged' inspect kept
ends 0 'file 000000000001-1.state' inspect kept
ends 0 '1 snapshot: good' verify kept
ends 0 '1 snapshot: good' verify kept 2
for each in "$golden"/*; do
    ends 0 'snapshot 2: ' inspect "$each"
    ends 0 '1 snapshot: good' verify "$each"
done
echo left >kept/000000000003-1.state
ends 0 'note: 000000000003-1.state belongs to no snapshot' verify kept

# --- every byte of every file counts
for file in $newest-1.state kept/000000000001-1.state $newest.manifest; do
    size=$(wc -c <$file)
    for position in 0 $((size / 2)) $((size - 1)); do
        fresh
        # Of the earlier file the newest needs the first window.
        [ $file != kept/000000000001-1.state ] || position=$((620 + position / 10))
        overwrite $file "$position"
        ends 1 'snapshot 2: ' verify kept
        grep -qF 'damaged' out || fail "no 'damaged': $file $position"
    done
done
ends 1 'snapshot 2: ' inspect kept
ends 1 'a start of the job begins anew' verify kept
fresh
rm kept/000000000001-1.state
ends 1 'a file of state is missing' verify kept
fresh
: >$newest-1.state
ends 1 'a file of state is too short' verify kept
fresh
cp $newest.manifest kept/000000000003.manifest
overwrite kept/000000000003.manifest 40
ends 1 'a start of the job takes up snapshot 2' verify kept
ends 1 '2 snapshots: 1 damaged' verify kept
ends 0 '1 snapshot: good' verify kept 2
ends 1 '1 snapshot: 1 damaged' verify kept 3

exit $failed
