// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_ROWS_FILE_HPP
#define DRIFTLESS_VIEW_DETAIL_ROWS_FILE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/checked_file.hpp>
#include <driftless/view/detail/listed_versions.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
// The rows of a version as of a snapshot of its job: `rows-NUMBER.prepared` until the snapshot is complete, then
// `rows-NUMBER`. The build, and then key, window and value of each row.
inline constexpr std::string_view rows_magic = "DRFTROWS";
inline constexpr std::uint32_t rows_format = 1;
inline constexpr std::string_view rows_beginning = "rows-";
inline constexpr std::string_view prepared_rows_ending = ".prepared";

inline std::string rows_name(std::uint64_t number, bool prepared) {
    auto out = std::string{rows_beginning} + padded_number(number);
    return prepared ? out += prepared_rows_ending : out;
}
/// The number in such a name; 0 if it is another one.
inline std::uint64_t number_of_rows(std::string_view name, bool prepared) {
    if (!name.starts_with(rows_beginning)) return 0;
    name.remove_prefix(rows_beginning.size());
    if (prepared) {
        if (!name.ends_with(prepared_rows_ending)) return 0;
        name.remove_suffix(prepared_rows_ending.size());
    }
    if (name.size() < 12 || name.size() > 19) return 0;
    std::uint64_t out = 0;
    for (char const c : name) {
        if (c < '0' || c > '9') return 0;
        out = out * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return out;
}
/// The newest rows in the folder of a version that belong to a complete snapshot; 0: none.
inline std::uint64_t newest_rows_in(std::string const& folder, file_system& files) {
    std::uint64_t newest = 0;
    for (auto const& each : files.list(folder)) {
        if (auto const n = number_of_rows(each.name, false); n > newest) newest = n;
    }
    return newest;
}

template <class K, class V, class View>
void write_rows(
    std::string const& folder, std::string const& name, build const& about, View const& rows, file_system& files) {
    std::string content;
    byte_writer out{content};
    out.write(about);
    each_row<K, V>(rows, [&](auto const& key, time_window window, auto const& value) {
        out.put_byte(1);
        out.write(key);
        out.write(window);
        out.write(value);
    });
    out.put_byte(0);
    auto const head = checked_head(rows_magic, rows_format, content);
    std::string_view const pieces[] = {head, content};
    write_whole_file(folder, name, pieces, 2, files);
}
/// Adds the rows of a file to a view; nothing where there is no such file.
template <class K, class V, class View>
std::optional<build> read_rows(
    std::string const& folder, std::string const& name, View& into, file_system& files) {
    auto const path = folder + "/" + name;
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return std::nullopt;
    byte_reader in{checked_content(*bytes, rows_magic, rows_format, "a file of the rows of a view", path)};
    std::optional<build> about{std::in_place};
    in.read(*about);
    pane<K, V> row;
    while (in.get_byte() != 0) {
        in.read(row.key);
        in.read(row.window);
        in.read(row.value);
        into.write(row);
    }
    in.expect_end();
    return about;
}
}  // namespace driftless::inline v0::detail
#endif
