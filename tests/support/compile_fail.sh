#!/bin/sh
# compile_fail.sh NAME.cpp COMPILER OPTION...: the file is refused with the sentences it promises, its twin compiles.
#
#   // expect: SENTENCE                          part of the compiler's output; several lines, all must be there
#   // first diagnostic at most N lines          and the sentences stand in it
#   // at most N errors
#   // not precompiled                           it is about a header that is missing (tests/CMakeLists.txt heeds this)
#
# The twin NAME.ok.cpp, the same with the mistake repaired, must compile without a warning.
set -eu
source=$1
shift
twin=${source%.cpp}.ok.cpp
output=$(mktemp)
first=$(mktemp)
trap 'rm -f "$output" "$first"' EXIT

fail() {
    echo "FAILED $source: $*"
    echo "--- the compiler said:"
    head -n 60 "$output"
    exit 1
}

[ -e "$twin" ] || fail "there is no twin $twin that compiles"
# Twins are often a single declaration.
"$@" -Wno-unused-variable -Werror -fsyntax-only "$twin" >"$output" 2>&1 || fail "the twin $twin does not compile cleanly"

if "$@" -fdiagnostics-color=never -fsyntax-only "$source" >"$output" 2>&1; then fail "it compiles"; fi
grep -q ': error: ' "$output" || fail "the compiler stopped without a diagnostic"
if grep -qi 'internal compiler error' "$output"; then fail "the compiler crashed"; fi
grep -q '^// expect: ' "$source" || fail "it has no line '// expect: SENTENCE'"

# A diagnostic is its error line, the context before it ("In file included from", "required from": GCC) and the notes
# after it. The first one ends before the context of the second.
awk '
    /^In file included from |^ +from |: In (instantiation|substitution|function|member|lambda|static|constructor|destructor)|: In .*:$|:   +required (from|by|for)|: At global scope:$|^[^ ]+: +in .constexpr. expansion/ {
        context = context $0 "\n"; next
    }
    / error: / { if (++errors == 2) exit }
    /^[0-9]+ errors? generated\.$/ { next }
    { printf "%s%s\n", context, $0; context = "" }
' "$output" >"$first"

where=$output
limit=$(sed -n 's,^// first diagnostic at most \([0-9]*\) lines.*,\1,p' "$source")
if [ -n "$limit" ]; then
    lines=$(($(wc -l <"$first")))
    [ "$lines" -le "$limit" ] || fail "its first diagnostic has $lines lines, $limit are allowed"
    where=$first
fi
limit=$(sed -n 's,^// at most \([0-9]*\) errors*.*,\1,p' "$source")
if [ -n "$limit" ]; then
    errors=$(grep -c ': error: ' "$output")
    [ "$errors" -le "$limit" ] || fail "$errors errors, $limit are allowed"
fi

sed -n 's,^// expect: ,,p' "$source" | while IFS= read -r sentence; do
    grep -qF -e "$sentence" "$where" || fail "'$sentence' is not what it says"
done
