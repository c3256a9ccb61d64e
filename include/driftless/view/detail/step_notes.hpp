// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_STEP_NOTES_HPP
#define DRIFTLESS_VIEW_DETAIL_STEP_NOTES_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/view/audit_log.hpp>
#include <driftless/view/detail/deployment_state.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0::detail {
/// Puts the steps of a deployment into its audit log: each once, however often it is tried.
class step_notes {
    audit_log log_;
    std::string who_;
    std::uint64_t told_ = 0;  // the number of the last note that is known to be in the log

public:
    step_notes(std::string folder, audit_log_options options, std::string who)
        : log_(std::move(folder), options), who_(std::move(who)) {}

    [[nodiscard]] audit_log const& log() const noexcept { return log_; }

    /// The log has the last step, or is given it.
    void append(audit_note const& last) {
        if (last.number == told_) return;
        auto const kind = static_cast<audit_kind>(last.kind);
        if (!has(kind, sentence({"step ", last.number}))) log_.append(kind, last.version, who_, last.why, last.verdict);
        told_ = last.number;
    }

private:
    [[nodiscard]] bool has(audit_kind kind, std::string const& tag) const {
        for (auto const& each : log_.history()) {
            if (each.kind == kind && (each.why == tag || each.why.starts_with(tag + ":"))) return true;
        }
        return false;
    }
};
}  // namespace driftless::inline v0::detail
#endif
