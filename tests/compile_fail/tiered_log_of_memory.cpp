// SPDX-License-Identifier: BSL-1.0
// expect: tiered_log moves the segments of a log in files: give it a file_log<T> as its first argument
// first diagnostic at most 12 lines
#include <driftless/log/memory_log.hpp>
#include <driftless/log/tiered_log.hpp>
driftless::tiered_log<driftless::memory_log<int>>* open() {
    return new driftless::tiered_log<driftless::memory_log<int>>("hot", driftless::cold_folder{"cold"});
}
