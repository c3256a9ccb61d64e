// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DIRECTORY_PARTS_HPP
#define DRIFTLESS_IO_DIRECTORY_PARTS_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/file/padded_number.hpp>
#include <driftless/file/real_files.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A file of committed rows: what a sink was given between two snapshots. Its name is JOB.SINK.SNAPSHOT.EXTENSION.
struct directory_part {
    std::string path;
    std::string job;
    std::string sink;
    std::uint64_t snapshot = 0;
    std::string extension;
};

namespace detail {
inline std::string part_name(std::string const& owner, std::uint64_t n, std::string_view extension) {
    return (owner + "." + padded_number(n) + ".").append(extension);
}
/// Read from the right, since the name of a job may have dots. Nothing if it is another file.
inline std::optional<directory_part> part_of_name(std::string_view name) {
    std::string_view piece[3];  // extension, number, sink
    for (auto& each : piece) {
        auto const dot = name.rfind('.');
        if (dot == std::string_view::npos) return std::nullopt;
        each = name.substr(dot + 1);
        name = name.substr(0, dot);
    }
    auto const digits = piece[1];
    directory_part out;
    auto const [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), out.snapshot);
    bool const number = digits.size() >= 12 && problem == std::errc{} && stop == digits.data() + digits.size();
    if (!number || name.empty() || piece[2].empty() || piece[0].empty()) return std::nullopt;
    out.job = name;
    out.sink = piece[2];
    out.extension = piece[0];
    return out;
}
}  // namespace detail

/// The committed parts in the folder of a directory_sink, those of each job and sink in the order of their snapshots.
///
/// A part never changes. One that is listed stays; a job that is started again adds others behind it.
///
/// Errors      error{io} with the path. A folder that is not there has no parts.
/// Complexity  O(files log files).
[[nodiscard]] inline std::vector<directory_part> directory_parts(
    std::string const& folder, file_system& files = real_files()) {
    std::vector<directory_part> out;
    for (auto const& each : files.list(folder)) {
        if (each.folder) continue;
        auto part = detail::part_of_name(each.name);
        if (!part) continue;
        part->path = folder + "/" + each.name;
        out.push_back(std::move(*part));
    }
    std::sort(out.begin(), out.end(), [](directory_part const& a, directory_part const& b) {
        return std::tie(a.job, a.sink, a.snapshot) < std::tie(b.job, b.sink, b.snapshot);
    });
    return out;
}
}  // namespace driftless::inline v0
#endif
