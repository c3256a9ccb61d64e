// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_SNAPSHOT_SEARCH_HPP
#define DRIFTLESS_VIEW_DETAIL_SNAPSHOT_SEARCH_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/snapshot_store.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/build_job.hpp>
#include <driftless/view/detail/correction_files.hpp>
#include <driftless/view/detail/rows_file.hpp>
#include <driftless/view/detail/listed_versions.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// A snapshot that a version can begin with.
struct found_snapshot {
    std::uint64_t version = 0;
    snapshot_manifest manifest;
};

/// Of all snapshots of all versions the one that has read furthest and fits: see replay_from. It has its rows, or
/// also(store, manifest) holds.
template <class Definition, class Also = std::nullptr_t>
std::optional<found_snapshot> find_snapshot(Definition const& of, bool adopts, listed_versions const& list,
    std::string const& folder, file_system& files, Also const& also = nullptr) {
    auto const partitions = of.partitions();
    auto const fits = [&](snapshot_manifest const& found) {
        if (found.ended || found.fingerprint != of.fingerprint) return false;
        if (found.inputs.size() != partitions.size()) return false;
        if (!adopts && found.logic_version != of.logic_version) return false;
        // Inputs may be defined in another order than that of the pipeline: logs with ids are known by these.
        return std::all_of(found.inputs.begin(), found.inputs.end(), [&](auto const& was) {
            return std::any_of(partitions.begin(), partitions.end(), [&](auto const& is) {
                return was.partition == is.partition && (was.log.empty() || was.log == is.log) && was.offset >= is.begin
                    && was.offset <= is.end;
            });
        });
    };
    std::optional<found_snapshot> best;
    for (auto const& each : list.versions) {
        auto const version = version_folder(folder, each.number);
        auto const state = version + "/" + std::string{build_state_name};
        if (!files.exists(state)) continue;
        // The rows of a correction are not all of its own logic.
        if (!adopts && files.exists(version + "/" + std::string{correction_name})) continue;
        snapshot_store const store{state, files};
        for (auto const number : store.numbers()) {
            try {
                auto manifest = store.read(number);
                if (!fits(manifest)) continue;
                if (best && best->manifest.records >= manifest.records) continue;
                if constexpr (std::is_same_v<Also, std::nullptr_t>) {
                    if (!files.exists(version + "/" + rows_name(number, false))) continue;
                } else {
                    if (!also(store, manifest)) continue;
                }
                best = found_snapshot{each.number, std::move(manifest)};
            } catch (error const& problem) {
                if (problem.code() != error_code::corrupt && problem.code() != error_code::unsupported) throw;
            }
        }
    }
    return best;
}

/// Copies a snapshot, without the rows that belong to it, into the folder of a version that is not named yet.
inline void copy_state(found_snapshot const& from, std::uint64_t to, std::string const& logic_version,
    std::string const& folder, file_system& files) {
    auto const source = version_folder(folder, from.version);
    auto const target = version_folder(folder, to);
    auto const state = "/" + std::string{build_state_name};
    auto const copy = [&](std::string const& within, std::string const& name) {
        auto const bytes = read_whole_file(source + within + "/" + name, files);
        if (!bytes) throw error{error_code::corrupt, "a file of a snapshot is missing", source + within + "/" + name};
        write_whole_file(target + within, name, *bytes, files);
    };
    files.make_folder(target + state);
    for (auto const& each : files.list(source + state)) {
        bool const part = std::find(from.manifest.files.begin(), from.manifest.files.end(), each.name)
            != from.manifest.files.end();
        bool const other = each.name == "lock" || each.name == "instance" || each.name.ends_with(".state")
            || each.name.ends_with(".manifest") || each.name.ends_with(".new");
        if (part || (!other && !each.folder)) copy(state, each.name);  // the journal and answers come along
    }
    auto manifest = from.manifest;
    manifest.logic_version = logic_version;
    write_whole_file(target + state, padded_number(manifest.number) + ".manifest", manifest_bytes(manifest), files);
    files.sync_folder(target);
}
/// The same with its rows.
inline void copy_snapshot(found_snapshot const& from, std::uint64_t to, std::string const& logic_version,
    std::string const& folder, file_system& files) {
    auto const rows = rows_name(from.manifest.number, false);
    auto const path = version_folder(folder, from.version) + "/" + rows;
    auto const bytes = read_whole_file(path, files);
    if (!bytes) throw error{error_code::corrupt, "a file of a snapshot is missing", path};
    write_whole_file(version_folder(folder, to), rows, *bytes, files);
    copy_state(from, to, logic_version, folder, files);
}

/// Makes the folder of a new version such that its job begins where it is to; says where, for people.
template <class Definition>
std::string place_start(listed_version& made, Definition const& of, replay_from const& from,
    listed_versions const& list, std::string const& folder, file_system& files) {
    auto const partitions = of.partitions();
    switch (from.kind()) {
        case replay_from::place::beginning: return "from the beginning";
        case replay_from::place::snapshot: {
            auto const found = find_snapshot(of, from.adopts(), list, folder, files);
            if (!found) {
                throw error{error_code::not_there,
                    sentence({"no version has a snapshot that `", of.logic_version,
                        "` can begin with: it takes one of ", from.adopts() ? "" : "the same logic, and of ",
                        "the same fingerprint, over the same log; replay from the beginning"}),
                    folder};
            }
            copy_snapshot(*found, made.number, of.logic_version, folder, files);
            made.based_on = found->version;
            made.starts = list.find(found->version)->starts;
            return sentence({"from snapshot ", found->manifest.number, " of version ", found->version, ", after ",
                found->manifest.records, " records"});
        }
        case replay_from::place::offset: {
            auto const& given = from.by_partition();
            if (given.size() != 1 && given.size() != partitions.size()) {
                throw error{error_code::invalid_argument,
                    sentence({"a replay from offsets needs one for all partitions, or one for each of the ",
                        std::uint64_t{partitions.size()}}),
                    folder};
            }
            for (std::size_t i = 0; i < partitions.size(); ++i) {
                auto const& each = partitions[i];
                auto const at = given[given.size() == 1 ? 0 : i];
                if (at < each.begin || at > each.end) {
                    throw error{error_code::not_there,
                        sentence({"partition ", std::uint64_t{each.partition}, " begins at offset ", each.begin,
                            " and ends at ", each.end, ": a replay cannot begin outside"}),
                        folder, at};
                }
                made.starts.push_back({each.input, each.partition, at});
            }
            return sentence({"from offset ", given[0], given.size() == 1 ? "" : " and others"});
        }
        case replay_from::place::time:
            for (auto const& each : partitions) {
                if (!each.offset_at) {
                    throw error{error_code::invalid_argument,
                        "this log does not know when its records were appended: replay from an offset", folder};
                }
                made.starts.push_back({each.input, each.partition, each.offset_at(from.appended())});
            }
            return sentence({"from ", std::string_view{plan_text(from.appended())}});
    }
    return {};
}
}  // namespace driftless::inline v0::detail
#endif
