// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CORRECTION_FILES_HPP
#define DRIFTLESS_VIEW_DETAIL_CORRECTION_FILES_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/view/detail/checked_file.hpp>
#include <driftless/view/row_set.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// What a version that is a correction corrects: in its folder from before the version is named in CURRENT.
struct correction_note {
    event_time from;
    std::uint64_t corrects = 0;
    std::string why;
    std::string who;
};
}  // namespace driftless::inline v0::detail

BOOST_HANA_ADAPT_STRUCT(driftless::detail::correction_note, from, corrects, why, who);

namespace driftless::inline v0::detail {
inline constexpr std::string_view correction_name = "correction";
inline constexpr std::string_view correction_magic = "DRFTCORR";
inline constexpr std::uint32_t correction_format = 1;
inline constexpr std::string_view corrected_name = "corrected";
inline constexpr std::string_view corrected_magic = "DRFTFIXD";
inline constexpr std::uint32_t corrected_format = 1;

/// A file in the folder of a version, whole or not at all.
inline void write_checked(std::string const& folder, std::string_view name, std::string_view magic,
    std::uint32_t format, std::string_view content, file_system& files) {
    auto const head = checked_head(magic, format, content);
    std::string_view const pieces[] = {head, content};
    write_whole_file(folder, std::string{name}, pieces, 2, files);
}
inline void write_correction_note(std::string const& folder, correction_note const& note, file_system& files) {
    write_checked(folder, correction_name, correction_magic, correction_format, driftless::encode(note), files);
}
/// Nothing where the version is no correction.
inline std::optional<correction_note> read_correction_note(std::string const& folder, file_system& files) {
    auto const path = folder + "/" + std::string{correction_name};
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return std::nullopt;
    return driftless::decode<correction_note>(
        checked_content(*bytes, correction_magic, correction_format, "what a correction corrects", path));
}

/// One row on both sides: bytes that a row_set owns; either may be absent.
template <class K, class V>
struct row_difference {
    std::optional<set_row<K, V>> before;
    std::optional<set_row<K, V>> after;

    [[nodiscard]] set_row<K, V> const& any() const { return before ? *before : *after; }
};

template <class K, class V>
void write_corrected_rows(
    std::string const& folder, std::vector<row_difference<K, V>> const& rows, file_system& files) {
    std::string content;
    byte_writer out{content};
    out.write(static_cast<std::uint64_t>(rows.size()));
    for (auto const& each : rows) {
        out.write(each.any().key());
        out.write(each.any().window);
        for (auto const* const side : {&each.before, &each.after}) {
            out.put_byte(side->has_value() ? 1 : 0);
            if (*side) out.write((*side)->value());
        }
    }
    write_checked(folder, corrected_name, corrected_magic, corrected_format, content, files);
}
/// Calls f(key, window, before, after) for each row; the last two are optional.
template <class K, class V, class F>
void read_corrected_rows(std::string const& folder, file_system& files, F&& f) {
    auto const path = folder + "/" + std::string{corrected_name};
    auto const bytes = read_whole_file(path, files);
    if (!bytes) throw error{error_code::corrupt, "the rows that a correction has changed are missing", path};
    byte_reader in{checked_content(*bytes, corrected_magic, corrected_format, "a file of corrected rows", path)};
    std::uint64_t count = 0;
    in.read(count);
    for (; count != 0; --count) {
        K key{};
        time_window window;
        std::optional<V> sides[2];
        in.read(key).read(window);
        for (auto& side : sides) {
            if (in.get_byte() != 0) in.read(side.emplace());
        }
        f(std::move(key), window, std::move(sides[0]), std::move(sides[1]));
    }
    in.expect_end();
}
}  // namespace driftless::inline v0::detail
#endif
