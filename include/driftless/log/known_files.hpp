// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_KNOWN_FILES_HPP
#define DRIFTLESS_LOG_KNOWN_FILES_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/segment.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// A name in the folder of a log, and what is behind it.
struct known_file {
    std::string_view name;
    bool folder;
    std::string_view what;
};

/// Every name that a log gives out in its folder, but for partitions. A format that gains a file gains a line here.
inline constexpr known_file known_files[] = {
    {detail::log_identity::file_name, false, "what the log is"},
    {"lock", false, "held by the writer; empty"},
    {"progress", false, "how far it is durable"},
    {"copying", false, "a copy that is not finished"},
    {"compaction", false, "how far it is compacted by key"},
    {"readers", true, "registered readers"},
    {"groups", true, "groups of readers"},
    {"transactions", true, "transactions that are not decided"},
    {"sinks", true, "how far jobs have committed to the log"},
};

/// The line of a name in the folder of a log; null if a log makes no such file.
constexpr known_file const* find_known_file(std::string_view name) noexcept {
    for (auto const& each : known_files) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

/// The endings of what a log leaves beside its files.
using detail::spare_ending;
using detail::unfinished_ending;
inline constexpr std::string_view dropped_ending = ".dropped";  ///< cut out by repair, kept to look at

/// The number of a partition by its folder; nothing if it is none.
inline std::optional<std::uint32_t> partition_of(file_system::entry const& of) noexcept {
    if (!of.folder || of.name.size() != 6 || of.name[0] != 'p') return std::nullopt;
    std::uint32_t out = 0;
    for (char const c : std::string_view{of.name}.substr(1)) {
        if (c < '0' || c > '9') return std::nullopt;
        out = out * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (out >= detail::max_partitions) return std::nullopt;
    return out;
}
}  // namespace driftless::inline v0
#endif
