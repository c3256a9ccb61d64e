// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_SENTENCE_HPP
#define DRIFTLESS_CORE_DETAIL_SENTENCE_HPP

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace driftless::inline v0::detail {
/// A part of a sentence: words, or a whole number.
struct words {
    std::string_view text;
    char digits[20] = {};
    std::uint8_t first = 20;  // digits[first..] is the number

    words(char const* given) : text(given) {}         // NOLINT(google-explicit-constructor)
    words(std::string_view given) : text(given) {}    // NOLINT(google-explicit-constructor)
    words(std::string const& given) : text(given) {}  // NOLINT(google-explicit-constructor)
    words(std::int64_t number) {                      // NOLINT(google-explicit-constructor)
        auto const magnitude = static_cast<std::uint64_t>(number);
        write(number < 0 ? 0 - magnitude : magnitude);
        if (number < 0) digits[--first] = '-';
    }
    words(std::uint64_t number) { write(number); }  // NOLINT(google-explicit-constructor)

private:
    void write(std::uint64_t number) noexcept {
        do digits[--first] = static_cast<char>('0' + number % 10);
        while ((number /= 10) != 0);
    }
};

/// Puts a sentence together. What errors say is built with this alone: each further way to join strings is compiled
/// into every program.
inline std::string sentence(std::initializer_list<words> parts) {
    std::string out;
    for (auto const& part : parts) {
        if (part.first != sizeof part.digits) out.append(part.digits + part.first, sizeof part.digits - part.first);
        else if (!part.text.empty()) out.append(part.text.data(), part.text.size());
    }
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
