// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_CIPHER_HPP
#define DRIFTLESS_CODEC_CIPHER_HPP

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// A cipher that seals a value: nobody without the key learns what it is, and nobody changes it, or the data beside
/// it, unseen. adapt/sodium.hpp has one.
///
/// name          of it, for files; other bytes need another name
/// key_size, nonce_size, tag_size   in bytes; a nonce that is drawn at random never comes twice: 24 bytes are enough
/// seal(out, plain, beside, nonce, key)    writes plain.size() + tag_size bytes
/// open(out, sealed, beside, nonce, key)   writes sealed.size() - tag_size bytes; false: the key, the data beside it or
///                                         the bytes are others than those it was sealed with
/// random(out, size)   bytes that nobody can guess
/// wipe(at, size)      zeroes, also where nobody will read them
template <class C>
concept value_cipher = requires(char* out, char const* in, std::string_view bytes, std::size_t size) {
    { C::name } -> std::convertible_to<std::string_view>;
    { C::key_size } -> std::convertible_to<std::size_t>;
    { C::nonce_size } -> std::convertible_to<std::size_t>;
    { C::tag_size } -> std::convertible_to<std::size_t>;
    C::seal(out, bytes, bytes, in, in);
    { C::open(out, bytes, bytes, in, in) } -> std::same_as<bool>;
    C::random(out, size);
    C::wipe(out, size);
};

/// The bytes of a key, wiped when it ends, and when another takes its place.
template <value_cipher Cipher>
class secret_key {
    std::array<char, Cipher::key_size> bytes_{};

public:
    secret_key() = default;
    secret_key(secret_key const&) = default;
    secret_key& operator=(secret_key const&) = default;
    ~secret_key() { Cipher::wipe(bytes_.data(), bytes_.size()); }

    /// A new one, drawn at random.
    [[nodiscard]] static secret_key make() {
        secret_key out;
        Cipher::random(out.bytes_.data(), out.bytes_.size());
        return out;
    }
    [[nodiscard]] char* data() noexcept { return bytes_.data(); }
    [[nodiscard]] char const* data() const noexcept { return bytes_.data(); }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return Cipher::key_size; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
};

namespace detail {
/// A string whose bytes are wiped before they are given back: what a value was before it was sealed.
template <value_cipher Cipher>
class wiped_string {
    std::string bytes_;

public:
    wiped_string() = default;
    explicit wiped_string(std::size_t size) : bytes_(size, '\0') {}
    wiped_string(wiped_string const&) = delete;
    wiped_string& operator=(wiped_string const&) = delete;
    ~wiped_string() { Cipher::wipe(bytes_.data(), bytes_.capacity()); }
    [[nodiscard]] std::string& bytes() noexcept { return bytes_; }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
