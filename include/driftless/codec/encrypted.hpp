// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_ENCRYPTED_HPP
#define DRIFTLESS_CODEC_ENCRYPTED_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/untyped_value.hpp>
#include <driftless/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A value sealed with the key of a subject: the bytes of a record that only who has the key store can read, and nobody
/// any more once the subject is erased.
///
/// Subject     the type of the id whose key seals it, most often that of another member of the record
/// T           what is in it; owns its text
/// Room        0: any number of bytes, kept in a std::string. Else the record keeps so many bytes, and has one size:
///             for the rows layout. Sealed are 60 bytes more than the codec of T writes, and the schema of T.
///
/// Shape       A field of a record. It is sealed in memory as it is on disk: logs, state, snapshots, journals and sinks
///             hold what is sealed, and nothing else. keys.seal(field, subject, value) fills it, keys.open(field,
///             subject) reads it (codec/subject_keys.hpp). Two that were sealed from one value differ: seal on the way
///             into the log, not in a pipeline. One that nothing was sealed into is empty().
/// Schema      encrypted(T), encrypted(T;Room). Inside, T evolves as any record does: the schema it was sealed with
///             stands beside it.
/// Errors      Compile time: T has no codec, no schema, or borrows its text.
/// Example     examples/erasure.cpp
template <class Subject, class T, std::size_t Room = 0>
class encrypted {
    static_assert(Room == 0 || (Room >= 64 && Room < 65536),
        "driftless: encrypted<Subject, T, Room> has a Room of 64 to 65535 bytes, or 0 for any size");
    static constexpr bool fixed = Room != 0;

    std::conditional_t<fixed, std::array<char, Room>, std::string> bytes_{};  // fixed: the size, 2 bytes, comes first

public:
    using subject_type = Subject;
    using value_type = T;
    static constexpr std::size_t room = Room;

    encrypted() = default;
    /// Takes what sealed() said of one. Whether it is what somebody sealed shows when it is opened.
    ///
    /// Errors      invalid_argument if it does not fit the room.
    [[nodiscard]] static encrypted from_sealed(std::string_view sealed) {
        encrypted out;
        if constexpr (fixed) {
            if (sealed.size() > Room - 2) throw_no_room(sealed.size());
            out.bytes_[0] = static_cast<char>(sealed.size() & 0xff);
            out.bytes_[1] = static_cast<char>(sealed.size() >> 8);
            if (!sealed.empty()) std::memcpy(out.bytes_.data() + 2, sealed.data(), sealed.size());
        } else {
            out.bytes_ = sealed;
        }
        return out;
    }
    /// The bytes that are kept.
    [[nodiscard]] std::string_view sealed() const noexcept {
        if constexpr (fixed) {
            auto const size = detail::sealed_size_in({bytes_.data(), Room});
            return {bytes_.data() + 2, size == detail::no_sealed_size ? Room - 2 : size};
        } else {
            return bytes_;
        }
    }
    [[nodiscard]] bool empty() const noexcept { return sealed().empty(); }
    /// There is no value without keys.
    template <class Never = void>
    [[nodiscard]] T value() const {
        static_assert(!std::is_void_v<Never>,
            "driftless: an encrypted value is read with the keys of its subjects: keys.open(field, subject), or "
            "keys.open(record, &record::field)");
        return T{};
    }
    friend bool operator==(encrypted const&, encrypted const&) = default;

    // What the codec does.
    void write_sealed(byte_writer& to) const {
        if constexpr (fixed) {
            to.put_bytes({bytes_.data(), Room});
        } else {
            to.put_varint(bytes_.size());
            to.put_bytes(bytes_);
        }
    }
    void read_sealed(byte_reader& from) {
        static_assert(encodable<T> && describable<T> && !has_text<T>,
            "driftless: encrypted<Subject, T> needs a T that codec and schema know, and that owns its text: "
            "std::string, not text");
        if constexpr (fixed) {
            auto const before = from;
            auto const bytes = from.get_bytes(Room);
            if (detail::sealed_size_in(bytes) == detail::no_sealed_size)
                before.fail("what an encrypted value holds does not fit its room");
            std::memcpy(bytes_.data(), bytes.data(), Room);  // NOLINT(bugprone-suspicious-stringview-data-usage)
        } else {
            bytes_ = from.get_bytes(from.get_count());
        }
    }

private:
    [[noreturn]] static void throw_no_room(std::size_t size) {
        throw error{error_code::invalid_argument,
            "a sealed value has " + std::to_string(size) + " bytes, and its field has room for "
                + std::to_string(Room - 2) + ": give it encrypted<Subject, T, " + std::to_string(size + 2)
                + "> at least, or encrypted<Subject, T> for any size"};
    }
};

namespace detail {
template <class Subject, class T, std::size_t Room>
inline constexpr value_shape template_shape<encrypted<Subject, T, Room>> = value_shape::sealed;
}  // namespace detail

/// What came of opening an encrypted value.
enum class opened_state : std::uint8_t {
    value,   ///< it is there
    erased,  ///< the key of its subject was destroyed: it was there, and nobody can say what it was
    empty,   ///< nothing was ever sealed into the field
};

/// What was in an encrypted field, or why nothing is.
///
/// Errors      value() where there is none: not_there.
template <class T>
class opened {
    T value_{};
    opened_state state_ = opened_state::empty;

public:
    explicit opened(opened_state state) : state_(state) {}
    explicit opened(T value) : value_(std::move(value)), state_(opened_state::value) {}

    [[nodiscard]] opened_state state() const noexcept { return state_; }
    [[nodiscard]] bool has_value() const noexcept { return state_ == opened_state::value; }
    [[nodiscard]] bool is_erased() const noexcept { return state_ == opened_state::erased; }
    [[nodiscard]] bool is_empty() const noexcept { return state_ == opened_state::empty; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] T const& value() const {
        if (has_value()) return value_;
        throw error{error_code::not_there,
            is_erased() ? "the value was erased with its subject: ask is_erased() first"
                        : "nothing was sealed into the field: ask is_empty() first"};
    }
    [[nodiscard]] T const& operator*() const { return value(); }
    [[nodiscard]] T value_or(T other) const { return has_value() ? value_ : other; }
    friend bool operator==(opened const&, opened const&) = default;
};
}  // namespace driftless::inline v0
#endif
