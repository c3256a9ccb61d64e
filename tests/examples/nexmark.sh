#!/bin/sh
# nexmark.sh NEXMARK: every query with a known result, as batch and as stream, in order and out of order, on 1 and 2
# threads, must have the rows that others computed. Skipped (77) without DRIFTLESS_DATA_DIR.
set -eu
nexmark=$1
data=${DRIFTLESS_DATA_DIR:-}/nexmark
if [ ! -d "$data" ]; then
    echo "skipped: DRIFTLESS_DATA_DIR is not set, or holds no nexmark data"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

sorted() {  # the lines after the first in the order of their bytes
    head -n 1 "$1"
    tail -n +2 "$1" | LC_ALL=C sort
}
# Fields are equal as text, or as numbers to a relative 1e-12: averages have as many places as their author liked.
same() {
    awk -v other="$2" '
        function parts(line, into) { return split(line, into, ",") }
        {
            if ((getline line < other) <= 0) exit 1
            if ($0 == line) next
            n = parts($0, a)
            if (parts(line, b) != n) exit 1
            for (i = 1; i <= n; ++i) {
                if (a[i] == b[i]) continue
                if (a[i] !~ /^-?[0-9]+(\.[0-9]+)?$/ || b[i] !~ /^-?[0-9]+(\.[0-9]+)?$/) exit 1
                d = a[i] - b[i]
                if (d < 0) d = -d
                if (d > 1e-12 * (a[i] < 0 ? -a[i] : a[i])) exit 1
            }
        }
        END { if ((getline line < other) > 0) exit 1 }' "$1"
}
compare() {  # QUERY FILE
    sorted "$2" >"$work/want"
    for mode in batch stream; do
        for how in '' "--bids $data/bid_out_of_order.csv" '--threads 2' '--restart --threads 2'; do
            # shellcheck disable=SC2086: $how is none or two words
            if "$nexmark" --query "$1" --data "$data" --mode $mode $how --csv >"$work/output" \
                && sorted "$work/output" >"$work/got" && same "$work/want" "$work/got"; then
                continue
            fi
            echo "DIFFERENT: $1 $mode $how"
            diff "$work/want" "$work/got" | head -n 10
            failed=1
        done
    done
}
for file in "$data"/expected/q*.csv; do compare "$(basename "$file" .csv)" "$file"; done
compare q11 "$data/computed/q11_session_10s.csv"
compare q12 "$data/computed/q12_event_time_10s.csv"

# What it writes it reads: the same answers, from a folder and from memory.
"$nexmark" --generate 3000 --seed 7 --csv "$work/made"
"$nexmark" --data "$work/made" >"$work/from_files"
"$nexmark" --generate 3000 --seed 7 >"$work/from_memory"
cmp "$work/from_files" "$work/from_memory" || failed=1
for query in q13 q102; do
    "$nexmark" --data "$work/made" --query $query --csv --mode batch >"$work/from_files"
    "$nexmark" --generate 3000 --seed 7 --query $query --csv --mode stream >"$work/from_memory"
    cmp "$work/from_files" "$work/from_memory" || failed=1
done

refuses() {  # STATUS SENTENCE ARGUMENT...
    status=0
    sentence=$2
    want=$1
    shift 2
    "$nexmark" "$@" >"$work/output" 2>"$work/problem" || status=$?
    if [ $status -ne "$want" ] || ! grep -q -- "$sentence" "$work/problem"; then
        echo "FAILED: $* (status $status)"
        cat "$work/problem"
        failed=1
    fi
}
refuses 2 'there is no query' --query q99
refuses 2 'choose it with --query' --csv
refuses 2 'name their folder with --data' --bids x.csv
refuses 2 'name how many events' --csv "$work/none"
refuses 2 'from 1 to' --generate 0
refuses 1 'person.csv' --data "$work/absent"
refuses 1 'side_input.csv' --data "$data" --query q13 --csv
printf 'id,name\n1,x\n' >"$work/made/person.csv"
refuses 1 'person.csv' --data "$work/made" --query q3
exit $failed
