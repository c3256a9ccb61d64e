// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_UTF8_HPP
#define DRIFTLESS_CORE_DETAIL_UTF8_HPP

#include <cstddef>
#include <string_view>

namespace driftless::inline v0::detail {
/// The length of the UTF-8 character at the start of `bytes`; 0 if there is none.
inline std::size_t utf8_length(std::string_view bytes) noexcept {
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    auto const first = at(0);
    if (first < 0x80) return 1;
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3
                                                                 : 2;
    if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) return 0;
    }
    // Longer than needed, a surrogate, or past U+10FFFF.
    if ((first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f) || (first == 0xf0 && at(1) < 0x90)
        || (first == 0xf4 && at(1) > 0x8f)) {
        return 0;
    }
    return length;
}
}  // namespace driftless::inline v0::detail
#endif
