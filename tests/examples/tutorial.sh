#!/bin/sh
# tutorial.sh TUTORIAL DRIFTLESS_LOG DRIFTLESS_SNAPSHOT PAGE: types the commands of the console blocks of docs/tutorial.md,
# compares what they print with what the page shows, and then kills the job of that page wherever it may be.
set -eu
page=$4
. "$(dirname "$0")/program.sh"
mkdir bin steps
for each in "$1" "$2" "$3"; do ln -s "$each" bin/; done
PATH=$work/bin:$PATH
mkdir shop
cd shop
: >out
: >err

# A file with the command of each step, and one with the lines that the page shows.
awk -v to="$work/steps/" '
    /^```/ { inside = /^```console/; next }
    inside && /^\$ / {
        name = sprintf("%s%03d", to, ++n)
        print substr($0, 3) > (name ".command")
        printf "" > (name ".want")
        next
    }
    inside { print > (name ".want") }' "$page"

# shows WANT GOT: GOT has the lines of WANT. There `...` stands for any part of a line; alone, for any lines.
shows() {
    awk '
        function fits(want, got) {
            gsub(/[][\\.*^$+?(){}|\/]/, "\\\\&", want)
            gsub(/\\\.\\\.\\\./, ".*", want)
            return got ~ ("^" want "$")
        }
        FNR == NR { want[++w] = $0; next }
        { got[++g] = $0 }
        END {
            at = 1
            for (i = 1; i <= w; ++i) {
                if (want[i] == "...") { skip = 1; continue }
                while (skip && at <= g && !fits(want[i], got[at])) ++at
                if (at > g || !fits(want[i], got[at])) exit 1
                ++at
                skip = 0
            }
            exit !(skip || at > g)
        }' "$1" "$2"
}

[ -e "$work/steps/001.command" ] || { fail "there are no commands on $page" && exit 1; }
for step in "$work"/steps/*.command; do
    command=$(cat "$step")
    want=${step%command}want
    case $command in
    *'&')
        eval "$command"
        continue
        ;;
    'sleep 1; '*) tries=60 ;;  # a job has to come to it first
    *) tries=1 ;;
    esac
    while :; do
        # In this shell, which knows what $! is.
        eval "$command" >out 2>err || fail "exit status $?: $command"
        ! shows "$want" out || break
        tries=$((tries - 1))
        if [ $tries -eq 0 ]; then
            fail "the page shows something else: $command"
            diff "$want" out || true
            break
        fi
    done
    [ $failed -eq 0 ] || exit 1
done

# While sales come, the job is killed wherever it is: before, in and behind snapshots.
mkdir ../fresh
cd ../fresh
: >out
: >err
for round in 1 2 3 4 5 6 7 8 9 10; do
    tutorial append 1000 >out
    tutorial commit 2>err &
    sleep 0.0$round
    tutorial append $((round * 37)) >out
    kill -9 $!
    wait $! || true
done
tutorial finish 2>err || fail "exit status $? of the last one"
tutorial batch by_batch
grep -hv ^fruit totals/*.csv >stream.txt
grep -hv ^fruit by_batch/*.csv >batch.txt
cmp stream.txt batch.txt >out 2>err || fail "the files are not what a batch over the log says"

cd ..
program=$work/bin/tutorial
for bad in walk 'append many' 'append -5' 'append 1000001' 'append 7x'; do
    got=0
    tutorial $bad >out 2>err || got=$?
    [ $got -eq 2 ] || fail "exit status $got, not 2: tutorial $bad"
done
exit $failed
