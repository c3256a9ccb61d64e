// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_VARINT_HPP
#define DRIFTLESS_CODEC_VARINT_HPP

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// The most bytes a varint of 64 bits takes.
inline constexpr std::size_t max_varint_size = 10;

/// Signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
///
/// Source      Protocol Buffers, "Encoding": ZigZag.
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
/// The inverse of zigzag.
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

/// The number of bytes of a varint, 1 to 10.
constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
}

/// Writes a varint to `out`, which has room for max_varint_size bytes; returns the end of what was written.
///
/// Source      DWARF 4, section 7.6: unsigned LEB128, seven bits to a byte, the lowest first.
constexpr char* write_varint(char* out, std::uint64_t value) noexcept {
    for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
    *out++ = static_cast<char>(value);
    return out;
}

/// Reads a varint from [at, end) into `value`; returns the byte after it, or null if it is malformed.
///
/// Errors      Null, and `value` unchanged: the bytes end inside the number, it has more than 64 bits, or it is longer
///             than needed (80 00). So every number has exactly one encoding.
/// Complexity  O(1): at most 10 bytes are looked at.
constexpr char const* read_varint(char const* at, char const* end, std::uint64_t& value) noexcept {
    std::uint64_t sum = 0;
    for (unsigned shift = 0; at != end; shift += 7) {
        auto const byte = static_cast<unsigned char>(*at++);
        if (shift == 63 && byte > 1) return nullptr;
        sum |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift != 0) return nullptr;
            value = sum;
            return at;
        }
    }
    return nullptr;
}
}  // namespace driftless::inline v0
#endif
