#!/bin/sh
# Writes a C++ program with a pipeline of N stages to standard output: generate.sh N. Stages are map and filter by
# turns, each with a function of its own; aggregate(count()) ends them.
set -eu
stages=$1

cat <<'END'
#include <driftless/agg/count.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/map.hpp>
#include <driftless/run/batch.hpp>
#include <vector>
int main() {
    auto const pipeline = driftless::from<long>()
END
i=1
while [ "$i" -le "$stages" ]; do
    if [ $((i % 2)) -eq 1 ]; then echo "        | driftless::map([](long x) { return x * 3 + $i; })"
    else echo "        | driftless::filter([](long x) { return x % 1000 != $i; })"
    fi
    i=$((i + 1))
done
cat <<'END'
        | driftless::aggregate(driftless::count());
    std::vector<long> const in{1, 2, 3};
    return driftless::run(driftless::batch{}, pipeline, in).empty() ? 1 : 0;
}
END
