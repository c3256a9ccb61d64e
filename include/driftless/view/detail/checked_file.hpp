// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_CHECKED_FILE_HPP
#define DRIFTLESS_VIEW_DETAIL_CHECKED_FILE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {
/// What stands before the content of a file: eight letters that say what it is, the format, a checksum.
inline constexpr std::size_t checked_head_size = 8 + 4 + 8;

inline std::string checked_head(std::string_view magic, std::uint32_t format, std::string_view content) {
    std::string out{magic};
    byte_writer head{out};
    head.put_fixed32(format);
    head.put_fixed64(xxh3_64(content.data(), content.size(), format));
    return out;
}

/// The content of such a file.
///
/// Errors      corrupt (other bytes than were written), unsupported (a newer format), with the path.
inline std::string_view checked_content(
    std::string_view bytes, std::string_view magic, std::uint32_t newest, std::string_view what,
    std::string const& path) {
    if (bytes.size() < checked_head_size || !bytes.starts_with(magic)) {
        throw error{error_code::corrupt, sentence({"this is not ", what, ", or its beginning is damaged"}), path};
    }
    byte_reader head{bytes.substr(magic.size())};
    auto const format = head.get_fixed32();
    auto const sum = head.get_fixed64();
    auto const content = bytes.substr(checked_head_size);
    if (sum != xxh3_64(content.data(), content.size(), format)) {
        throw error{error_code::corrupt, sentence({what, " is damaged: its checksum does not fit"}), path};
    }
    if (format == 0 || format > newest) {
        throw error{error_code::unsupported,
            sentence({what, " has format ", std::uint64_t{format}, ", this build reads formats up to ",
                std::uint64_t{newest}, ": use a newer driftless"}),
            path};
    }
    return content;
}
}  // namespace driftless::inline v0::detail
#endif
