#!/bin/sh
# driftless against DuckDB and Polars on the same windowed group-bys: from memory, a log against Parquet, CSV against
# CSV. run.sh [--full]; ./dev bench peers calls it. The peers are Python modules, used where they can be imported.
# PYTHON says by which Python (default: python3).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
include=${DRIFTLESS_INCLUDE:-$(cd "$here/../../include" && pwd)}
python=${PYTHON:-python3}
# RECORDS:USERS:ROUNDS
cells="2000000:100:5 2000000:10000:5 2000000:1000000:5"
if [ "${1:-}" = --full ] || [ -n "${DRIFTLESS_BENCH_FULL:-}" ]; then
    cells="10000000:100:7 10000000:10000:7 10000000:1000000:5"
fi
[ -z "${DRIFTLESS_PEERS_CELLS:-}" ] || cells=$DRIFTLESS_PEERS_CELLS

if ! command -v "$python" >/dev/null; then
    echo "skipped peers $python is not installed"
    exit 0
fi
in=${DRIFTLESS_BENCH_DIR:-/dev/shm}
[ -d "$in" ] || in=/tmp
work=$(mktemp -d "$in/driftless-peers-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for label in gcc clang; do
    case $label in
    gcc) compiler=${GXX:-g++} ;;
    clang) compiler=${CLANGXX:-clang++-19} ;;
    esac
    if ! command -v "$compiler" >/dev/null; then
        echo "skipped peers_${label}_O2 $compiler is not installed"
        continue
    fi
    "$compiler" -std=c++20 -O2 -DNDEBUG "-I$include" "-I$here/.." "$here/windows.cpp" -o "$work/windows_$label" \
        -lxxhash -pthread
    # shellcheck disable=SC2086
    "$python" "$here/contest.py" "${label}_O2" "$work/windows_$label" "$work/data" $cells
done
