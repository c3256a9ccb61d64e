// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_BUILD_HPP
#define DRIFTLESS_VIEW_BUILD_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/time.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace driftless::inline v0 {

/// How far a build has read a partition of an input.
struct build_input {
    std::string input;            ///< the name of the from<T>(...); empty for the only one
    std::string log;              ///< the id of the log; empty where it has none
    std::uint64_t schema = 0;     ///< the id of the schema of its records: XXH3-64 of schema_of<T>()
    std::uint32_t partition = 0;
    std::uint64_t begin = 0;      ///< the offset it began to read at
    std::uint64_t offset = 0;     ///< of the next record

    friend bool operator==(build_input const&, build_input const&) = default;
};

/// What one version of a view was made of: by which logic, over which records, when. It is stored with the rows, in one
/// file, and so is always of the very rows that it stands beside.
struct build {
    std::uint64_t number = 0;       ///< of the version, from 1
    std::string logic_version;      ///< the name under which its pipeline was defined
    std::string git_hash;           ///< if it was given
    std::uint64_t fingerprint = 0;  ///< of the pipeline
    std::uint64_t row_schema = 0;   ///< the id of the schema of its keys and values
    std::uint64_t snapshot = 0;     ///< the snapshot of its job that the rows belong to; 0: none yet
    std::uint64_t based_on = 0;     ///< the version whose snapshot it began with; 0: with empty state
    event_time begun;               ///< by the clock of the view
    event_time updated;
    event_time watermark = event_time::min();  ///< of its job; see frontier
    event_time progress = event_time::min();   ///< of its job; see frontier
    std::uint64_t records = 0;      ///< read from all inputs
    std::uint64_t failures = 0;     ///< records left out because a user function threw
    std::uint64_t refused = 0;      ///< by stateful stages, for whatever reason
    std::uint64_t written = 0;      ///< rows that came, corrections included
    std::uint64_t removed = 0;      ///< rows that were taken away
    std::vector<build_input> inputs;

    friend bool operator==(build const&, build const&) = default;
};
}  // namespace driftless::inline v0

BOOST_HANA_ADAPT_STRUCT(driftless::build_input, input, log, schema, partition, begin, offset);
BOOST_HANA_ADAPT_STRUCT(driftless::build, number, logic_version, git_hash, fingerprint, row_schema, snapshot, based_on,
    begun, updated, watermark, progress, records, failures, refused, written, removed, inputs);
#endif
