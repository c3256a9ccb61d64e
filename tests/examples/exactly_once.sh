#!/bin/sh
# exactly_once.sh PROGRAM: killed again and again, the example commits what a batch run over its log says; and it does
# not say so where that is not so.
set -eu
program=$1
. "$(dirname "$0")/program.sh"
verdict='the committed output is that of a batch run over the log'

# finishes INPUT STATE OUT: the run comes to its end, with the verdict.
finishes() {
    "$program" --input "$1" --state "$2" --out "$3" >out 2>err || fail "exit status $?: $*"
    grep -qxF "$verdict" out || fail "no verdict: $*"
}
# dies STATUS COMMAND...: not by itself.
dies() {
    want=$1
    shift
    got=0
    "$@" >out 2>err || got=$?
    [ $got -eq "$want" ] || fail "exit status $got, not $want: $*"
}

"$program" --generate 4000 in.csv
"$program" --generate 4000 again.csv --seed 7
cmp -s in.csv again.csv || fail "--generate makes another file each time"
"$program" --generate 4000 other.csv --seed=8
! cmp -s in.csv other.csv || fail "--seed changes nothing"
[ "$(wc -l <in.csv)" -eq 4001 ] || fail "--generate makes another number of lines"

"$program" --input in.csv --state watched --out watched.csv --watch >out 2>err || fail "exit status $? with --watch"
grep -qxF "$verdict" out || fail "no verdict with --watch"
grep -q '^4,000 records, .*lag 0.*snapshot' err || fail "--watch does not say where the job ended"
if grep -q 'records' out; then fail "--watch writes into the output"; fi

outputs=folder
if "$program" --input in.csv --state whole --out whole.db >out 2>err; then outputs='folder folder.db'; fi
for to in $outputs; do
    # Between a payment and the next snapshot, at different distances from it.
    for lines in 1 2 333 1024 5 700; do
        dies 137 "$program" --input in.csv --state "of_$to" --out "$to" --die-after $lines
    done
    # While it waits for the next payment, also when it has just begun.
    for seconds in 0.02 0.15 0.3; do
        dies 137 timeout -s KILL $seconds "$program" --input in.csv --state "of_$to" --out "$to" --rate 400
    done
    # Not killed but stopped: a snapshot, and it goes on there.
    dies 124 timeout -s TERM 0.5 "$program" --input in.csv --state "of_$to" --out "$to" --rate 400
    grep -qF 'stopped, with a snapshot' err || fail "it does not say that it was stopped"
    finishes in.csv "of_$to" "$to"
    grep -qF 'log: 4000 payments of 4 producers, each once' out || fail "not all payments, each once"
    cp out first
    finishes in.csv "of_$to" "$to"  # there is nothing left to do
    grep -qF '4000 lines were in the log before' out || fail "it has appended lines again"
done

# Standard input that stays open does not keep it from stopping.
mkfifo pipe
"$program" --input - --state from_pipe --out of_pipe <pipe >out 2>err &
running=$!
exec 4>pipe
cat in.csv >&4
sleep 0.5
kill -INT $running 2>/dev/null || true # a shell without job control lets background processes ignore SIGINT
sleep 0.1
kill -TERM $running
got=0
wait $running || got=$?
[ $got -eq 3 ] || fail "exit status $got, not 3, after SIGTERM"
exec 4>&-
finishes in.csv from_pipe of_pipe

# What is not there is not said to be there.
dies 1 "$program" --input in.csv --state of_folder --out another
grep -qF 'the committed output is not that of a batch run over the log' err || fail "it does not miss its output"
grep -qF '(no more rows)' err || fail "it does not say what it misses"
for part in folder/payments.totals.*.csv; do break; done
cp "$part" kept
sed -i '2s/[0-9]*$/4711/' "$part"
dies 1 "$program" --input in.csv --state of_folder --out folder
grep -qF ',4711' err || fail "it does not see a total that somebody has changed"
cp kept "$part"
printf '9,0,zoe,1,1700000500000\n' >>in.csv
refused 1 'there are 1 more payments now' --input in.csv --state of_folder --out folder

# --- what is no good
refused 2 "there is no option '--verbose'" --verbose
refused 2 "--input, --state and --out belong together" --input in.csv --out x
refused 2 "--rate needs a whole number from 1 to 1000000000, not '0'" --rate 0
refused 2 "--state needs a value" --input in.csv --out x --state
refused 2 "--generate needs a number and a file" --generate 5
refused 2 "--generate only makes a file" --generate 5 x.csv --state y
refused 1 "cannot open the CSV file: No such file or directory [missing.csv]" --input missing.csv --state a --out b
refused 1 "cannot make a folder: Not a directory [in.csv]" --input in.csv --state in.csv --out b
refused 1 "cannot make a folder: Not a directory [in.csv/out]" --input in.csv --state a --out in.csv/out

header=producer,sequence,account,amount,time_ms
bad() {  # WORDS LINE...
    words=$1
    shift
    printf '%s\n' $header "$@" >bad.csv
    rm -rf bad_state bad_out
    refused 1 "$words" --input bad.csv --state bad_state --out bad_out
}
bad "bad.csv:3:9: column 'amount': \"x\" is not an integer" 1,0,ann,2,5 1,1,ann,x,6
bad "bad.csv:2" 1,0,ann
bad "bad.csv:2: column 'producer': the numbers of producers begin with 1" 0,0,ann,2,5
bad "bad.csv:4: column 'sequence': producer 1 goes on with 1, and this is 2, so that lines are missing" \
    1,0,a,2,5 1,0,a,2,5 1,2,a,2,5
bad "; put it right and start again" -1,0,ann,2,5
header=producer,sequence,account,amount
bad "bad.csv: no column 'time_ms' for member 'time'" 1,0,ann,2

# A line put right goes on where it stood.
printf '%s\n' $header,time_ms 1,0,a,2,5 1,1,a,x,6 >mended.csv
dies 1 "$program" --input mended.csv --state m --out of_m
sed -i 's/,x,/,7,/' mended.csv
finishes mended.csv m of_m
grep -qF '1 lines were in the log before' out || fail "it has not kept the line before the bad one"

"$program" --help >out 2>err || fail "--help"
grep -q '^usage: exactly_once' out || fail "--help says no usage"
exit $failed
