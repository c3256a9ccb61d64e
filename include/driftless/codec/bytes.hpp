// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_BYTES_HPP
#define DRIFTLESS_CODEC_BYTES_HPP

#include <driftless/codec/varint.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

template <class T>
struct codec;  // codec/codec.hpp

/// Appends encoded values to a std::string that the caller owns.
///
/// Errors      std::bad_alloc.
/// Complexity  Amortised O(bytes written).
class byte_writer {
    std::string* out_;

public:
    explicit byte_writer(std::string& out) noexcept : out_(&out) {}

    void put_byte(std::uint8_t byte) { out_->push_back(static_cast<char>(byte)); }
    /// The bytes as they are, without a length.
    void put_bytes(std::string_view bytes) { out_->append(bytes.data(), bytes.size()); }
    void put_varint(std::uint64_t value) {
        if (value < 0x80) return out_->push_back(static_cast<char>(value));
        char bytes[max_varint_size];
        out_->append(bytes, static_cast<std::size_t>(write_varint(bytes, value) - bytes));
    }
    void put_zigzag(std::int64_t value) { put_varint(zigzag(value)); }
    /// A fixed number of bytes, the lowest first.
    void put_fixed32(std::uint32_t value) { put_fixed(value); }
    void put_fixed64(std::uint64_t value) { put_fixed(value); }

    /// Any encodable value; can be chained: writer.write(a).write(b). Needs codec/codec.hpp.
    template <class T>
    byte_writer& write(T const& value) {
        codec<T>::write(*this, value);
        return *this;
    }

    /// Everything in the string, including what was there before this writer.
    [[nodiscard]] std::string_view bytes() const noexcept { return *out_; }
    [[nodiscard]] std::size_t size() const noexcept { return out_->size(); }

private:
    template <class Unsigned>
    void put_fixed(Unsigned value) {
        char bytes[sizeof(Unsigned)];
        for (std::size_t i = 0; i < sizeof(Unsigned); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
        out_->append(bytes, sizeof(Unsigned));
    }
};

/// Reads encoded values from bytes that the caller owns; text that is read points into them.
///
/// Errors      Malformed bytes, whatever they are: driftless::error with code malformed and the offset of the first
///             byte that could not be read, counted from the first byte of the reader plus `base`. Never reads past
///             the end, never asks for more memory than the bytes that remain can justify.
/// Complexity  O(bytes read).
class byte_reader {
    char const* first_;
    char const* at_;
    char const* end_;
    std::uint64_t base_;

public:
    explicit byte_reader(std::string_view bytes, std::uint64_t base = 0) noexcept
        : first_(bytes.data()), at_(first_), end_(first_ + bytes.size()), base_(base) {}

    [[nodiscard]] std::uint8_t get_byte() {
        if (at_ == end_) ended();
        return static_cast<std::uint8_t>(*at_++);
    }
    /// The next `size` bytes, borrowed.
    [[nodiscard]] std::string_view get_bytes(std::size_t size) {
        if (size > remaining()) ended();
        std::string_view const bytes{at_, size};
        at_ += size;
        return bytes;
    }
    [[nodiscard]] std::uint64_t get_varint() {
        if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) return static_cast<unsigned char>(*at_++);
        std::uint64_t value = 0;
        auto const after = read_varint(at_, end_, value);
        if (after == nullptr) fail("a varint is cut short, longer than needed or longer than 64 bits");
        at_ = after;
        return value;
    }
    [[nodiscard]] std::int64_t get_zigzag() { return unzigzag(get_varint()); }
    [[nodiscard]] std::uint32_t get_fixed32() { return get_fixed<std::uint32_t>(); }
    [[nodiscard]] std::uint64_t get_fixed64() { return get_fixed<std::uint64_t>(); }
    /// The length of something that follows, of whose elements each takes at least `least` bytes (not 0): refused
    /// before anything is allocated if so many cannot follow.
    [[nodiscard]] std::size_t get_count(std::size_t least = 1) {
        auto const before = at_;
        std::uint64_t const count = get_varint();
        if (count > remaining() / least) {
            at_ = before;
            fail("a length exceeds the bytes that follow");
        }
        return static_cast<std::size_t>(count);
    }

    /// Any encodable value, into an object that exists; can be chained: reader.read(a).read(b).
    template <class T>
    byte_reader& read(T& value) {
        codec<T>::read(*this, value);
        return *this;
    }
    /// Any encodable value that can be default-constructed.
    template <class T>
    [[nodiscard]] T read() {
        T value{};
        codec<T>::read(*this, value);
        return value;
    }

    [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    /// Bytes read so far, plus `base`: what errors report.
    [[nodiscard]] std::uint64_t offset() const noexcept { return base_ + static_cast<std::uint64_t>(at_ - first_); }
    /// Refuses what is left over.
    void expect_end() {
        if (!at_end()) fail("bytes are left over after the value");
    }
    /// Throws error_code::malformed at the present offset; for codecs of users too.
    [[noreturn]] DRIFTLESS_NOINLINE void fail(char const* sentence) const {
        throw error{error_code::malformed, sentence, {}, offset()};
    }

private:
    [[noreturn]] DRIFTLESS_NOINLINE void ended() const { fail("the bytes end inside a value"); }
    template <class Unsigned>
    Unsigned get_fixed() {
        auto const bytes = get_bytes(sizeof(Unsigned));
        Unsigned value = 0;
        for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
            value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        return value;
    }
};
}  // namespace driftless::inline v0
#endif
