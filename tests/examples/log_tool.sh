#!/bin/sh
# log_tool.sh DRIFTLESS_LOG RETAIL: what driftless-log prints and how it ends, for logs that are good, damaged or none.
# RETAIL makes the log.
set -eu
tool=$1
retail=$2
program=$tool
. "$(dirname "$0")/program.sh"

{
    echo invoice_no,country,quantity,unit_price_pence,ts_ms
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "$i,EIRE,$i,150,$((1291191960000 + i))"; done
} >lines.csv
"$retail" --log kept --input lines.csv --result per_day --csv >out 2>err || fail "retail makes no log"
segment=kept/p00000/00000000000000000000.segment

# --- help, and command lines
ends 0 'driftless-log COMMAND [OPTION...] LOG' --help
for command in inspect verify repair index dump tail copy; do
    ends 0 "driftless-log $command - " $command --help
    ends 0 "driftless-log $command - " help $command
    ends 0 'EXIT STATUS' $command -h
    refused 2 "there is no option '--loud'" $command --loud kept
    refused 2 'expected the folder' $command
    [ $command = copy ] || refused 3 'no log' $command nowhere
done
refused 3 'no log' copy nowhere other
refused 2 'expected a command'
refused 2 "there is no command 'mend'" mend kept
refused 2 "there is no command 'mend'" help mend
refused 2 '--from needs a whole number' dump --from five kept
refused 2 '--to needs a value' dump kept --to
refused 2 '--dry-run takes no value' repair --dry-run=yes kept
refused 2 'the log has 1 partitions, there is no 1' dump --partition 1 kept

# --- a good log
ends 0 '12 records in ' verify kept
ends 0 ': good' verify kept
ends 0 'partition 0: offsets 0 to 12, 1 segments' inspect kept
ends 0 ', closed' inspect kept
ends 0 '"fields":[' inspect --schema kept
ends 0 '"state":"closed"' inspect --json kept
ends 0 '{"partition":0,"offset":11,' dump kept
[ "$(wc -l <out)" -eq 12 ] || fail "dump prints not 12 lines"
if command -v python3 >/dev/null; then
    "$tool" inspect --json kept >out
    python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <out || fail "inspect prints no JSON"
    "$tool" dump --json kept >out
    python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <out || fail "dump prints no JSON"
fi
ends 0 '"offset":4,' dump --from 4 --to 9 --limit 2 kept
[ "$(wc -l <out)" -eq 2 ] || fail "dump --limit 2 prints not 2 lines"
ends 0 '"offset":11,' tail --lines 3 kept
[ "$(wc -l <out)" -eq 3 ] || fail "tail --lines 3 prints not 3 lines"
ends 0 'nothing to repair' repair --dry-run kept
ends 0 'as they should be' index kept
ends 0 'copied 5 records' copy --from 2 --to 7 kept copy
ends 0 ': good' verify copy
refused 3 'there is a log already' copy kept copy
"$tool" dump --from 2 --to 7 kept >want
"$tool" dump copy >out
cmp -s want out || fail "the copy holds other records"

# --- tail -f ends when it is interrupted
"$tool" tail -f kept >out 2>err &
follower=$!
tries=0
until [ "$(wc -l <out)" -eq 10 ] || [ $tries -eq 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
kill -TERM $follower  # a shell without job control lets background processes ignore SIGINT
status=0
wait $follower || status=$?
[ $status -eq 0 ] || fail "tail -f ends with $status"
[ "$(wc -l <out)" -eq 10 ] || fail "tail -f prints not the last 10 lines"

# --- index files
cp -r kept indexless
rm indexless/p00000/*.index
ends 0 'note: indexless/p00000/00000000000000000000.index' verify indexless
ends 0 'write the index file anew' index indexless
cmp -s kept/p00000/00000000000000000000.index indexless/p00000/00000000000000000000.index || fail "another index"

# --- damage
cp -r kept damaged
overwrite damaged/${segment#kept/} 600
ends 1 'damaged/p00000/00000000000000000000.segment: byte ' verify damaged
grep -qF 'the checksum on disk is ' out || fail "verify gives no checksums"
[ "$(grep -c . out)" -eq 2 ] || fail "verify prints not one line for one problem"
refused 3 'damaged/p00000/00000000000000000000.segment' dump damaged
ends 1 'the log needs a repair first' index damaged
ends 1 'from offset 0 to 11' repair --dry-run damaged
ends 1 '(needs --drop)' repair damaged
ends 1 'allow it with --drop' repair damaged
ends 0 'repaired' repair --drop damaged
ends 0 ': good' verify damaged
ls damaged/p00000 | grep -q '\.dropped$' || fail "what was cut is not kept"
"$retail" --log damaged --input lines.csv --result per_day --csv >out 2>err || fail "retail cannot go on"
ends 0 '"offset":11,' dump damaged

# --- a torn tail: the same log, cut inside its seal
cp -r kept torn
size=$(wc -c <"torn/${segment#kept/}")
dd if=/dev/null of="torn/${segment#kept/}" bs=1 seek=$((size - 10)) 2>/dev/null
ends 1 'the file ends inside a block' verify torn
ends 0 'repaired' repair torn
ends 0 ': good' verify torn
ends 0 '"offset":11,' dump torn

# --- other folders
mkdir empty
refused 3 'there is no log in this folder' verify empty
refused 3 'there is no log to read' dump empty
refused 3 'there is no log to repair' repair empty
if [ -w /dev/full ]; then
    status=0
    "$tool" dump kept >/dev/full 2>err || status=$?
    [ $status -eq 3 ] || fail "exit status $status for a full standard output"
fi
exit $failed
