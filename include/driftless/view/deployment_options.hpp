// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DEPLOYMENT_OPTIONS_HPP
#define DRIFTLESS_VIEW_DEPLOYMENT_OPTIONS_HPP

#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/run/snapshot_options.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/view_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Where a new version begins to read.
///
/// beginning      where the logs begin, with empty state
/// offset         at an offset of each partition (one for all, or one per partition of the only input)
/// time           at the offset of an append time, by the clock of the logs
/// snapshot       at the newest snapshot of a version whose pipeline has the same fingerprint over the same log, with
///                its state and its rows. Of the same logic version the answers are those of a replay from the
///                beginning; `adopt` also takes one of another logic version: what was said before stays as it was
///
/// From an offset or a time the state is empty: windows that began before it lack what came before.
class replay_from {
public:
    enum class place : std::uint8_t {
        beginning,
        offset,
        time,
        snapshot
    };
    static replay_from beginning() { return {}; }
    static replay_from offset(std::uint64_t at) { return replay_from{place::offset, {at}, {}, false}; }
    static replay_from offsets(std::vector<std::uint64_t> by_partition) {
        return replay_from{place::offset, std::move(by_partition), {}, false};
    }
    static replay_from time(event_time appended) { return replay_from{place::time, {}, appended, false}; }
    static replay_from snapshot() { return replay_from{place::snapshot, {}, {}, false}; }
    static replay_from snapshot_to_adopt() { return replay_from{place::snapshot, {}, {}, true}; }

    replay_from() = default;
    [[nodiscard]] place kind() const noexcept { return kind_; }
    [[nodiscard]] std::vector<std::uint64_t> const& by_partition() const noexcept { return offsets_; }
    [[nodiscard]] event_time appended() const noexcept { return time_; }
    [[nodiscard]] bool adopts() const noexcept { return adopt_; }

private:
    replay_from(place kind, std::vector<std::uint64_t> offsets, event_time time, bool adopt)
        : kind_(kind), offsets_(std::move(offsets)), time_(time), adopt_(adopt) {}

    place kind_ = place::beginning;
    std::vector<std::uint64_t> offsets_;
    event_time time_;
    bool adopt_ = false;
};

/// How a deployment works.
struct deployment_options {
    std::size_t keep = 2;             ///< versions kept beside those in use; certified ones do not count
    duration rollback_window{600'000'000'000};  ///< after a cut-over the old version follows for so long; 0: not at all
    bool cut_over_when_valid = false; ///< without waiting for cut_over()
    rate_limit replay_limits{};       ///< how fast a new version reads. Without any it reads while the current one has
                                      ///< nothing to read; with limits it reads at that pace whatever happens
    std::size_t replay_chunk = 65536; ///< records that it reads at most between two looks at the current one
    std::uint64_t most_starts = 5;    ///< that a trial survives without a snapshot in between: a crash loop; 0: any
    snapshot_options snapshots{.tolerated_failures = 3};  ///< of the jobs: how often, how many
    std::string git_hash{};           ///< of the program, for its builds
    std::string who{};                ///< for the audit log
    file_system* files = nullptr;     ///< where the folder is; null: on the disk
    event_time (*clock)() = nullptr;  ///< null: the system's
    view_options rows{};              ///< of the view of each version
};

/// What a deployment is doing.
enum class deployment_phase : std::uint8_t {
    steady,     ///< one version is current (or none yet), nothing is on trial
    replaying,  ///< a new version is built beside it
    ready,      ///< the new version has caught up and was found valid: it follows, and waits for cut_over()
    watching,   ///< the new version is current, the old one follows: roll_back() is possible
};
constexpr std::string_view to_string(deployment_phase phase) noexcept {
    constexpr std::string_view names[] = {"steady", "replaying", "ready", "watching"};
    return names[static_cast<std::size_t>(phase)];
}

/// What guards look at: the version on trial, beside or after a cut-over.
struct trial_health {
    deployment_phase phase = deployment_phase::steady;
    build about;                  ///< the version on trial
    std::uint64_t lag = 0;        ///< records it has not read yet
    event_time now;               ///< by the clock of the deployment
    std::uint64_t starts = 0;     ///< of the program since the last snapshot of the trial: a crash loop has many
};
}  // namespace driftless::inline v0
#endif
