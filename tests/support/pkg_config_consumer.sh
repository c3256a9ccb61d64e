#!/bin/sh
# pkg_config_consumer.sh COMPILER PREFIX SOURCE_DIR WORK_DIR: each program builds against an install with pkg-config alone.
set -eu
compiler=$1
prefix=$2
sources=$3
work=$4
mkdir -p "$work"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name driftless.pc)")
export PKG_CONFIG_PATH
flags=$(pkg-config --cflags --libs driftless)
for source in "$sources"/*.cpp; do
    program=$work/$(basename "$source" .cpp)
    # shellcheck disable=SC2086 # flags are words
    "$compiler" -std=c++20 "$source" -o "$program" $flags
    (cd "$work" && "$program")
done
