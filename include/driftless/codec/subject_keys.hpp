// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_SUBJECT_KEYS_HPP
#define DRIFTLESS_CODEC_SUBJECT_KEYS_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/encrypted.hpp>
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/subject.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// The keys of subjects: seals values into encrypted fields and opens them. key_store (log/key_store.hpp) is one.
///
/// Errors      seal: not_there, the subject was erased and is not readmitted. open: not_there, there is no key and no
///             erasure either; mismatch, it was sealed with another key; corrupt, the bytes, the subject or the schema
///             beside them are others than those that were sealed; malformed.
/// Threads     Any number.
/// Complexity  A look-up, and O(bytes) of the cipher.
class subject_keys {
public:
    subject_keys() = default;
    subject_keys(subject_keys const&) = delete;
    subject_keys& operator=(subject_keys const&) = delete;
    virtual ~subject_keys() = default;

    /// Seals a value for a subject; the first time, a key is made for it.
    template <class Subject, class T, std::size_t Room>
    void seal(encrypted<Subject, T, Room>& into, std::type_identity_t<Subject> const& subject,
        std::type_identity_t<T> const& value) {
        auto const write = [&](std::string& out) { byte_writer{out}.write(value); };
        auto const take = [&](std::string_view sealed) { into = encrypted<Subject, T, Room>::from_sealed(sealed); };
        seal_bytes(subject_id::of(subject), schema_text<T>(), write, take);
    }
    /// The same into a record that has one member of the subject's type.
    template <class R, class Subject, class T, std::size_t Room>
    void seal(R& record, encrypted<Subject, T, Room> R::* field, std::type_identity_t<T> const& value) {
        seal(record.*field, detail::subject_in<Subject>(record), value);
    }

    /// What is in a field.
    template <class Subject, class T, std::size_t Room>
    [[nodiscard]] opened<T> open(
        encrypted<Subject, T, Room> const& field, std::type_identity_t<Subject> const& subject) const {
        if (field.empty()) return opened<T>{opened_state::empty};
        opened<T> out{opened_state::erased};
        open_bytes(subject_id::of(subject), field.sealed(), [&](std::string_view schema, std::string_view plain) {
            out = opened<T>{decode_as<T>(schema, plain)};
        });
        return out;
    }
    template <class R, class Subject, class T, std::size_t Room>
    [[nodiscard]] opened<T> open(R const& record, encrypted<Subject, T, Room> R::* field) const {
        return open(record.*field, detail::subject_in<Subject>(record));
    }
    /// The twins that return the error.
    template <class... Args>
    [[nodiscard]] auto try_open(Args const&... args) const {
        return detail::capture([&] { return open(args...); });
    }

    /// The values of a subject cannot be read any more, and none can be sealed for it.
    [[nodiscard]] virtual bool is_erased(subject_id const& subject) const = 0;

protected:
    /// What is called with bytes that must not stay; a borrowed function, so that nothing is allocated for it.
    template <class... Bytes>
    class use {
        void const* of_;
        void (*call_)(void const*, Bytes...);

    public:
        template <class F>
        use(F const& f)  // NOLINT(google-explicit-constructor): a lambda is what is written there
            : of_(&f), call_([](void const* of, Bytes... bytes) { (*static_cast<F const*>(of))(bytes...); }) {}
        void operator()(Bytes... bytes) const { call_(of_, bytes...); }
    };
    /// write   appends the value, as the codec has it; take is given what is sealed
    virtual void seal_bytes(subject_id const& subject, std::string_view schema, use<std::string&> write,
        use<std::string_view> take) = 0;
    /// take    is given the schema and the bytes of the value; not called where the subject was erased
    virtual void open_bytes(
        subject_id const& subject, std::string_view sealed, use<std::string_view, std::string_view> take) const = 0;

private:
    template <class T>
    static std::string const& schema_text() {
        static std::string const text = schema_of<T>();
        return text;
    }
    template <class T>
    static T decode_as(std::string_view schema, std::string_view plain) {
        if (schema == schema_text<T>()) return decode<T>(plain);
        // Values that were sealed with one older schema come one after the other, as a rule.
        thread_local std::string known;
        thread_local std::optional<record_reader<T>> reader;
        if (!reader || known != schema) {
            reader.reset();
            reader.emplace(schema);
            known = schema;
        }
        return reader->decode(plain);
    }
};

namespace detail {
[[noreturn]] inline void throw_no_keys() {
    throw error{error_code::not_bound,
        "an encrypted value is read without keys: give the key store that it was sealed with, key_store{folder, "
        "master key, erasure log}"};
}
}  // namespace detail

/// Opens a field with keys that may be missing: null is an error that says what to give.
///
/// Errors      not_bound without keys, where the field is not empty; those of subject_keys::open.
template <class Subject, class T, std::size_t Room>
[[nodiscard]] opened<T> open(encrypted<Subject, T, Room> const& field, std::type_identity_t<Subject> const& subject,
    subject_keys const* keys) {
    if (field.empty()) return opened<T>{opened_state::empty};
    if (keys == nullptr) detail::throw_no_keys();
    return keys->open(field, subject);
}
}  // namespace driftless::inline v0
#endif
