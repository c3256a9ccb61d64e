// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_NAME_HPP
#define DRIFTLESS_CORE_NAME_HPP

#include <cstddef>
#include <string_view>

namespace driftless::inline v0 {
namespace detail {
template <std::size_t N>
struct fixed_string {
    char chars[N]{};
    constexpr fixed_string(char const (&literal)[N]) noexcept {  // NOLINT(google-explicit-constructor)
        for (std::size_t i = 0; i < N; ++i) chars[i] = literal[i];
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {chars, N - 1}; }
};
}  // namespace detail

/// A name that is part of a type: "orders"_name has the type name<"orders">.
///
/// Inputs, sinks, shares and operators are named so that two pipelines with other names have other
/// types, and a missing or mistyped binding is found by the compiler.
template <detail::fixed_string Text>
struct name {
    static constexpr std::string_view value = Text.view();
    static constexpr bool named = true;
};

/// What an unnamed input, sink or operator has in place of a name.
struct unnamed {
    static constexpr std::string_view value{};
    static constexpr bool named = false;
};

namespace literals {
template <driftless::detail::fixed_string Text>
constexpr name<Text> operator""_name() noexcept {
    return {};
}
}  // namespace literals
}  // namespace driftless::inline v0
#endif
