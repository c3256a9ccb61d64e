// SPDX-License-Identifier: BSL-1.0
// A cipher for tests that need none: it hides bytes and sees changes, and anybody can break it. What it draws at random
// is counted, so that a test runs the same way each time.
#ifndef DRIFTLESS_TESTS_SUPPORT_TOY_CIPHER_HPP
#define DRIFTLESS_TESTS_SUPPORT_TOY_CIPHER_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/cipher.hpp>
#include <driftless/log/key_store.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace toy {
struct cipher {
    static constexpr std::string_view name = "toy";
    static constexpr std::size_t key_size = 16;
    static constexpr std::size_t nonce_size = 8;
    static constexpr std::size_t tag_size = 8;
    static inline std::uint64_t drawn = 0;
    static inline std::size_t wiped = 0;

    static void seal(char* out, std::string_view plain, std::string_view beside, char const* nonce, char const* key) {
        auto const tag = tag_of(plain, beside, nonce, key);
        for (std::size_t i = 0; i < plain.size(); ++i) out[i] = static_cast<char>(plain[i] ^ stream(i, nonce, key));
        std::memcpy(out + plain.size(), &tag, sizeof tag);
    }
    static bool open(char* out, std::string_view sealed, std::string_view beside, char const* nonce, char const* key) {
        auto const size = sealed.size() - tag_size;
        for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(sealed[i] ^ stream(i, nonce, key));
        auto const tag = tag_of({out, size}, beside, nonce, key);
        return std::memcmp(sealed.data() + size, &tag, sizeof tag) == 0;
    }
    static void random(char* out, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            ++drawn;
            out[i] = static_cast<char>(driftless::xxh3_64(&drawn, sizeof drawn, 7));
        }
    }
    static void wipe(char* at, std::size_t size) {
        std::memset(at, 0, size);
        wiped += size;
    }

private:
    static char stream(std::size_t i, char const* nonce, char const* key) {
        std::uint64_t const block = i / 8;
        auto const seed = driftless::xxh3_64(key, key_size, block);
        return static_cast<char>(driftless::xxh3_64(nonce, nonce_size, seed) >> (i % 8 * 8));
    }
    static std::uint64_t tag_of(std::string_view plain, std::string_view beside, char const* nonce, char const* key) {
        driftless::xxh3_64_stream sum{driftless::xxh3_64(key, key_size)};
        std::uint64_t const sizes[] = {plain.size(), beside.size()};
        sum.add(sizes, sizeof sizes);
        sum.add(plain.data(), plain.size());
        sum.add(beside.data(), beside.size());
        sum.add(nonce, nonce_size);
        return sum.value();
    }
};
using key = driftless::secret_key<cipher>;
using store = driftless::key_store<cipher>;

inline key master(char fill = 'm') {
    key out;
    std::memset(out.data(), fill, out.size());
    return out;
}
}  // namespace toy
#endif
