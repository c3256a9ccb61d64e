// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_BATCH_CONTRACT_HPP
#define DRIFTLESS_VIEW_BATCH_CONTRACT_HPP

#include <driftless/core/time.hpp>
#include <driftless/view/build.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace driftless::inline v0 {

/// T, up to where the batch layer answers: published with its rows in one step, and read with each answer.
///
/// Shape       `inputs` is the contract: of each partition of each input the id of the log and the offset of the next
///             record. Every record before these offsets is owned by the batch layer, every other one by the speed
///             layer. All else is metadata.
struct batch_contract {
    std::uint64_t number = 0;       ///< grows with each T; the version of the view (versioned_view)
    std::string logic_version;      ///< of the pipeline that made the rows
    std::uint64_t fingerprint = 0;  ///< of that pipeline
    std::vector<build_input> inputs;
    std::uint64_t records = 0;      ///< before T, in all partitions
    std::uint64_t failures = 0;     ///< of these, left out because a user function threw
    std::uint64_t refused = 0;      ///< by stateful stages, for whatever reason (late, mostly)
    event_time watermark = event_time::min();  ///< as of T: rows of windows that end at or before it had fired
    event_time progress = event_time::min();   ///< as of T: see frontier
    event_time started;             ///< when the batch began, by the clock of the coordinator
    event_time published;           ///< and when its rows were published

    /// Every record before T is in the rows.
    [[nodiscard]] bool complete() const noexcept { return failures == 0 && refused == 0; }
    friend bool operator==(batch_contract const&, batch_contract const&) = default;
};

namespace detail {
inline batch_contract contract_of(build const& of) {
    batch_contract out;
    out.number = of.number;
    out.logic_version = of.logic_version;
    out.fingerprint = of.fingerprint;
    out.inputs = of.inputs;
    out.records = of.records;
    out.failures = of.failures;
    out.refused = of.refused;
    out.watermark = of.watermark;
    out.progress = of.progress;
    out.started = of.begun;
    out.published = of.updated;
    return out;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
