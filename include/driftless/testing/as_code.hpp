// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_AS_CODE_HPP
#define DRIFTLESS_TESTING_AS_CODE_HPP

#include <driftless/core/joined.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/text.hpp>
#include <driftless/core/time.hpp>
#include <driftless/testing/steps.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace driftless::inline v0::testing {
namespace detail {
/// The name of a type as a test would write it: without namespaces that have no name, and without our own.
template <class T>
std::string name_in_code() {
    if constexpr (std::same_as<T, std::string>) {
        return "std::string";
    } else {
        std::string_view whole = __PRETTY_FUNCTION__;
        auto const from = whole.find("T = ") + 4;
        std::string name{whole.substr(from, whole.find_first_of(";]", from) - from)};
        constexpr std::string_view parts[] = {
            "{anonymous}::", "(anonymous namespace)::", "driftless::v0::", "driftless::"};
        for (auto const part : parts) {
            for (auto at = name.find(part); at != std::string::npos; at = name.find(part)) name.erase(at, part.size());
        }
        return name;
    }
}

inline std::string duration_in_code(std::int64_t ns) {
    struct unit {
        std::int64_t ns;
        char const* suffix;
    };
    constexpr unit units[] = {{3'600'000'000'000, "_h"}, {60'000'000'000, "_min"}, {1'000'000'000, "_s"},
        {1'000'000, "_ms"}, {1'000, "_us"}, {1, "_ns"}};
    if (ns == 0) return "0_s";
    if (ns == std::numeric_limits<std::int64_t>::min()) return "duration{std::numeric_limits<std::int64_t>::min()}";
    for (auto const& each : units) {
        if (ns % each.ns == 0) return std::to_string(ns / each.ns) + each.suffix;
    }
    return {};
}
inline std::string time_in_code(event_time t) {
    if (t == event_time::min()) return "event_time::min()";
    if (t == event_time::max()) return "event_time::max()";
    return "at(" + duration_in_code(t.ns()) + ")";
}
inline std::string string_in_code(std::string_view bytes) {
    std::string out = "\"";
    for (char const c : bytes) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') out += c;
        else {  // three octal digits: the character behind them cannot join in
            auto const code = static_cast<unsigned char>(c);
            (((out += '\\') += static_cast<char>('0' + code / 64)) += static_cast<char>('0' + code / 8 % 8)) +=
                static_cast<char>('0' + code % 8);
        }
    }
    return out += '"';
}
template <class T>
std::string number_in_code(T value) {
    if constexpr (std::floating_point<T>) {
        if (value != value) return "std::numeric_limits<double>::quiet_NaN()";
        if (value > std::numeric_limits<T>::max()) return "std::numeric_limits<double>::infinity()";
        if (value < std::numeric_limits<T>::lowest()) return "-std::numeric_limits<double>::infinity()";
        char digits[64];
        auto const end = std::to_chars(digits, digits + sizeof digits, value).ptr;  // the shortest that reads back
        std::string out{digits, end};
        return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
    } else if constexpr (std::signed_integral<T>) {
        if (value == std::numeric_limits<std::int64_t>::min()) return "(-9223372036854775807 - 1)";
        return std::to_string(value);
    } else {
        return std::to_string(value) + "u";
    }
}
template <class T>
concept like_range = requires(T const& of) { of.begin(); of.end(); of.size(); };
template <class T>
concept like_tuple = requires { std::tuple_size<T>::value; };
}  // namespace detail

/// A value as a test would write it: sale{3, "milk", at(5_s)}. What has neither members nor a notation here is
/// written as T{...}, which does not compile: complete it by hand.
template <class T>
[[nodiscard]] std::string as_code(T const& value) {
    using namespace detail;
    auto const list = [](auto const&... parts) {
        std::string out = "{";
        std::size_t n = 0;
        ((out += (n++ == 0 ? "" : ", ") + as_code(parts)), ...);
        return out + "}";
    };
    if constexpr (std::same_as<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_arithmetic_v<T>) return number_in_code(value);
    else if constexpr (std::is_enum_v<T>) {
        return name_in_code<T>() + "{" + number_in_code(static_cast<std::underlying_type_t<T>>(value)) + "}";
    } else if constexpr (std::same_as<T, event_time>) return time_in_code(value);
    else if constexpr (std::same_as<T, duration>) return duration_in_code(value.ns());
    else if constexpr (std::convertible_to<T const&, std::string_view>) return string_in_code(value);
    else if constexpr (std::same_as<T, unkeyed>) return "unkeyed{}";
    else if constexpr (is_event<T>) {
        // The value alone would make an event<int> of a long.
        if constexpr (std::is_class_v<decltype(value.value)> && reflected<decltype(value.value)>) {
            return "event{" + as_code(value.value) + ", " + as_code(value.at) + "}";
        } else {
            return "event<" + name_in_code<decltype(value.value)>() + ">{" + as_code(value.value) + ", "
                + as_code(value.at) + "}";
        }
    } else if constexpr (is_joined<T>) {
        return "joined{" + as_code(value.left) + ", " + as_code(value.right) + "}";
    } else if constexpr (is_pane<T>) {
        return "pane{" + as_code(value.key) + ", {" + time_in_code(value.window.start) + ", "
            + time_in_code(value.window.end) + "}, " + as_code(value.value) + "}";
    } else if constexpr (requires { value.has_value(); *value; }) {
        return value.has_value() ? as_code(*value) : "std::nullopt";
    } else if constexpr (reflected<T>) {
        return name_in_code<T>() + driftless::detail::apply_members(value, list);
    } else if constexpr (like_tuple<T>) {
        return std::apply(list, value);
    } else if constexpr (like_range<T>) {
        std::string out = "{";
        for (auto const& each : value) out += (out.size() == 1 ? "" : ", ") + as_code(each);
        return out + "}";
    } else {
        return name_in_code<T>() + "{...}";
    }
}
template <class T>
[[nodiscard]] std::string as_code(detail::step<T> const& of) {
    using what = typename detail::step<T>::what;
    auto const partition = std::to_string(of.partition);
    switch (of.kind) {
        case what::record: {
            auto const record = as_code(*of.record);
            return of.partition == 0 ? record : "from_partition{" + partition + ", " + record + "}";
        }
        case what::watermark:
            return "watermark(" + as_code(of.to) + ")" + (of.partition == of.all ? "" : ".of(" + partition + ")");
        case what::clock: return "clock_at(" + as_code(of.to) + ")";
        case what::idle: return "idle{" + partition + "}";
        case what::active: return "active{" + partition + "}";
        case what::end_partition: return "end_of_partition{" + partition + "}";
        case what::pause: return "pause_of_input{}";
        case what::restore: return "snapshot_and_restore{}";
        case what::end: return "end_of_input{}";
    }
    return {};
}
/// The steps, one to a line, as they are written behind play(pipeline,
template <class T>
[[nodiscard]] std::string as_code(script<T> const& of, std::string_view indent = "    ") {
    std::string out;
    for (auto const& each : of.steps()) {
        if (!out.empty()) out += ",\n";
        (out += indent) += as_code(each);
    }
    return out;
}
}  // namespace driftless::inline v0::testing
#endif
