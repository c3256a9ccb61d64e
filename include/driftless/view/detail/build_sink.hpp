// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_BUILD_SINK_HPP
#define DRIFTLESS_VIEW_DETAIL_BUILD_SINK_HPP

#include <driftless/codec/detail/kept_as.hpp>
#include <driftless/core/frontier.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/view/built_version.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/rows_file.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace driftless::inline v0::detail {
struct rows_ignored {
    static void write(auto const&) {}
};

/// What the job of a version writes to: the rows in memory, and with each snapshot of the job a file of all of them.
///
/// Rows are seen as soon as they are written; the two phases see to it that after a start they are those of the
/// snapshot that the job goes on from.
template <class K, class V, class View>
class build_sink {
    built_version<View>* version_;
    std::string folder_;
    file_system* files_;
    build about_;
    std::function<void(build&)> describe_;
    std::function<void(pane<K, V> const&)> shadow_;
    event_time rows_from_;  // of a correction: rows of windows that end up to here are those of another version
    bool has_rows_;         // somebody has put those of the snapshot into the version
    std::uint64_t committed_ = 0;
    std::uint64_t before_ = 0;  // what was committed before it: the snapshot that stays beside the newest

public:
    using keeps_rows = void;

    build_sink(built_version<View>& version, std::string folder, file_system& files, build about,
        event_time rows_from = event_time::min(), bool has_rows = false)
        : version_(&version),
          folder_(std::move(folder)),
          files_(&files),
          about_(std::move(about)),
          rows_from_(rows_from),
          has_rows_(has_rows) {}
    build_sink(build_sink const&) = delete;
    build_sink& operator=(build_sink const&) = delete;

    /// Who knows where the job stands.
    void ask(std::function<void(build&)> describe) { describe_ = std::move(describe); }
    /// Who is shown every row that is written, too.
    void shadow(std::function<void(pane<K, V> const&)> also) { shadow_ = std::move(also); }

    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        if (row.window.end <= rows_from_) return;
        ++about_.written;
        write_row<K, V>(version_->rows(), row);
        if (shadow_) shadow_(pane<K, V>{kept_as<K>(row.key), row.window, kept_as<V>(row.value), row.info});
    }
    template <class Key>
    void remove(Key const& key, time_window window) {
        if (window.end <= rows_from_) return;
        ++about_.removed;
        remove_row<K>(version_->rows(), key, window);
    }

    void on_frontier(frontier const& at) {
        about_.watermark = at.watermark;
        about_.progress = at.progress;
        if constexpr (follows_frontier<View>) version_->rows().on_frontier(at);
    }

    /// The rows of the snapshot that the job goes on from; what is newer was never complete, or is not wanted.
    ///
    /// Errors      corrupt, with the path.
    void recover(driftless::sink_position const& at) {
        for (auto const& each : files_->list(folder_)) {
            auto const prepared = number_of_rows(each.name, true);
            auto const complete = number_of_rows(each.name, false);
            if (prepared != 0 && prepared == at.snapshot) {
                files_->rename(path_of(each.name), path_of(rows_name(prepared, false)));
            } else if (prepared != 0 || complete > at.snapshot || each.name.ends_with(".new")) {
                files_->remove(path_of(each.name));
            } else if (complete != 0 && complete < at.snapshot && complete > before_) {
                before_ = complete;
            }
        }
        files_->sync_folder(folder_);
        committed_ = at.snapshot;
        if (at.snapshot == 0) return version_->tell(about_);
        rows_ignored none;
        auto const name = rows_name(at.snapshot, false);
        auto found = has_rows_ ? read_rows<K, V>(folder_, name, none, *files_)
                               : read_rows<K, V>(folder_, name, version_->rows(), *files_);
        if (!found) {
            throw error{error_code::corrupt,
                "the rows that belong to the snapshot of this version are missing: deploy it again",
                path_of(rows_name(at.snapshot, false))};
        }
        auto const mine = std::exchange(about_, std::move(*found));
        about_.number = mine.number;  // it may have begun with those of another version
        about_.logic_version = mine.logic_version;
        about_.git_hash = mine.git_hash;
        about_.based_on = mine.based_on;
        about_.begun = mine.begun;
        about_.snapshot = at.snapshot;
        show_rows(version_->rows(), about_);
        version_->tell(about_);
    }
    void prepare(std::uint64_t n) {
        auto about = describe();
        about.snapshot = n;
        write_rows<K, V>(folder_, rows_name(n, true), about, std::as_const(version_->rows()), *files_);
    }
    void commit(std::uint64_t n) {
        if (n == committed_) return;
        for (auto const& each : files_->list(folder_)) {
            auto const prepared = number_of_rows(each.name, true);
            if (prepared != 0 && prepared <= n) {
                files_->rename(path_of(each.name), path_of(rows_name(prepared, false)));
            }
        }
        files_->sync_folder(folder_);
        before_ = std::exchange(committed_, n);
        about_.snapshot = n;
        version_->tell(describe());
        for (auto const& each : files_->list(folder_)) {
            auto const complete = number_of_rows(each.name, false);
            if (complete != 0 && complete < before_) files_->remove(path_of(each.name));
        }
    }
    [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }

    /// What it is made of, now.
    build const& describe() {
        if (describe_) describe_(about_);
        return about_;
    }

private:
    [[nodiscard]] std::string path_of(std::string const& name) const { return folder_ + "/" + name; }
};
}  // namespace driftless::inline v0::detail
#endif
