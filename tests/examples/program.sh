# Sourced by tests of programs: `program` is what they test. They run in a folder of their own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

fail() {
    echo "FAILED: $1"
    echo "--- standard output" && head -n 20 out
    echo "--- standard error" && head -n 20 err
    failed=1
}
# refused STATUS WORDS ARGUMENT...: one sentence with WORDS on standard error, nothing on standard output.
refused() {
    status=$1 words=$2
    shift 2
    got=0
    "$program" "$@" >out 2>err || got=$?
    [ $got -eq "$status" ] || fail "exit status $got, not $status: $*"
    [ ! -s out ] || fail "something on standard output: $*"
    [ "$(wc -l <err)" -eq 1 ] || fail "not one line on standard error: $*"
    grep -qF -- "$words" err || fail "no '$words' on standard error: $*"
}
# ends STATUS WORDS ARGUMENT...: ends with STATUS, and has WORDS on standard output.
ends() {
    status=$1 words=$2
    shift 2
    got=0
    "$program" "$@" >out 2>err || got=$?
    [ $got -eq "$status" ] || fail "exit status $got, not $status: $*"
    grep -qF -- "$words" out || fail "no '$words' on standard output: $*"
    [ ! -s err ] || fail "something on standard error: $*"
}
overwrite() {  # FILE POSITION: writes a byte that was not there
    before=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tx1)
    byte='\252'
    [ "$before" != ' aa' ] || byte='\125'
    # shellcheck disable=SC2059
    printf "$byte" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
