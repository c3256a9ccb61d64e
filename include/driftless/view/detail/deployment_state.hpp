// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_DEPLOYMENT_STATE_HPP
#define DRIFTLESS_VIEW_DETAIL_DEPLOYMENT_STATE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/time.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>

namespace driftless::inline v0::detail {
/// What is to stand in the audit log. It is written down with what it tells of, in one write; the audit log follows,
/// and is made up for by the next start if it did not.
struct audit_note {
    std::uint64_t number = 0;  // counts the notes of a deployment
    std::uint8_t kind = 0;
    std::string version;
    std::string why;
    std::string verdict;
};
/// Where a deployment stands: part of the list of versions.
struct deployment_state {
    std::uint8_t phase = 0;
    std::uint64_t candidate = 0;  // the version that is built beside the current one
    std::uint64_t previous = 0;   // the version that follows behind the current one
    event_time window_ends;       // until then
    std::uint64_t starts = 0;     // of the program in this phase, since the trial had its last snapshot
    std::string outcome;          // of the last trial, for people
    audit_note note;
};
}  // namespace driftless::inline v0::detail

BOOST_HANA_ADAPT_STRUCT(driftless::detail::audit_note, number, kind, version, why, verdict);
BOOST_HANA_ADAPT_STRUCT(
    driftless::detail::deployment_state, phase, candidate, previous, window_ends, starts, outcome, note);
#endif
