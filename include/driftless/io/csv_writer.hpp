// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_CSV_WRITER_HPP
#define DRIFTLESS_IO_CSV_WRITER_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/time.hpp>
#include <driftless/io/detail/csv_value.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Writes CSV to a stdio stream or to the end of a string: LF, quotes only where they are needed.
///
/// Types       As csv_reader's, and anything that converts to std::string_view. event_time and
///             duration as whole milliseconds, rounded towards -inf; floating-point numbers so that
///             they read back equal; nullopt as an empty field.
/// State       Up to 64 KiB and a row for a stream, handed over at row ends. flush() at the end also flushes the
///             stream's own buffer and tells of errors; the destructor only hands over, and in silence.
/// Errors      error{io} when the stream takes fewer bytes than it is given.
/// Source      RFC 4180 (2005), with LF for CRLF. A row of one empty field is written as "", since
///             csv_reader skips blank lines.
class csv_writer {
    std::FILE* stream_ = nullptr;
    std::string own_;
    std::string* out_ = &own_;

    void put(std::string_view bytes) {
        if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) {
            out_->append(bytes);
            return;
        }
        *out_ += '"';
        for (std::size_t from = 0;;) {
            std::size_t const quote = bytes.find('"', from);
            if (quote == std::string_view::npos) {
                out_->append(bytes.substr(from));
                break;
            }
            out_->append(bytes.substr(from, quote + 1 - from)) += '"';
            from = quote + 1;
        }
        *out_ += '"';
    }
    template <class V>
    void put_value(V const& value) {
        if constexpr (detail::csv_unwrap<V>::optional) {
            if (value) put_value(*value);
        } else if constexpr (std::is_same_v<V, bool>) {
            *out_ += value ? "true" : "false";
        } else if constexpr (std::is_arithmetic_v<V>) {
            static_assert(!detail::csv_is_character<V>,
                "driftless: csv_writer does not write a single character: put it in a string");
            char digits[64];
            auto const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
            out_->append(digits, static_cast<std::size_t>(end - digits));
        } else if constexpr (std::is_same_v<V, event_time>) {
            put_value(value.ms());
        } else if constexpr (std::is_same_v<V, duration>) {
            put_value(event_time{value.ns()}.ms());
        } else {
            static_assert(std::is_convertible_v<V const&, std::string_view>,
                "driftless: csv_writer writes numbers, bool, text, strings, event_time, duration and "
                "std::optional of these: convert the field first");
            put(value);
        }
    }
    void hand_over() {
        if (stream_ == nullptr || own_.empty()) return;
        bool const whole = std::fwrite(own_.data(), 1, own_.size(), stream_) == own_.size();
        own_.clear();
        if (!whole) fail();
    }
    [[noreturn]] static void fail() {
        throw error{error_code::io, std::string{"cannot write CSV: "} + std::strerror(errno)};  // NOLINT
    }

public:
    explicit csv_writer(std::FILE* stream) : stream_(stream) {}
    explicit csv_writer(std::string& end_of) noexcept : out_(&end_of) {}
    csv_writer(csv_writer const&) = delete;
    csv_writer& operator=(csv_writer const&) = delete;
    ~csv_writer() {
        try {
            hand_over();
        } catch (error const&) {  // NOLINT(bugprone-empty-catch): documented above
        }
    }

    /// Writes one row of these fields.
    template <class... Fields>
    void write_row(Fields const&... fields) {
        static_assert(sizeof...(Fields) > 0, "driftless: write_row needs at least one field");
        std::size_t const start = out_->size();
        bool first = true;
        ((first ? void(first = false) : void(*out_ += ','), put_value(fields)), ...);
        if (out_->size() == start) *out_ += "\"\"";
        *out_ += '\n';
        if (own_.size() >= (1U << 16U)) hand_over();
    }
    /// Writes the members of a reflected struct as a row.
    template <reflected T>
    void write(T const& row) {
        detail::apply_members(row, [&](auto const&... members) { write_row(members...); });
    }
    /// Writes the header line under which csv_reader<T> finds its members.
    template <reflected T>
    void write_header() {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            write_row(detail::csv_column_name<T, I>()...);
        }(std::make_index_sequence<detail::member_count<T>>{});
    }
    /// Hands everything to the stream and the stream's buffer to the system.
    void flush() {
        hand_over();
        if (stream_ != nullptr && std::fflush(stream_) != 0) fail();
    }
};
}  // namespace driftless::inline v0
#endif
