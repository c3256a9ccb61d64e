#!/bin/sh
# misuse.sh RETAIL: what the example does with command lines, files and outputs that are no good.
set -eu
retail=$1
program=$retail
. "$(dirname "$0")/program.sh"

# gives WANT ARGUMENT...: the file WANT on standard output, status 0.
gives() {
    want=$1
    shift
    "$retail" "$@" >out 2>err || fail "exit status $?: $*"
    cmp -s "$want" out || fail "its output is not $want: $*"
}
errors_are() {  # NUMBER of lines, WORDS
    [ "$(wc -l <err)" -eq "$1" ] || fail "not $1 lines on standard error"
    grep -qF -- "$2" err || fail "no '$2' on standard error"
}

header=invoice_no,country,quantity,unit_price_pence,ts_ms
good='1,EIRE,2,150,1291191960000'
printf '%s\n%s\n' $header $good >good.csv
printf 'day,lines,invoices,units,gross_pence,refund_pence,net_pence\n2010-12-01,1,1,2,300,0,300\n' >per_day.csv
head -n 1 per_day.csv >no_rows.csv
printf 'day,country,lines,net_pence\n2010-12-01,"New\nZealand, ""NZ""",1,300\n' >quoted_by_country.csv

# --- command lines
refused 2 "there is no option '--verbose'" --verbose
refused 2 "there is no option 'good.csv'" good.csv
refused 2 "there is no result 'per_year'; there are: per_day, net_per_day_country" --input good.csv --result per_year
refused 2 "--mode is batch or stream, not 'lambda'" --mode lambda
refused 2 "--input needs a value" --input
refused 2 "--csv prints one table" --input good.csv --csv
refused 2 "--csv takes no value" --csv=yes
for threads in 0 -1 two 1.5 '' 99999999999999999999; do
    refused 2 "--threads needs a whole number from 1 to 256, not '$threads'" --input good.csv --threads "$threads"
done
"$retail" --help >out 2>err || fail "--help"
grep -q '^usage: retail' out || fail "--help says no usage"

# --- a kept log
gives per_day.csv --log kept --input good.csv --result per_day --csv
gives per_day.csv --log kept --result per_day --csv
refused 2 "the log in 'kept' has records already" --log kept --input good.csv
gives per_day.csv --log kept --result per_day --mode batch --csv
refused 2 "--log needs the path of a folder" --log ''
mkdir other && : >other/letter.txt
refused 1 'the folder is not empty and holds no log (there is `letter.txt`)' --log other --input good.csv

# --- files
mkdir folder
: >empty.csv
printf 'invoice_no,country,quantity,ts_ms\n' >column_lacks.csv
refused 1 "no_such.csv" --input no_such.csv --result per_day --csv
refused 1 "folder" --input folder --result per_day --csv
refused 1 "empty.csv: the header line is missing" --input empty.csv --result per_day --csv
refused 1 "column_lacks.csv: no column 'unit_price_pence'" --input column_lacks.csv --result per_day --csv
gives per_day.csv --input good.csv --result per_day --csv
gives per_day.csv --input=good.csv --result=per_day --mode=stream --csv
printf '%s\n' $header >header_only.csv
gives no_rows.csv --input header_only.csv --result per_day --csv
"$retail" --input - --result per_day --csv <good.csv >out 2>err || fail "standard input"
cmp -s per_day.csv out || fail "standard input gives something else"
printf '%s\r\n%s\r\n' $header $good >crlf.csv
gives per_day.csv --input crlf.csv --result per_day --csv
printf '%s\n%s' $header $good >no_line_break_at_end.csv
gives per_day.csv --input no_line_break_at_end.csv --result per_day --csv
printf '%s\n1,"New\nZealand, ""NZ""",2,150,1291191960000\n' $header >quoted.csv
gives quoted_by_country.csv --input quoted.csv --result net_per_day_country --csv

# --- malformed lines: each is reported with its place and reason, and counted
{
    echo $header
    echo 'x,EIRE,many,150,1291191960000'         # 2: no number
    echo '1,EIRE,2,150'                          # 3: too few fields
    echo '1,EIRE,2,150,1291191960000,'           # 4: too many
    echo '1,EIRE,,150,1291191960000'             # 5: empty
    echo '1,EIRE,99999999999,150,1291191960000'  # 6: out of range
    echo $good
    echo '1,EI"RE,2,150,1291191960000'           # 8: a quote out of place
    echo '1,"EI"RE,2,150,1291191960000'          # 9: behind a quoted field
    echo '1,EIRE,2,1.5,1291191960000'            # 10: not whole
    echo '1,EIRE,2,150,2010-12-01'               # 11: a date
    echo '1,EIRE,2,150,9999999999999999'         # 12: a time out of range
} >malformed.csv
gives per_day.csv --input malformed.csv --result per_day --csv
errors_are 11 "malformed.csv:2:8: column 'quantity': \"many\" is not an integer"
errors_are 11 "malformed.csv:3:"
errors_are 11 "expected 5 fields, found 4"
errors_are 11 "malformed.csv:12:14: column 'ts_ms':"
errors_are 11 "10 malformed lines"
refused 1 "malformed.csv:2:8: column 'quantity': \"many\" is not an integer" --input malformed.csv --result per_day --csv --strict

# --- late: the stream says how many lines it refused, and the verdict is a difference
printf '%s\n' $header '1,EIRE,1,100,1291334400000' $good >late.csv
status=0
"$retail" --input late.csv >out 2>err || status=$?
[ $status -eq 1 ] || fail "exit status $status though the modes differ"
grep -qF 'batch and stream differ in per_day, row 1' err || fail "no first difference"
grep -qF 'refused 7 records as late' err || fail "late lines are not counted"

# --- outputs
if [ -w /dev/full ]; then
    for csv in '--result per_day --csv' ''; do
        status=0
        # shellcheck disable=SC2086: none or several words
        "$retail" --input good.csv $csv >/dev/full 2>err || status=$?
        : >out
        [ $status -eq 1 ] || fail "exit status $status for a full standard output"
        grep -q 'cannot write' err || fail "no word on a full standard output"
    done
fi
status=0
"$retail" --input good.csv --result per_day --csv >&- 2>err || status=$?
[ $status -eq 1 ] || fail "exit status $status for a closed standard output"
"$retail" --input good.csv --result per_day --csv 2>err | head -n 1 >out
cmp -s no_rows.csv out || fail "head does not get the header"

exit $failed
