// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_SNAPSHOT_OPTIONS_HPP
#define DRIFTLESS_RUN_SNAPSHOT_OPTIONS_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace driftless::inline v0 {

class file_system;

/// What a start does with a snapshot of another pipeline, or of other code (logic_version).
enum class if_changed : std::uint8_t {
    fail,     ///< an error that says what differs (default)
    restart,  ///< the snapshot is left aside: from the beginning of the inputs, with empty state
    adopt,    ///< offsets and the state of operators that are the same, by kind and id, stay; others begin empty
};

/// How a job keeps its snapshots: stream{.snapshots = "state/", .snapshot_options = {.every = 10_s, .keep = 3}}.
///
/// Time        `every` counts by stream::clock from one snapshot to the next; `records` by records of all inputs, to
///             the record: with either, a snapshot is due when the first of them says so. A pause and a clean stop
///             leave one too.
/// Errors      io while a snapshot is written fails the job, but for the first `tolerated_failures` in a row: these are
///             told in report::warnings, the older snapshot stays, and the next one is taken as scheduled.
struct snapshot_options {
    duration every = duration{1'000'000'000};  ///< 0: not by time
    std::uint64_t records = 0;                 ///< 0: not by records
    std::size_t keep = 2;                      ///< so many are kept, at least 1
    std::size_t full_every = 10;               ///< of so many in a row one is full; the others write what has changed
    std::string_view job = "job";              ///< the name of the job: what sinks and manifests know it by
    std::string_view logic_version{};          ///< of the functions in the pipeline; empty: the build id of the program
    driftless::if_changed if_changed = driftless::if_changed::fail;
    bool begin_anew = false;                   ///< what is in the folder is left aside: from where the inputs begin
    std::size_t tolerated_failures = 0;
    file_system* files = nullptr;              ///< where the folder is; null: on the disk
};
}  // namespace driftless::inline v0
#endif
