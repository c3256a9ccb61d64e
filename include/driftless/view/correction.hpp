// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_CORRECTION_HPP
#define DRIFTLESS_VIEW_CORRECTION_HPP

#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/view/detail/correction_files.hpp>
#include <driftless/view/detail/listed_versions.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What deployment::correct() is to correct, and why.
struct correction_request {
    event_time from{};        ///< rows of windows that end behind it are corrected; all others stay as they are
    std::string why{};        ///< for the audit log, and for whoever asks later why a row has changed; not empty
    bool whole_log = false;   ///< replay from where the log begins even where a snapshot would do
};

/// What a correction made of one row.
template <class K, class V>
struct corrected_row {
    K key;
    time_window window;
    std::optional<V> before;  ///< nothing: there was no row
    std::optional<V> after;   ///< nothing: there is none any more
};

/// A correction that readers have seen: which rows it changed, from what to what, and why.
template <class K, class V>
struct correction {
    std::uint64_t version = 0;   ///< that has the corrected rows
    std::uint64_t corrects = 0;  ///< the version that readers had before
    std::string logic_version;
    event_time from;
    std::string why;
    std::string who;
    event_time since;                  ///< readers were given the corrected rows, all at once
    std::optional<event_time> undone;  ///< they were given the old version again
    std::vector<corrected_row<K, V>> rows;  ///< that have changed, in the order in which panes come

    /// What it made of a row; null if it has not changed it.
    template <class Key>
    [[nodiscard]] corrected_row<K, V> const* find(Key const& key, time_window window) const {
        for (auto const& each : rows) {
            if (each.window == window && same_key(each.key, key)) return &each;
        }
        return nullptr;
    }
};

/// The corrections that the versions of a deployment are made of, oldest first: those of versions that are still kept.
/// Any process may ask, while the deployment goes on.
///
/// Errors      corrupt, io, with the path. No deployment in the folder: none.
/// Complexity  O(rows that were corrected).
template <class K, class V>
[[nodiscard]] std::vector<correction<K, V>> read_corrections(
    std::string const& folder, file_system& files = real_files()) {
    std::vector<correction<K, V>> out;
    auto const list = detail::read_listed_versions(folder, files);
    if (!list) return out;
    for (std::size_t i = 0; i < list->history.size(); ++i) {
        auto const& cut_over = list->history[i];
        bool const known = list->find(cut_over.version) != nullptr;
        bool const again = !out.empty() && out.back().version == cut_over.version;
        if (!known || again) continue;
        auto const in = detail::version_folder(folder, cut_over.version);
        auto const note = detail::read_correction_note(in, files);
        if (!note) continue;
        correction<K, V> made{cut_over.version, note->corrects, list->find(cut_over.version)->logic_version, note->from,
            note->why, note->who, cut_over.since, {}, {}};
        if (i + 1 < list->history.size() && list->history[i + 1].version == note->corrects) {
            made.undone = list->history[i + 1].since;
        }
        detail::read_corrected_rows<K, V>(in, files, [&](K key, time_window window, auto before, auto after) {
            made.rows.push_back({std::move(key), window, std::move(before), std::move(after)});
        });
        out.push_back(std::move(made));
    }
    return out;
}
}  // namespace driftless::inline v0
#endif
