// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_ERASE_STATE_HPP
#define DRIFTLESS_RUN_ERASE_STATE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/log/erasure_log.hpp>
#include <driftless/run/snapshot_store.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// While it lives, jobs of this thread that start from snapshots, or restore one, leave the state of erased subjects
/// out:
///   without_erased const filter{erasures};
///   job running{stream{...}, pipeline, log, sink};
///   purge_snapshots(running, folder);
///
/// Shape       An entry of keyed state goes where its key is the id of an erased subject, of its kind; or has one in
///             it, in a pair, tuple or reflected struct, of a class that names its kind (subject_kind).
/// State       What was kept by other keys stays as it is: totals by product, records that wait in a join by order.
///             What is sealed in it cannot be opened any more.
/// Threads     The one that made it.
class without_erased {
    erased_subjects who_;
    detail::left_out filter_{who_};

public:
    explicit without_erased(erased_subjects who) : who_(std::move(who)) {}
    explicit without_erased(erasure_log const& erasures) : without_erased(erasures.subjects()) {}

    /// Entries that were left out.
    [[nodiscard]] std::uint64_t removed() const noexcept { return filter_.dropped(); }
    /// The stages that keep state in their own way, and let nothing be left out: replay for them, from the beginning.
    [[nodiscard]] std::vector<std::string> const& kept_by() const noexcept { return filter_.passed_by(); }
};

/// Takes erased subjects out of the state of a job that runs, on its thread.
///
/// Time        Between two records: what follows is as if nothing of them had come before. A row that was written stays
///             in the sink until the sink is purged.
/// Errors      Those of job::snapshot and restore.
/// Complexity  As a snapshot in memory, and taking it up.
template <class Job>
purged_state purge_state(Job& running, erased_subjects const& who) {
    without_erased const filter{who};
    running.restore(running.snapshot());
    return {filter.removed(), filter.kept_by(), 0};
}

/// Takes a snapshot and removes all before it, with the files that only they need; returns how many there were.
template <class Job>
std::uint64_t purge_snapshots(Job& running, std::string const& folder, file_system& files = real_files()) {
    snapshot_store store{folder, files};
    auto const before = store.numbers();
    running.save_snapshot();
    store.keep_newest(1);
    files.sync_folder(store.folder());
    return before.size();
}

/// The same for a job with snapshots: takes one that holds nothing of them, and removes all before it.
///
/// folder      that of stream::snapshots; the next snapshot is a full one
/// Delivery    Until it returns the older snapshots are there: a job that starts from one of them does so under
///             without_erased.
/// Errors      Those of job::save_snapshot, and io.
template <class Job>
purged_state purge_state(
    Job& running, erased_subjects const& who, std::string const& folder, file_system& files = real_files()) {
    auto out = purge_state(running, who);
    out.snapshots = purge_snapshots(running, folder, files);
    return out;
}

/// A job with the folder of its snapshots, as a place to purge: eraser.add("state", "totals", job_place{...}).
///
/// Threads     The job's, between two polls.
template <class Job>
class job_state_place {
    Job* job_;
    std::string folder_;  // empty: none
    file_system* files_;
    purged_state last_;

public:
    explicit job_state_place(Job& running, std::string folder = {}, file_system& files = real_files())
        : job_(&running), folder_(std::move(folder)), files_(&files) {}

    purged purge(erased_subjects const& who) {
        last_ = folder_.empty() ? purge_state(*job_, who) : purge_state(*job_, who, folder_, *files_);
        purged out;
        out.removed = last_.removed;
        if (last_.snapshots != 0) out.note = "older snapshots removed: " + std::to_string(last_.snapshots);
        for (auto const& each : last_.kept_by) {
            out.note += (out.note.empty() ? "" : "; ") + each + " keeps its state in its own way: replay it";
            out.whole = false;
        }
        return out;
    }
    [[nodiscard]] purged_state const& last() const noexcept { return last_; }
};

/// Snapshots of a job that does not run, as a place to purge: they go, and the job begins anew from its log. For one
/// that is to go on from them, start it under without_erased.
class snapshot_folder_place {
    std::string folder_;
    file_system* files_;

public:
    explicit snapshot_folder_place(std::string folder, file_system& files = real_files())
        : folder_(std::move(folder)), files_(&files) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
    }
    /// Errors      io; in_use while an instance of the job takes a snapshot.
    purged purge(erased_subjects const&) {
        purged out;
        if (!files_->exists(folder_)) return out;
        snapshot_store{folder_, *files_}.claim();  // one that still runs is fenced at its next snapshot
        // Manifests first: at a crash none speaks of a file that has gone.
        for (auto const* const ending : {".manifest", ".state"}) {
            for (auto const& each : files_->list(folder_)) {
                if (!each.name.ends_with(ending)) continue;
                files_->remove(folder_ + "/" + each.name);
                out.removed += 1;
            }
            files_->sync_folder(folder_);
        }
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
