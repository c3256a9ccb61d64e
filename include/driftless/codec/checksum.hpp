// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_CHECKSUM_HPP
#define DRIFTLESS_CODEC_CHECKSUM_HPP

// The only header that includes xxHash: it costs a third of a second on GCC 12. Inlined, because
// the hash of a key whose size the compiler knows is then a handful of instructions.
#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
// Hardware that reads ahead begins anew in each page, and the 320 to 512 bytes of xxHash itself are too near to help.
// A number: it is for the preprocessor of xxHash.
#ifndef XXH_PREFETCH_DIST
#define XXH_PREFETCH_DIST 2048
#endif
#include <xxhash.h>

#include <cstddef>
#include <cstdint>

namespace driftless::inline v0 {

/// The XXH3-64 checksum of `size` bytes.
///
/// Errors      None; `data` may be null where `size` is 0.
/// Complexity  O(size); no allocation. The value is the same on every machine.
/// Source      Y. Collet, xxHash 0.8, XXH3_64bits_withSeed.
inline std::uint64_t xxh3_64(void const* data, std::size_t size, std::uint64_t seed = 0) noexcept {
    return seed == 0 ? XXH3_64bits(data, size) : XXH3_64bits_withSeed(data, size, seed);
}

/// XXH3-64 over bytes that come in pieces; value() is xxh3_64 of all of them together.
///
/// State       About 580 bytes, aligned to 64; meant for the stack.
/// Complexity  O(bytes added); no allocation. value() may be asked in between.
/// Source      Y. Collet, xxHash 0.8, XXH3_64bits_update.
class xxh3_64_stream {
    XXH3_state_t state_;

public:
    explicit xxh3_64_stream(std::uint64_t seed = 0) noexcept { reset(seed); }
    /// Forgets what was added and starts again.
    void reset(std::uint64_t seed = 0) noexcept {
        XXH3_INITSTATE(&state_);
        XXH3_64bits_reset_withSeed(&state_, seed);
    }
    void add(void const* data, std::size_t size) noexcept {
        if (size != 0) XXH3_64bits_update(&state_, data, size);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return XXH3_64bits_digest(&state_); }
};
}  // namespace driftless::inline v0
#endif
