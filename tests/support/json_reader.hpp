// SPDX-License-Identifier: BSL-1.0
#ifndef TESTS_SUPPORT_JSON_READER_HPP
#define TESTS_SUPPORT_JSON_READER_HPP

#include <cstddef>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// A JSON value (RFC 8259), read strictly: throws where the text is none. \u escapes below 0x80 only.
struct json {
    enum class kind {
        null,
        boolean,
        number,
        text,
        list,
        object
    } is = kind::null;
    double number = 0;
    std::string text;
    std::vector<json> list;
    std::map<std::string, json> object;

    json const& operator[](std::string const& name) const { return object.at(name); }
    json const& operator[](std::size_t i) const { return list.at(i); }
};

class json_reader {
    std::string_view in_;
    std::size_t at_ = 0;

    [[noreturn]] void fail(char const* why) const {
        throw std::runtime_error{std::string{why} + " at " + std::to_string(at_) + " of " + std::string{in_}};
    }
    [[nodiscard]] char peek() const { return at_ < in_.size() ? in_[at_] : '\0'; }
    void space() {
        while (at_ < in_.size() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r')) ++at_;
    }
    void expect(char c) {
        if (peek() != c) fail("another character was expected");
        ++at_;
    }
    std::string read_text() {
        expect('"');
        std::string out;
        while (peek() != '"') {
            if (at_ >= in_.size() || static_cast<unsigned char>(peek()) < 0x20) fail("a string does not end");
            char c = in_[at_++];
            if (c == '\\') {
                c = in_[at_++];
                if (c == 'u') {
                    unsigned code = 0;
                    for (int i = 0; i < 4; ++i, ++at_) {
                        auto const digit = std::string_view{"0123456789abcdef"}.find(peek());
                        if (digit == std::string_view::npos) fail("no hexadecimal digit");
                        code = code * 16 + static_cast<unsigned>(digit);
                    }
                    if (code >= 0x80) fail("an escape that is not needed");
                    c = static_cast<char>(code);
                } else if (c != '"' && c != '\\') {
                    fail("an unknown escape");
                }
            }
            out += c;
        }
        ++at_;
        return out;
    }
    json read_value() {
        json out;
        space();
        if (peek() == '"') {
            out.is = json::kind::text;
            out.text = read_text();
        } else if (peek() == '{') {
            out.is = json::kind::object;
            ++at_;
            space();
            for (bool first = true; peek() != '}'; first = false) {
                if (!first) expect(',');
                space();
                auto name = read_text();
                space();
                expect(':');
                if (!out.object.emplace(std::move(name), read_value()).second) fail("a member twice");
                space();
            }
            ++at_;
        } else if (peek() == '[') {
            out.is = json::kind::list;
            ++at_;
            space();
            for (bool first = true; peek() != ']'; first = false) {
                if (!first) expect(',');
                out.list.push_back(read_value());
                space();
            }
            ++at_;
        } else if (peek() == '-' || (peek() >= '0' && peek() <= '9')) {
            out.is = json::kind::number;
            std::string digits;
            while (std::string_view{"0123456789+-.e"}.find(peek()) != std::string_view::npos && at_ < in_.size())
                digits += in_[at_++];
            auto const whole = digits.substr(digits[0] == '-' ? 1 : 0);
            char* end = nullptr;
            out.number = std::strtod(digits.c_str(), &end);
            bool const leading = whole.size() > 1 && whole[0] == '0' && whole[1] >= '0' && whole[1] <= '9';
            if (*end != '\0' || whole.empty() || whole[0] < '0' || whole[0] > '9' || leading || whole.back() == '.')
                fail("no number");
        } else {
            fail("no value");
        }
        return out;
    }

public:
    static json read(std::string_view text) {
        json_reader in;
        in.in_ = text;
        auto out = in.read_value();
        in.space();
        if (in.at_ != text.size()) in.fail("something follows the value");
        return out;
    }
};
}  // namespace support
#endif
