// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_ERASURE_AUDIT_HPP
#define DRIFTLESS_VIEW_ERASURE_AUDIT_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/log/erasure_log.hpp>
#include <driftless/view/audit_log.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// Notes erasures in an audit log, as a place of an eraser, the last one that is added:
///   audit_log audit{shop.audit().folder()};  // that of a deployment
///   erasure_audit noted{audit, erasures, "privacy desk"};
///   everywhere.add("audit", "shop", noted);
///
/// Shape       An entry of the kind `erase` for each erasure of the log: its number, the id of the log and who did it.
///             Nothing of the subject, nor why: an audit log is never erased.
/// Delivery    Once for each erasure. One whose entry could not be written, or that a crash cut short, is noted by the
///             eraser's resume().
/// Errors      Those of audit_log; the eraser tells of them in its report.
/// Threads     As the eraser. The audit log may be written by others meanwhile.
/// Complexity  O(entries of the audit log) per erasure.
class erasure_audit {
    audit_log* audit_;
    std::string log_;
    std::string who_;

public:
    /// who         does it, for the entries
    erasure_audit(audit_log& audit, erasure_log const& erasures, std::string who)
        : audit_(&audit), log_(to_string(erasures.id())), who_(std::move(who)) {}

    purged purge(erased_subjects const& erased) {
        std::set<std::string, std::less<>> noted;
        for (auto& each : audit_->history()) {
            if (each.kind == audit_kind::erase) noted.insert(std::move(each.why));
        }
        for (std::uint64_t number = 1; number <= erased.number(); ++number) {
            auto const what = detail::sentence({"erasure ", number, " of erasure log ", log_});
            if (!noted.contains(what)) audit_->append(audit_kind::erase, {}, who_, what);
        }
        return {};
    }
};
}  // namespace driftless::inline v0
#endif
