// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_SEALED_VALUE_HPP
#define DRIFTLESS_LOG_DETAIL_SEALED_VALUE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/cipher.hpp>
#include <driftless/codec/subject.hpp>
#include <driftless/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The bytes of a sealed value, format 1:
//   format u8, generation varint, key id u64, schema (varint, bytes), nonce, ciphertext and tag
// The cipher also binds the subject, and all that stands before the nonce.

namespace driftless::inline v0::detail {

inline constexpr std::uint8_t sealed_format = 1;

/// What stands before the nonce.
struct sealed_head {
    std::uint64_t generation = 0;
    std::uint64_t key = 0;
    std::string_view schema;
    std::size_t size = 0;  // in bytes

    void write(std::string& out) const {
        byte_writer to{out};
        to.put_byte(sealed_format);
        to.put_varint(generation);
        to.put_fixed64(key);
        to.put_varint(schema.size());
        to.put_bytes(schema);
    }
    /// Errors      malformed; unsupported for a later format.
    static sealed_head read(std::string_view sealed) {
        byte_reader from{sealed};
        sealed_head out;
        if (auto const format = from.get_byte(); format != sealed_format) {
            throw error{error_code::unsupported,
                "an encrypted value has format " + std::to_string(format) + ", this build reads format "
                    + std::to_string(sealed_format) + ": use a newer driftless, unless its bytes are damaged"};
        }
        out.generation = from.get_varint();
        out.key = from.get_fixed64();
        out.schema = from.get_bytes(from.get_count());
        out.size = static_cast<std::size_t>(from.offset());
        return out;
    }
};

/// What the cipher binds beside the value.
inline std::string beside_of(subject_id const& subject, std::string_view head) {
    std::string out{"driftless value"};
    byte_writer to{out};
    to.put_varint(subject.bytes().size());
    to.put_bytes(subject.bytes());
    to.put_bytes(head);
    return out;
}

template <value_cipher Cipher>
std::string seal_value(sealed_head const& head, subject_id const& subject, std::string_view plain,
    secret_key<Cipher> const& key) {
    std::string out;
    head.write(out);
    auto const beside = beside_of(subject, out);
    auto const nonce = out.size();
    out.resize(nonce + Cipher::nonce_size + plain.size() + Cipher::tag_size);
    Cipher::random(out.data() + nonce, Cipher::nonce_size);
    Cipher::seal(out.data() + nonce + Cipher::nonce_size, plain, beside, out.data() + nonce, key.data());
    return out;
}
/// False if it was sealed otherwise.
template <value_cipher Cipher>
bool open_value(std::string_view sealed, sealed_head const& head, subject_id const& subject,
    secret_key<Cipher> const& key, std::string& plain) {
    auto const rest = sealed.substr(head.size);
    if (rest.size() < Cipher::nonce_size + Cipher::tag_size) return false;
    auto const box = rest.substr(Cipher::nonce_size);
    plain.resize(box.size() - Cipher::tag_size);
    return Cipher::open(plain.data(), box, beside_of(subject, sealed.substr(0, head.size)), rest.data(), key.data());
}
}  // namespace driftless::inline v0::detail
#endif
