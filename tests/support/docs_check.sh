#!/bin/sh
# docs_check.sh ROOT COMPILER OPTION...: the C++ in README.md and docs/*.md is true. By the line before a ```cpp block:
#
#   <!-- from: examples/x.cpp -->   the block is a part of that file, word for word
#   <!-- sketch -->                 not checked
#   anything else                   the block compiles, as a file of its own
set -eu
root=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"

# One file per block, BLOCK.cpp, and one line per block in blocks: BLOCK, file:line, origin.
: >"$work/blocks"
for page in README.md docs/*.md; do
    [ -e "$page" ] || continue
    awk -v page="$page" -v work="$work" '
        inside && /^ *```/ { inside = 0; close(block); next }
        inside { print > block; next }
        /^ *```(cpp|c\+\+)/ {
            inside = 1
            origin = "compile"
            if (before ~ /<!-- sketch -->/) origin = "sketch"
            if (before ~ /<!-- from: .* -->/) { origin = before; sub(/.*<!-- from: */, "", origin); sub(/ *-->.*/, "", origin) }
            name = page; gsub(/[^A-Za-z0-9]/, "_", name); name = name "_" FNR
            block = work "/" name ".cpp"
            printf "" > block
            print name, page ":" FNR, origin >> (work "/blocks")
        }
        /[^ \t]/ { before = $0 }
    ' "$page"
done

status=0
while read -r name where origin; do
    case $origin in
    sketch) ;;
    compile)
        if ! "$@" -fsyntax-only "$work/$name.cpp" >"$work/log" 2>&1; then
            echo "FAILED $where: this block does not compile (if it is not meant to, write <!-- sketch --> before it)"
            head -n 20 "$work/log"
            status=1
        fi
        ;;
    *)
        if [ ! -e "$origin" ]; then
            echo "FAILED $where: there is no file $origin"
            status=1
        # Blank lines around the block do not count; inside it everything does.
        elif ! awk '
            FNR == NR { if (/[^ \t]/ || n) block[++n] = $0; if (/[^ \t]/) last = n; next }
            { file[++m] = $0 }
            END {
                if (!last) exit 1
                for (start = 1; start + last - 1 <= m; ++start) {
                    for (i = 1; i <= last && file[start + i - 1] == block[i]; ++i);
                    if (i > last) exit 0
                }
                exit 1
            }' "$work/$name.cpp" "$origin"; then
            echo "FAILED $where: this block is not, word for word, a part of $origin"
            status=1
        fi
        ;;
    esac
done <"$work/blocks"
echo "$(($(wc -l <"$work/blocks"))) blocks of C++ in README.md and docs/"
exit $status
