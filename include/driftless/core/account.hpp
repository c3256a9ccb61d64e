// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_ACCOUNT_HPP
#define DRIFTLESS_CORE_ACCOUNT_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/time_histogram.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Why a record was not applied.
enum class reason : std::uint8_t {
    late,      ///< its window had closed: watermark >= window end + allowed lateness
    capacity,  ///< a new key beyond max_keys{n}
    violated,  ///< expect(...) diverted it
    closed,    ///< its trigger had fired for the last time (allow_data_loss)
    failed,    ///< a user function threw, or an exact result did not fit (on_error: skip, dead letter)
    ahead,     ///< its event time lies too far in the future (at_most_ahead)
    duplicate,  ///< a record with its id has passed (dedup): part of the answer, not of what was lost
};
/// How many reasons there are.
inline constexpr std::size_t reason_count = 7;

constexpr std::string_view to_string(reason why) noexcept {
    constexpr std::string_view names[reason_count] = {
        "late", "capacity", "violated", "closed", "failed", "ahead", "duplicate"};
    return names[static_cast<std::size_t>(why)];
}

/// What messages and metrics call an operator.
struct operator_label {
    std::string_view kind{};
    std::string_view id{};

    /// `filter`, or `filter 'cheap'` for an operator with an id.
    [[nodiscard]] std::string str() const {
        return id.empty() ? detail::sentence({kind}) : detail::sentence({kind, " '", id, "'"});
    }
    friend constexpr bool operator==(operator_label, operator_label) = default;
};

/// The books of one source or stateful stage: in = applied + refused, per (record, window).
///
/// State       Plain counters inside the stage, so that the hot loop keeps them in registers; part
///             of the snapshot. A job publishes copies between chunks for other threads.
struct account {
    operator_label label{};
    std::uint64_t applied = 0;
    std::uint64_t refused[reason_count] = {};
    std::uint64_t unassigned = 0;  ///< records that lie in no window of the assigner: neither applied nor refused
    std::uint64_t violations = 0;  ///< expect(...) in counting mode: seen, and passed on
    time_histogram late_by{};      ///< how far behind the watermark late records were; since the job was started

    constexpr void refuse(reason why, std::uint64_t n = 1) noexcept { refused[static_cast<std::size_t>(why)] += n; }
    /// As late, by so much.
    constexpr void refuse_late(duration by) noexcept {
        refuse(reason::late);
        late_by.add(by);
    }
    [[nodiscard]] constexpr std::uint64_t refusals(reason why) const noexcept {
        return refused[static_cast<std::size_t>(why)];
    }
    [[nodiscard]] constexpr std::uint64_t refusals() const noexcept {
        std::uint64_t sum = 0;
        for (auto const n : refused) sum += n;
        return sum;
    }
    /// Everything that arrived: what was applied and what was refused.
    [[nodiscard]] constexpr std::uint64_t in() const noexcept { return applied + refusals(); }
    /// Adds the counts of another account, such as that of a shard.
    constexpr void add(account const& other) noexcept {
        applied += other.applied;
        unassigned += other.unassigned;
        violations += other.violations;
        for (std::size_t i = 0; i < reason_count; ++i) refused[i] += other.refused[i];
        late_by.add(other.late_by);
    }
    /// Of what a snapshot keeps.
    friend constexpr bool operator==(account const& a, account const& b) noexcept {
        for (std::size_t i = 0; i < reason_count; ++i) {
            if (a.refused[i] != b.refused[i]) return false;
        }
        return a.label == b.label && a.applied == b.applied && a.unassigned == b.unassigned
            && a.violations == b.violations;
    }
};
}  // namespace driftless::inline v0
#endif
