#!/bin/sh
# sessionize.sh SESSIONIZE: the example reads a log from standard input, and shows a visit while the log is still open.
set -eu
program=$1
. "$(dirname "$0")/program.sh"

hit() {  # CLIENT TIME BYTES
    echo "$1 - - [17/May/2015:$2] \"GET / HTTP/1.1\" 200 $3 \"-\" \"a browser\""
}
some_log() {
    hit 10.0.0.1 '10:00:00 +0000' 100
    hit 10.0.0.2 '12:05:00 +0200' 7
    echo 'this is no request'
    hit 10.0.0.1 '10:29:59 +0000' -
    hit 10.0.0.2 '10:35:00 +0000' 8
    hit 10.0.0.1 '11:30:00 +0000' 50
    hit 10.0.0.1 '10:55:00 +0000' 25
}
# The request of 10:55 comes late and reaches a visit that is printed already; requests exactly half an hour apart
# are two visits.
cat >want <<'END'
10.0.0.2 2015-05-17 10:05:00 to 2015-05-17 10:05:00: 1 hits, 7 bytes
10.0.0.1 2015-05-17 10:00:00 to 2015-05-17 10:29:59: 2 hits, 100 bytes
10.0.0.2 2015-05-17 10:35:00 to 2015-05-17 10:35:00: 1 hits, 8 bytes
-10.0.0.1 2015-05-17 10:00:00 to 2015-05-17 10:29:59
10.0.0.1 2015-05-17 10:00:00 to 2015-05-17 10:55:00: 3 hits, 125 bytes
10.0.0.1 2015-05-17 11:30:00 to 2015-05-17 11:30:00: 1 hits, 50 bytes
END
some_log | "$program" >out 2>err || fail "exit status $?"
cmp -s want out || fail "its output is not as expected"
grep -qF '1 lines are no request' err || fail "the line that is no request is not counted"
some_log | "$program" --watch >out 2>err || fail "exit status $? with --watch"
cmp -s want out || fail "--watch changes its output"
grep -q '^1 records, 0/s, lag 0' err || fail "--watch says nothing"

# As behind `tail -f`: the visit stands in the output although the input is still open.
mkfifo pipe
"$program" 10 <pipe >live 2>err &
running=$!
exec 4>pipe
hit 10.0.0.1 '10:00:00 +0000' 100 >&4
hit 10.0.0.9 '10:11:00 +0000' 1 >&4
tries=0
until grep -qF '10.0.0.1 2015-05-17 10:00:00 to 2015-05-17 10:00:00: 1 hits, 100 bytes' live; do
    tries=$((tries + 1))
    if [ "$tries" -eq 100 ]; then
        fail "no visit is shown while the input is open"
        break
    fi
    sleep 0.1
done
exec 4>&-
wait "$running" || fail "exit status $? at the end of the input"
[ "$(wc -l <live)" -eq 2 ] || fail "not two visits"

if "$program" soon </dev/null >out 2>err; then fail "it takes 'soon' for a number"; fi
grep -qF 'usage: sessionize' err || fail "no usage"
exit $failed
