// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_COMPRESSOR_HPP
#define DRIFTLESS_LOG_COMPRESSOR_HPP

#include <driftless/log/detail/format.hpp>

#include <cstddef>

namespace driftless::inline v0 {

/// How a log compresses the parts of its blocks. lz4 and zstd need adapt/lz4.hpp and adapt/zstd.hpp, to write and to
/// read.
using detail::compression;

namespace detail {
/// A compressor by its functions, so that the log needs no header of the library.
struct compressor {
    /// Room that is enough for `size` bytes compressed.
    std::size_t (*bound)(std::size_t size);
    /// Compresses; returns the size, 0 if it did not work out.
    std::size_t (*pack)(char* out, std::size_t room, char const* in, std::size_t size);
    /// Decompresses to exactly out_size bytes; false if that is not what they are.
    bool (*unpack)(char* out, std::size_t out_size, char const* in, std::size_t size);
};

/// By number of compression; filled by the headers in adapt/.
inline compressor const* compressors[3] = {};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
