// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_ZSTD_HPP
#define DRIFTLESS_ADAPT_ZSTD_HPP

#include <driftless/log/compressor.hpp>

#include <cstddef>

#include <zstd.h>

namespace driftless::inline v0::detail {

/// Logs of this program may be compressed with zstd, level 1: whoever includes this header can write and read them.
///
/// Errors      None of its own: what does not get smaller is stored as it is; bytes that are no zstd frame of the
///             expected size are reported by the log as malformed.
/// Complexity  O(bytes).
/// Source      RFC 8878; libzstd.
inline constexpr compressor zstd_compressor{
    [](std::size_t size) -> std::size_t { return ZSTD_compressBound(size); },
    [](char* out, std::size_t room, char const* in, std::size_t size) -> std::size_t {
        auto const packed = ZSTD_compress(out, room, in, size, 1);
        return ZSTD_isError(packed) != 0 ? 0 : packed;
    },
    [](char* out, std::size_t out_size, char const* in, std::size_t size) {
        return ZSTD_decompress(out, out_size, in, size) == out_size;  // an error is a huge number
    }};
inline bool const zstd_is_there = (compressors[static_cast<std::size_t>(compression::zstd)] = &zstd_compressor, true);
}  // namespace driftless::inline v0::detail
#endif
