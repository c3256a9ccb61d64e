// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_WHOLE_FILE_HPP
#define DRIFTLESS_FILE_WHOLE_FILE_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// Everything in a file; nothing if there is no such file.
///
/// Errors      driftless::error with code io and the path, for anything but a missing file.
inline std::optional<std::string> read_whole_file(std::string const& path, file_system& files = real_files()) {
    auto const from = files.open(path, open_mode::read);
    if (!from) return std::nullopt;
    std::string bytes;
    for (std::size_t room = 4096;; room *= 2) {  // the size a system reports may be wrong, as for pipes
        auto const before = bytes.size();
        bytes.resize(room);
        auto const got = from->read_at(before, bytes.data() + before, room - before);
        if (before + got < room) {
            bytes.resize(before + got);
            return bytes;
        }
    }
}

/// Replaces folder/name by these bytes, whole or not at all: written beside it, synced, renamed, folder synced.
///
/// Errors      driftless::error with code io and the path; the old file is then still there.
inline void write_whole_file(std::string const& folder, std::string const& file_name, std::string_view const* pieces,
    std::size_t count, file_system& files) {
    auto const path = folder + "/" + file_name;
    auto const beside = path + ".new";
    {
        auto const into = files.open(beside, open_mode::create);
        into->truncate(0);
        into->write_at(0, pieces, count);
        into->sync();
    }
    files.rename(beside, path);
    files.sync_folder(folder);
}
inline void write_whole_file(std::string const& folder, std::string const& file_name, std::string_view bytes,
    file_system& files = real_files()) {
    write_whole_file(folder, file_name, &bytes, 1, files);
}
}  // namespace driftless::inline v0
#endif
