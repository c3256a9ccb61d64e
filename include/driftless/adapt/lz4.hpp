// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_LZ4_HPP
#define DRIFTLESS_ADAPT_LZ4_HPP

#include <driftless/log/compressor.hpp>

#include <climits>
#include <cstddef>

#include <lz4.h>

namespace driftless::inline v0::detail {

/// Logs of this program may be compressed with lz4: whoever includes this header can write and read them.
///
/// Errors      None of its own: what does not get smaller is stored as it is; bytes that are no lz4 block of the
///             expected size are reported by the log as malformed.
/// Complexity  O(bytes); 16 KiB on the stack to write.
/// Source      LZ4 block format, Y. Collet; liblz4.
inline constexpr compressor lz4_compressor{
    [](std::size_t size) -> std::size_t {
        return size > LZ4_MAX_INPUT_SIZE ? 0 : static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(size)));
    },
    [](char* out, std::size_t room, char const* in, std::size_t size) -> std::size_t {
        if (size > LZ4_MAX_INPUT_SIZE) return 0;
        auto const most = static_cast<int>(room < INT_MAX ? room : INT_MAX);
        auto const packed = LZ4_compress_default(in, out, static_cast<int>(size), most);
        return packed < 0 ? 0 : static_cast<std::size_t>(packed);
    },
    [](char* out, std::size_t out_size, char const* in, std::size_t size) {
        if (size > INT_MAX || out_size > INT_MAX) return false;
        auto const got = LZ4_decompress_safe(in, out, static_cast<int>(size), static_cast<int>(out_size));
        return got >= 0 && static_cast<std::size_t>(got) == out_size;
    }};
inline bool const lz4_is_there = (compressors[static_cast<std::size_t>(compression::lz4)] = &lz4_compressor, true);
}  // namespace driftless::inline v0::detail
#endif
