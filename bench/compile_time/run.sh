#!/bin/sh
# What driftless costs to compile: long pipelines, an ordinary program, every header, one mistake.
# run.sh [--full]; ./dev bench compile_time calls it. Times are user CPU seconds at -O0.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
include=${DRIFTLESS_INCLUDE:-$(cd "$here/../../include" && pwd)}
full=
[ "${1:-}" != --full ] || full=yes
[ -z "${DRIFTLESS_BENCH_FULL:-}" ] || full=yes

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
${CXX:-g++} -O1 -o "$work/cpu_seconds" "$here/cpu_seconds.cpp"
for n in 0 1 10 20 40 80; do sh "$here/generate.sh" $n >"$work/stages_$n.cpp"; done
printf '#include <driftless/driftless.hpp>\nint main() {}\n' >"$work/driftless.cpp"
cp "$here/six_stages.cpp" "$here/wrong_predicate.cpp" "$work"

rounds=5
[ -z "$full" ] || rounds=15

# Programs take turns, so that a busy machine is busy for all of them; what counts is the fastest of each.
# Only -fsyntax-only would leave out the code that templates are turned into: the whole of -c is measured.
measure() {  # COMPILER NAME...
    compiler=$1
    shift
    round=0
    while [ $round -lt $rounds ]; do
        for name in "$@"; do
            "$work/cpu_seconds" "$compiler" -std=c++20 -O0 -I"$include" -c "$work/$name.cpp" -o "$work/object.o" \
                >>"$work/$label.$name" || { echo "compile_time: $compiler does not compile $name.cpp" >&2; return 1; }
        done
        round=$((round + 1))
    done
}
seconds() { sort -n "$work/$label.$1" | head -n 1 | cut -d' ' -f1; }
memory() { sort -n -k2 "$work/$label.$1" | head -n 1 | cut -d' ' -f2; }
middle() { sort -n "$work/$label.$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
lines() { "$compiler" -std=c++20 -I"$include" -E "$1" | grep -c -v -e '^[[:space:]]*$' -e '^[[:space:]]*#'; }

for label in gcc clang; do
    case $label in
    gcc) compiler=${GXX:-g++} ;;
    clang) compiler=${CLANGXX:-clang++-19} ;;
    esac
    if ! command -v "$compiler" >/dev/null; then
        for name in growth six_stage_seconds six_stage_lines all_seconds all_lines diagnostic_lines; do
            echo "skipped compile_time_${name}_$label $compiler is not installed"
        done
        continue
    fi
    echo "info compile_time $("$compiler" --version | head -n 1), -O0, fastest of $rounds"
    measure "$compiler" stages_0 stages_1 stages_10 stages_20 stages_40 stages_80 six_stages

    for n in 0 1 10 20 40 80; do
        echo "info compile_time_stages_${n}_$label $(seconds stages_$n) s, median $(middle stages_$n) s, $(memory stages_$n) MB"
    done
    echo "ratio compile_time_growth_$label $(awk -v t0="$(seconds stages_0)" -v t40="$(seconds stages_40)" \
        -v t80="$(seconds stages_80)" 'BEGIN { printf "%.3f", (t80 - t40) / (t40 - t0) }') goal 1.3"
    echo "ratio compile_time_six_stage_seconds_$label $(seconds six_stages) goal 0.8"
    echo "ratio compile_time_six_stage_lines_$label $(lines "$work/six_stages.cpp") goal 40000"

    if [ -e "$include/driftless/driftless.hpp" ]; then
        measure "$compiler" driftless
        echo "ratio compile_time_all_seconds_$label $(seconds driftless) goal 2"
        echo "ratio compile_time_all_lines_$label $(lines "$work/driftless.cpp") goal 90000"
    else
        echo "skipped compile_time_all_seconds_$label there is no driftless.hpp yet"
        echo "skipped compile_time_all_lines_$label there is no driftless.hpp yet"
    fi

    # The first diagnostic: the first error with the context before it and the notes that belong to it.
    if "$compiler" -std=c++20 -I"$include" -fsyntax-only "$work/wrong_predicate.cpp" 2>"$work/diagnostic"; then
        echo "compile_time: wrong_predicate.cpp compiles" >&2
        exit 1
    fi
    awk '/error:/ && ++errors == 2 { exit } { print }' "$work/diagnostic" >"$work/all_of_first"
    # Notes of where it was instantiated from stand before an error in GCC: those before a second error are its own.
    awk '{ line[NR] = $0 } /error:/ && !first { first = NR }
        END { last = NR; if (first) while (last > first && line[last] ~ /(In instantiation of|required from|In file included|^ +from )/) last--
              for (i = 1; i <= last; ++i) print line[i] }' "$work/all_of_first" >"$work/first"
    for word in 'driftless: filter needs' order; do
        grep -q -- "$word" "$work/first" || {
            echo "compile_time: the first diagnostic of $compiler does not say '$word':" >&2
            cat "$work/first" >&2
            exit 1
        }
    done
    sed 's/^/info diagnostic: /' "$work/first"
    echo "ratio compile_time_diagnostic_lines_$label $(wc -l <"$work/first" | tr -d ' ') goal 15"

    [ -n "$full" ] || continue
    rounds=3
    printf '#include <vector>\nint main() {}\n' >"$work/vector.cpp"
    measure "$compiler" vector
    (cd "$include" && find driftless -name '*.hpp' ! -path '*/detail/*' ! -path '*/adapt/*' | sort) >"$work/headers"
    while read -r header; do
        name=$(echo "header_$header" | tr '/.' '__')
        printf '#include <%s>\nint main() {}\n' "$header" >"$work/$name.cpp"
        measure "$compiler" "$name"
        echo "info compile_time_header_$label $header $(seconds "$name") s, $(awk -v a="$(seconds "$name")" \
            -v b="$(seconds vector)" 'BEGIN { printf "%.1f", a / b }') of <vector>, $(lines "$work/$name.cpp") lines"
    done <"$work/headers"
    rounds=15
done
