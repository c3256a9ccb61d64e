// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LISTED_VERSIONS_HPP
#define DRIFTLESS_VIEW_DETAIL_LISTED_VERSIONS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/padded_number.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/view/detail/checked_file.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// Where a replay began to read a partition; `input` counts the inputs as they were given.
struct start_offset {
    std::uint32_t input = 0;
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;

    friend bool operator==(start_offset const&, start_offset const&) = default;
};
/// A version that the folder holds.
struct listed_version {
    std::uint64_t number = 0;
    std::string logic_version;
    std::uint64_t based_on = 0;
    event_time begun;
    std::vector<std::string> certified;  // the names that pin it
    std::vector<start_offset> starts;    // none: where the inputs begin

    friend bool operator==(listed_version const&, listed_version const&) = default;
};
/// From then on that version was the current one.
struct cut_over_entry {
    std::uint64_t version = 0;
    event_time since;

    friend bool operator==(cut_over_entry const&, cut_over_entry const&) = default;
};
/// What the file CURRENT says: one write of it is the only way in which anything about the versions changes.
struct listed_versions {
    std::uint64_t generation = 0;   // grows with every write
    std::uint64_t current = 0;      // the version that readers are given; 0: none yet
    std::uint64_t next = 1;         // the number of the next version
    std::uint64_t canary = 0;       // the version that some of the keys are read from; 0: none
    std::uint32_t canary_share = 0; // of 10'000 keys so many
    std::vector<listed_version> versions;
    std::vector<cut_over_entry> history;
    std::string owner;              // what a deployment has written down

    [[nodiscard]] listed_version* find(std::uint64_t number) {
        for (auto& each : versions) {
            if (each.number == number) return &each;
        }
        return nullptr;
    }
    [[nodiscard]] listed_version const* find(std::uint64_t number) const {
        return const_cast<listed_versions*>(this)->find(number);
    }
    void erase(std::uint64_t number) {
        std::erase_if(versions, [&](listed_version const& each) { return each.number == number; });
        if (canary == number) canary = canary_share = 0;
        // Nobody can ask for what was before the first version that is there: a prefix goes.
        auto const first = std::find_if(history.begin(), history.end(),
            [&](cut_over_entry const& each) { return find(each.version) != nullptr; });
        history.erase(history.begin(), first);
    }
};
}  // namespace driftless::inline v0::detail

BOOST_HANA_ADAPT_STRUCT(driftless::detail::start_offset, input, partition, offset);
BOOST_HANA_ADAPT_STRUCT(driftless::detail::listed_version, number, logic_version, based_on, begun, certified, starts);
BOOST_HANA_ADAPT_STRUCT(driftless::detail::cut_over_entry, version, since);
BOOST_HANA_ADAPT_STRUCT(driftless::detail::listed_versions, generation, current, next, canary, canary_share, versions,
    history, owner);

namespace driftless::inline v0::detail {
inline constexpr std::string_view listed_versions_magic = "DRFTVERS";
inline constexpr std::uint32_t listed_versions_format = 1;
inline constexpr std::string_view listed_versions_name = "CURRENT";
inline constexpr std::string_view versions_name = "versions";

inline void write_listed_versions(std::string const& folder, listed_versions const& list, file_system& files) {
    auto const content = driftless::encode(list);
    auto const head = checked_head(listed_versions_magic, listed_versions_format, content);
    std::string_view const pieces[] = {head, content};
    write_whole_file(folder, std::string{listed_versions_name}, pieces, 2, files);
}
/// Nothing where there is no such file.
inline std::optional<listed_versions> read_listed_versions(std::string const& folder, file_system& files) {
    auto const path = folder + "/" + std::string{listed_versions_name};
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return std::nullopt;
    auto const content =
        checked_content(*bytes, listed_versions_magic, listed_versions_format, "the list of versions of a view", path);
    return driftless::decode<listed_versions>(content);
}

inline std::string versions_folder(std::string const& folder) { return folder + "/" + std::string{versions_name}; }
/// The folder of a version.
inline std::string version_folder(std::string const& folder, std::uint64_t number) {
    return versions_folder(folder) + "/" + padded_number(number);
}

/// Removes a folder with all that is in it.
inline void remove_tree(std::string const& path, file_system& files) {
    for (auto const& each : files.list(path)) {
        auto const inside = path + "/" + each.name;
        if (each.folder) remove_tree(inside, files);
        else files.remove(inside);
    }
    files.remove(path);
}

/// The list as it is on disk, for whoever writes it. What it does not name is removed, and what it names has a folder.
///
/// Errors      corrupt where it is damaged, or is missing and there is something in the folder of a version: that is
///             empty until the list names it.
inline listed_versions take_up_versions(std::string const& folder, file_system& files) {
    auto const versions = versions_folder(folder);
    auto list = read_listed_versions(folder, files);
    for (auto const& each : files.list(versions)) {
        auto const path = versions + "/" + each.name;
        if (!list && each.folder && !files.list(path).empty()) {
            throw error{error_code::corrupt,
                "the list of versions of a view is missing, and there are versions: bring it back from a copy, or move "
                "the folder away",
                folder + "/" + std::string{listed_versions_name}};
        }
        bool const named = list && std::any_of(list->versions.begin(), list->versions.end(), [&](auto const& one) {
            return each.name == padded_number(one.number);
        });
        if (!named) remove_tree(path, files);
    }
    if (!list) return {};
    // One that was named before its folder was safe is empty.
    for (auto const& one : list->versions) files.make_folder(version_folder(folder, one.number));
    return *std::move(list);
}
}  // namespace driftless::inline v0::detail
#endif
