// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_REPORT_HPP
#define DRIFTLESS_RUN_REPORT_HPP

#include <driftless/core/account.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// What a run did: records read, and the books of every stateful stage (law 5).
///
/// State       A copy; taken while the job runs it is as of the last chunk.
struct report {
    std::uint64_t records = 0;           ///< read from all inputs
    std::vector<account> stages;         ///< expect and aggregate, in the order of the stages
    std::uint64_t failures = 0;          ///< records left out because a user function threw
    std::uint64_t state_bytes = 0;       ///< reserved by tables of open windows
    std::vector<std::string> warnings{}; ///< what somebody should look at though the run goes on: a damaged snapshot
    std::uint64_t held_back = 0;         ///< how often a rate limit ended a poll before its input did

    /// All refusals for one reason, over all stages; `failed` includes stateless stages.
    [[nodiscard]] std::uint64_t refused(reason why) const noexcept {
        if (why == reason::failed) return failures;
        std::uint64_t sum = 0;
        for (auto const& stage : stages) sum += stage.refusals(why);
        return sum;
    }
    [[nodiscard]] std::uint64_t violations() const noexcept {
        std::uint64_t sum = 0;
        for (auto const& stage : stages) sum += stage.violations + stage.refusals(reason::violated);
        return sum;
    }
    /// The first stage of that kind ("aggregate") or with that id; null if there is none.
    [[nodiscard]] account const* stage(std::string_view kind_or_id) const noexcept {
        for (auto const& each : stages) {
            if (each.label.id == kind_or_id || each.label.kind == kind_or_id) return &each;
        }
        return nullptr;
    }

    /// One line per stage, for people.
    [[nodiscard]] std::string str() const {
        std::string out = "read " + std::to_string(records) + " records\n";
        for (auto const& each : stages) {
            out += each.label.str() + ": in " + std::to_string(each.in()) + ", applied " + std::to_string(each.applied);
            for (std::size_t i = 0; i < reason_count; ++i) {
                if (each.refused[i] == 0) continue;
                out.append(", refused as ").append(to_string(static_cast<reason>(i)));
                out += " " + std::to_string(each.refused[i]);
            }
            if (each.unassigned != 0) out += ", in no window " + std::to_string(each.unassigned);
            if (each.violations != 0) out += ", violations " + std::to_string(each.violations);
            out += '\n';
        }
        if (held_back != 0) out += "held back by a rate limit: " + std::to_string(held_back) + " times\n";
        if (failures != 0) out += "left out because a function threw: " + std::to_string(failures) + '\n';
        for (auto const& each : warnings) out += "warning: " + each + '\n';
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
