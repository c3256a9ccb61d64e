// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_JSON_VALUE_HPP
#define DRIFTLESS_CODEC_JSON_VALUE_HPP

#include <driftless/codec/untyped_value.hpp>
#include <driftless/core/detail/utf8.hpp>
#include <driftless/core/time.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace driftless::inline v0 {
namespace detail {
inline void append_hex_bytes(std::string& out, std::string_view bytes) {
    for (char const each : bytes) {
        auto const byte = static_cast<unsigned char>(each);
        (out += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
    }
}
}  // namespace detail

/// Appends a JSON string. A byte that is not part of a UTF-8 character becomes \udc80 to \udcff, so that none is lost.
///
/// Complexity  O(bytes).
inline void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        auto const length = detail::utf8_length(text);
        auto const c = text[0];
        if (length == 0) {
            detail::append_hex_bytes(out += "\\udc", text.substr(0, 1));
        } else if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') {
            detail::append_hex_bytes(out += "\\u00", text.substr(0, 1));
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

/// Writes what it visits as JSON (RFC 8259), on one line.
///
/// Numbers of all sizes are numbers, in full. Times are nanoseconds since 1970, durations nanoseconds. NaN and the
/// infinities are the strings "nan", "inf" and "-inf"; a char is a string of one; a floating number of 128 bits is a
/// string of its bytes in hexadecimal. An optional that is empty, and a type without state, is null.
class json_writer final : public value_visitor {
    std::string& out_;
    bool comma_ = false;

public:
    explicit json_writer(std::string& out) : out_(out) {}

    void null() override { out_ += "null"; }
    void boolean(bool value) override { out_ += value ? "true" : "false"; }
    void character(char value) override { append_json_text(out_, {&value, 1}); }
    void signed_integer(std::int64_t value) override { out_ += std::to_string(value); }
    void unsigned_integer(std::uint64_t value) override { out_ += std::to_string(value); }
    void wide_integer(std::uint64_t low, std::uint64_t high, bool is_signed) override {
        if (is_signed && high >> 63 != 0) {
            out_ += '-';
            low = ~low + 1;
            high = ~high + (low == 0 ? 1 : 0);
        }
        std::string digits;
        do {  // long division by ten, 32 bits at a time
            std::uint64_t rest = 0;
            for (auto* const half : {&high, &low}) {
                auto const upper = (rest << 32) | (*half >> 32);
                auto const lower = ((upper % 10) << 32) | (*half & 0xffff'ffff);
                *half = ((upper / 10) << 32) | (lower / 10);
                rest = lower % 10;
            }
            digits += static_cast<char>('0' + rest);
        } while (low != 0 || high != 0);
        out_.append(digits.rbegin(), digits.rend());
    }
    void floating(float value) override { number(value); }
    void floating(double value) override { number(value); }
    void wide_floating(std::string_view bytes) override {
        if constexpr (std::numeric_limits<long double>::digits == 64) {
            if (bytes.size() == 10) {
                long double value = 0;
                std::char_traits<char>::copy(reinterpret_cast<char*>(&value), bytes.data(), bytes.size());
                return number(value);
            }
        }
        detail::append_hex_bytes(out_ += '"', bytes);
        out_ += '"';
    }
    void time(event_time value) override { out_ += std::to_string(value.ns()); }
    void span(duration value) override { out_ += std::to_string(value.ns()); }
    void text(std::string_view value) override { append_json_text(out_, value); }
    void begin_list() override { begin('['); }
    void element() override { separate(); }
    void end_list() override { end(']'); }
    void begin_record() override { begin('{'); }
    void member(std::string_view name) override {
        separate();
        append_json_text(out_, name);
        out_ += ':';
    }
    void end_record() override { end('}'); }

private:
    void begin(char bracket) {
        out_ += bracket;
        comma_ = false;
    }
    void end(char bracket) {
        out_ += bracket;
        comma_ = true;
    }
    void separate() {
        if (comma_) out_ += ',';
        comma_ = true;
    }
    template <class Float>
    void number(Float value) {
        if (!std::isfinite(value)) {
            out_ += std::isnan(value) ? "\"nan\"" : value < 0 ? "\"-inf\""
                                                              : "\"inf\"";
            return;
        }
        char digits[64];
        auto const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        out_.append(digits, end);
    }
};

/// The JSON of a value as codec<T> wrote it, all of `bytes`.
///
/// Errors      As visit_encoded; malformed if bytes are left over.
/// Complexity  O(bytes).
[[nodiscard]] inline std::string encoded_to_json(schema_node const& type, std::string_view bytes) {
    std::string out;
    json_writer writer{out};
    byte_reader reader{bytes};
    visit_encoded(type, reader, writer);
    reader.expect_end();
    return out;
}
}  // namespace driftless::inline v0
#endif
