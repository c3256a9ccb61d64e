// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_CSV_VALUE_HPP
#define DRIFTLESS_IO_DETAIL_CSV_VALUE_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/text.hpp>
#include <driftless/core/time.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {
namespace detail {

template <class M>
struct csv_unwrap {
    using type = M;
    static constexpr bool optional = false;
};
template <class M>
struct csv_unwrap<std::optional<M>> {
    using type = M;
    static constexpr bool optional = true;
};

template <class M>
inline constexpr bool csv_is_text = std::is_same_v<M, text> || std::is_same_v<M, std::string>;
template <class M>
inline constexpr bool csv_is_time = std::is_same_v<M, event_time> || std::is_same_v<M, duration>;
template <class M>
inline constexpr bool csv_is_character =
    std::is_same_v<M, char> || std::is_same_v<M, wchar_t> || std::is_same_v<M, char8_t>
    || std::is_same_v<M, char16_t> || std::is_same_v<M, char32_t>;
template <class M>
inline constexpr bool csv_is_value =
    csv_is_text<M> || csv_is_time<M> || (std::is_arithmetic_v<M> && !csv_is_character<M>);

/// The column that member I of T reads and writes when no mapping is given.
template <class T, std::size_t I>
std::string csv_column_name() {
    std::string name{member_name<I, T>()};
    if (csv_is_time<typename csv_unwrap<member_t<I, T>>::type> && !name.ends_with("_ms")) name += "_ms";
    return name;
}

/// A field as a message shows it: in quotes, at most 40 bytes, control characters as \xNN.
inline std::string csv_shown(std::string_view field) {
    constexpr std::size_t most = 40;
    std::size_t size = field.size() < most ? field.size() : most;
    if (size < field.size())
        while (size > 0 && (static_cast<unsigned char>(field[size]) & 0xC0U) == 0x80U) --size;
    std::string shown = "\"";
    for (char const c : field.substr(0, size)) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7F) {
            shown += c;
        } else {
            shown += "\\x";
            shown += "0123456789abcdef"[byte >> 4U];
            shown += "0123456789abcdef"[byte & 15U];
        }
    }
    return shown += size < field.size() ? "...\"" : "\"";
}

inline std::string csv_out_of_range(std::string_view field, std::string const& least, std::string const& greatest) {
    return csv_shown(field) + " is out of range: " + least + " to " + greatest;
}

/// Reads 1 to 18 decimal digits; what stands behind them, or null. Eight bytes are readable from the first that is no
/// digit on.
/// Source: D. Lemire, "Quickly parsing eight digits" (2018).
DRIFTLESS_INLINE char const* csv_digits(char const* const first, std::uint64_t& value) noexcept {
    char const* at = first;
    value = 0;
    if constexpr (std::endian::native == std::endian::little) {
        constexpr std::uint64_t ones = 0x0101010101010101U;
        constexpr std::uint64_t powers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
        for (std::size_t count = 8; count == 8;) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, sizeof word);
            word ^= ones * '0';
            std::uint64_t const others = ((word + ones * (0x80U - 10)) | word) & (ones << 7U);  // the lowest is exact
            count = others == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(others)) >> 3U;
            if (count == 0) break;
            word <<= 64 - 8 * count;
            word = word * 10 + (word >> 8U);
            word = ((word & 0x000000FF000000FFU) * 0x000F424000000064U
                       + ((word >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U)
                >> 32U;
            value = at == first ? word : value * powers[count] + word;
            at += count;
        }
    } else {
        for (; '0' <= *at && *at <= '9'; ++at) value = 10 * value + static_cast<std::uint64_t>(*at - '0');
    }
    return at != first && at - first <= 18 ? at : nullptr;
}
/// Reads an integer as csv_parse would; what stands behind it, or null for what is none, or may not fit.
template <class M>
DRIFTLESS_INLINE char const* csv_integer(char const* at, M& value) noexcept {
    bool const negative = std::is_signed_v<M> && *at == '-';
    std::uint64_t digits = 0;
    at = csv_digits(negative ? at + 1 : at, digits);
    auto const number = static_cast<std::int64_t>(negative ? 0 - digits : digits);
    value = static_cast<M>(number);
    if constexpr (sizeof(M) < sizeof number) return static_cast<std::int64_t>(value) == number ? at : nullptr;
    else return at;
}

/// Reads one non-empty field into a member that is not text; the reason if it cannot be.
template <class M>
bool csv_parse(std::string_view field, M& value, std::string& reason) {
    char const* const first = field.data();
    char const* const last = first + field.size();
    if constexpr (std::is_same_v<M, bool>) {
        if (field == "true" || field == "1") return value = true, true;
        if (field == "false" || field == "0") return value = false, true;
        reason = csv_shown(field) + " is not a bool: true, false, 1 or 0";
    } else if constexpr (std::is_integral_v<M>) {
        auto const [stop, problem] = std::from_chars(first, last, value);
        if (problem == std::errc{} && stop == last) return true;
        // Worth its own sentence: an unsigned column that holds -1 holds an integer, only not one that fits.
        bool digits = field.size() > (field[0] == '-' ? 1U : 0U);
        for (char const* at = first + (field[0] == '-' ? 1 : 0); at != last; ++at)
            digits = digits && '0' <= *at && *at <= '9';
        reason = digits ? csv_out_of_range(field, std::to_string(std::numeric_limits<M>::min()),
                              std::to_string(std::numeric_limits<M>::max()))
                        : csv_shown(field) + " is not an integer";
    } else if constexpr (std::is_floating_point_v<M>) {
        auto const [stop, problem] = std::from_chars(first, last, value);
        if (problem == std::errc{} && stop == last) return true;
        bool const too_far = problem == std::errc::result_out_of_range && stop == last;
        reason = csv_shown(field) + (too_far ? " is out of the range of a floating-point number" : " is not a number");
    } else {
        std::int64_t ms = 0;
        if (!csv_parse(field, ms, reason)) return false;
        std::int64_t ns = 0;
        if (!__builtin_mul_overflow(ms, std::int64_t{1'000'000}, &ns)) return value = M{ns}, true;
        reason = csv_out_of_range(field, std::to_string(int64_limits::min() / 1'000'000),
            std::to_string(int64_limits::max() / 1'000'000));
    }
    return false;
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
