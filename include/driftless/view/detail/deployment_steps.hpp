// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_DEPLOYMENT_STEPS_HPP
#define DRIFTLESS_VIEW_DETAIL_DEPLOYMENT_STEPS_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/audit_entry.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/deployment_state.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// Where a deployment stands after each of its steps, with what is to stand in the audit log. Nothing is done here: a
// step is what is written to CURRENT of these.

namespace driftless::inline v0::detail {
inline deployment_state noted(deployment_state next, audit_kind kind, std::uint64_t number, std::string_view logic,
    std::string_view why, std::string_view verdict = {}) {
    auto const count = next.note.number + 1;
    next.note = {count, static_cast<std::uint8_t>(kind), sentence({logic, " (version ", number, ")"}),
        sentence({"step ", count, why.empty() ? "" : ": ", why}), std::string{verdict}};
    return next;
}
inline deployment_state in_phase(deployment_state next, deployment_phase phase) {
    next.phase = static_cast<std::uint8_t>(phase);
    return next;
}
/// What comes before is no crash loop.
inline deployment_state without_starts(deployment_state next) {
    next.starts = 0;
    return next;
}

inline deployment_state after_deploy(deployment_state const& now, std::uint64_t number, std::string_view logic,
    std::string_view why, audit_kind kind = audit_kind::deploy) {
    auto next = without_starts(in_phase(now, deployment_phase::replaying));
    next.candidate = number;
    next.outcome.clear();
    return noted(std::move(next), kind, number, logic, why);
}
inline deployment_state after_validation(deployment_state const& now, std::string_view logic, std::uint64_t records) {
    return noted(without_starts(in_phase(now, deployment_phase::ready)), audit_kind::validate, now.candidate, logic,
        sentence({"after ", records, " records"}), "passed");
}
/// `old` was current before, 0: none was. It follows until the window ends, unless it is not to follow at all.
/// `corrected` says why its rows were wrong.
inline deployment_state after_cut_over(deployment_state const& now, std::string_view logic, std::uint64_t old,
    bool follows, event_time window_ends, std::string_view corrected = {}) {
    auto next = without_starts(in_phase(now, follows ? deployment_phase::watching : deployment_phase::steady));
    next.candidate = 0;
    next.previous = follows ? old : 0;
    next.window_ends = window_ends;
    next.outcome = sentence({"version ", now.candidate, " is current"});
    auto from = old != 0 ? sentence({"from version ", old}) : std::string{};
    if (!corrected.empty()) from = sentence({from, ", corrected: ", corrected});
    return noted(std::move(next), audit_kind::cut_over, now.candidate, logic, from);
}
/// To the version before; `logic` is its.
inline deployment_state after_roll_back(
    deployment_state const& now, std::uint64_t failed, std::string_view logic, std::string_view why) {
    auto next = in_phase(now, deployment_phase::steady);
    next.previous = 0;
    next.outcome = sentence({"rolled back from version ", failed, " to version ", now.previous, ": ", why});
    return noted(std::move(next), audit_kind::roll_back, now.previous, logic,
        sentence({"from version ", failed}), why);
}
/// The version before follows no more.
inline deployment_state after_window(deployment_state const& now) {
    auto next = in_phase(now, deployment_phase::steady);
    next.previous = 0;
    return next;
}
/// ... as it cannot.
inline deployment_state after_loss(deployment_state const& now, std::string_view logic, std::string_view why) {
    auto next = after_window(now);
    next.outcome = sentence({"version ", now.previous, " follows no more, and there is no way back: ", why});
    return noted(std::move(next), audit_kind::stop, now.previous, logic, why);
}
inline deployment_state after_stop(deployment_state const& now, std::string_view logic, std::string_view why) {
    auto next = in_phase(now, deployment_phase::steady);
    next.candidate = 0;
    next.outcome = sentence({"version ", now.candidate, " was stopped: ", why});
    return noted(std::move(next), audit_kind::stop, now.candidate, logic, why);
}
}  // namespace driftless::inline v0::detail
#endif
