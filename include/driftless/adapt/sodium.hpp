// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_SODIUM_HPP
#define DRIFTLESS_ADAPT_SODIUM_HPP

#include <driftless/codec/cipher.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/key_store.hpp>

#include <cstddef>
#include <string_view>

#include <sodium.h>

namespace driftless::inline v0 {

/// XChaCha20-Poly1305 by libsodium: nonces of 24 bytes, drawn at random for each value.
///
/// Errors      unsupported where libsodium cannot start (no source of random numbers).
/// Threads     Any number.
/// Complexity  O(bytes).
/// Source      IETF draft-irtf-cfrg-xchacha-03; libsodium, crypto_aead_xchacha20poly1305_ietf.
struct sodium_cipher {
    static constexpr std::string_view name = "xchacha20poly1305";
    static constexpr std::size_t key_size = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
    static constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
    static constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;

    // NOLINTBEGIN(bugprone-suspicious-stringview-data-usage): their sizes are the next arguments
    static void seal(char* out, std::string_view plain, std::string_view beside, char const* nonce, char const* key) {
        start();
        crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(out), nullptr, bytes(plain.data()), plain.size(),
            bytes(beside.data()), beside.size(), nullptr, bytes(nonce), bytes(key));
    }
    static bool open(char* out, std::string_view sealed, std::string_view beside, char const* nonce, char const* key) {
        start();
        return crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(out), nullptr, nullptr, bytes(sealed.data()),
                   sealed.size(), bytes(beside.data()), beside.size(), bytes(nonce), bytes(key))
            == 0;
    }
    // NOLINTEND(bugprone-suspicious-stringview-data-usage)
    static void random(char* out, std::size_t size) {
        start();
        randombytes_buf(out, size);
    }
    static void wipe(char* at, std::size_t size) noexcept { sodium_memzero(at, size); }

private:
    static void start() {
        static int const started = sodium_init();
        if (started < 0) {
            throw error{error_code::unsupported,
                "libsodium does not start: the system has no source of random numbers"};
        }
    }
    static unsigned char* bytes(char* at) noexcept { return reinterpret_cast<unsigned char*>(at); }
    static unsigned char const* bytes(char const* at) noexcept { return reinterpret_cast<unsigned char const*>(at); }
};
static_assert(value_cipher<sodium_cipher>);

/// The key store to use: log/key_store.hpp with libsodium.
using sodium_key_store = key_store<sodium_cipher>;
/// The key that wraps the keys of a store.
using sodium_key = secret_key<sodium_cipher>;
}  // namespace driftless::inline v0
#endif
