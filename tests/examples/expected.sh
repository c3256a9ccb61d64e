#!/bin/sh
# expected.sh RETAIL ACCESS_LOG: every table of the two examples, in each mode and on 1 to 3 threads, must be the file
# that others computed. Skipped (77) without DRIFTLESS_DATA_DIR.
set -eu
retail=$1
access_log=$2
if [ ! -d "${DRIFTLESS_DATA_DIR:-}/retail" ]; then
    echo "skipped: DRIFTLESS_DATA_DIR is not set, or holds no retail data"
    exit 77
fi
got=$(mktemp)
trap 'rm -f "$got"' EXIT
failed=0

compare() {  # PROGRAM FOLDER INPUT NAME
    for threads in 1 2 3; do
        for mode in '--mode batch' '--mode stream' ''; do
            run="$4 --threads $threads $mode"
            # shellcheck disable=SC2086: $mode is none or two words
            if "$1" --input "$2/$3" --result "$4" --threads $threads $mode --csv >"$got" && cmp "$2/expected/$4.csv" "$got"; then
                echo "equal: $run"
            else
                echo "DIFFERENT: $run"
                diff "$2/expected/$4.csv" "$got" | head -n 10
                failed=1
            fi
        done
    done
}
for name in per_day net_per_day_country hop_3h_1h customer_sessions_30m30s; do
    compare "$retail" "$DRIFTLESS_DATA_DIR/retail" lines.csv $name
done
for name in tumble_1h hop_15m_5m_by_status_class sessions_30m count_trigger_500 late_tumble_10s late_tumble_10s_summary \
    interval_join_404_then_200_60s; do
    compare "$access_log" "$DRIFTLESS_DATA_DIR/access_log" events.csv $name
done
exit $failed
