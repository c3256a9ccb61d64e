// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SUBJECT_HPP
#define DRIFTLESS_CODEC_SUBJECT_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/schema.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class T>
concept names_its_subjects = requires { { T::subject_kind } -> std::convertible_to<std::string_view>; };
}  // namespace detail

/// What kind of subject the ids of type T name: `static constexpr std::string_view subject_kind = "customer";` in the
/// class of the id; else the schema of T. Ids of one kind are of one person, whatever table they are a key of: customer
/// 7 and order 7 need kinds of their own, or they are erased together.
template <class T>
[[nodiscard]] std::string const& subject_kind_of() {
    static std::string const kind = [] {
        if constexpr (detail::names_its_subjects<T>) return std::string{std::string_view{T::subject_kind}};
        else return schema_of<T>();
    }();
    return kind;
}

/// A subject, a person for instance, by kind and canonical key bytes: what its values are sealed for, and what is
/// erased.
class subject_id {
    std::string bytes_;  // kind, 00, key

public:
    subject_id() = default;
    /// The subject that a value of an id's type names.
    template <canonical_key T>
    [[nodiscard]] static subject_id of(T const& id) {
        subject_id out;
        out.bytes_ = subject_kind_of<T>();
        out.bytes_ += '\0';
        append_key_bytes(out.bytes_, id);
        return out;
    }
    /// What bytes() said of one.
    [[nodiscard]] static subject_id from_bytes(std::string_view bytes) {
        subject_id out;
        out.bytes_ = bytes;
        return out;
    }

    [[nodiscard]] std::string const& bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::string_view kind() const noexcept {
        return std::string_view{bytes_}.substr(0, bytes_.find('\0'));
    }
    /// Its canonical key bytes.
    [[nodiscard]] std::string_view key() const noexcept {
        auto const end = bytes_.find('\0');
        return end == std::string::npos ? std::string_view{} : std::string_view{bytes_}.substr(end + 1);
    }
    /// For people: the kind, then the key: as it is where it is printable text, else in hexadecimal digits.
    [[nodiscard]] std::string str() const {
        bool plain = !key().empty();
        for (char const c : key()) plain = plain && c > ' ' && c < '\x7f';
        std::string out{kind()};
        out += ' ';
        if (plain) return out += key();
        for (char const c : key()) {
            auto const byte = static_cast<unsigned char>(c);
            (out += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
        }
        return out;
    }
    friend bool operator==(subject_id const&, subject_id const&) = default;
    friend std::strong_ordering operator<=>(subject_id const& a, subject_id const& b) noexcept {
        return a.bytes_ <=> b.bytes_;
    }
};

namespace detail {
/// True where the id of a subject that has(bytes of it) says yes to stands in a key, in a pair, tuple or reflected
/// struct: of a type that names its kind, lest any number is taken for one.
///
/// scratch     room for the bytes
template <class Key, class Has>
bool has_subject_inside(Key const& key, std::string& scratch, Has const& has);

/// The same, or the key is itself such an id, of whatever type.
template <class Key, class Has>
bool names_subject(Key const& key, std::string& scratch, Has const& has) {
    if constexpr (canonical_key<Key>) {
        scratch = subject_kind_of<Key>();
        scratch += '\0';
        append_key_bytes(scratch, key);
        if (has(std::string_view{scratch})) return true;
    }
    return has_subject_inside(key, scratch, has);
}
template <class Key, class Has>
bool has_subject_inside([[maybe_unused]] Key const& key, [[maybe_unused]] std::string& scratch,
    [[maybe_unused]] Has const& has) {
    bool found = false;
    if constexpr (has_parts<Key>) {
        for_each_part(key, [&]<class Part>(Part const& part) {
            if constexpr (names_its_subjects<Part>) found = found || names_subject(part, scratch, has);
            else found = found || has_subject_inside(part, scratch, has);
        });
    }
    return found;
}

/// How many members of a record are ids of type Subject, and the index of the first.
template <class T, class Subject>
struct subject_members {
    static constexpr std::size_t count = []<std::size_t... I>(std::index_sequence<I...>) {
        return (std::size_t{0} + ... + (std::is_same_v<member_t<I, T>, Subject> ? 1U : 0U));
    }(std::make_index_sequence<member_count<T>>{});
    static constexpr std::size_t first = []<std::size_t... I>(std::index_sequence<I...>) {
        std::size_t at = sizeof...(I);
        ((std::is_same_v<member_t<I, T>, Subject> && at == sizeof...(I) ? void(at = I) : void()), ...);
        return at;
    }(std::make_index_sequence<member_count<T>>{});
};

/// The subject of a record: its only member of that type.
template <class Subject, class T>
Subject const& subject_in(T const& record) {
    using members = subject_members<T, Subject>;
    static_assert(members::count == 1,
        "driftless: the subject of a record is its one member of the type that encrypted<Subject, T> names: this "
        "record has none, or several; name the subject itself: keys.seal(field, subject, value), keys.open(field, "
        "subject)");
    return member<members::first>(record);
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
