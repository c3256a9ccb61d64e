// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_TEXT_HPP
#define DRIFTLESS_CORE_TEXT_HPP

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// A borrowed string: bytes that somebody else owns, such as the block of a log.
///
/// A record whose strings are `text` is trivially copyable, so that a source hands it out without
/// allocating. Valid for as long as its owner says: inside a pipeline, for the duration of the
/// push. What outlives a push is stored re-homed (state, logs) or as std::string (results).
/// Never return a `text` that points into a local of your own function.
///
/// Complexity  Two words, copied freely; comparison is bytewise, O(length).
class text {
    char const* data_ = nullptr;
    std::size_t size_ = 0;

public:
    constexpr text() = default;
    constexpr text(char const* data, std::size_t size) noexcept : data_(data), size_(size) {}
    constexpr text(char const* zero_terminated) noexcept  // NOLINT(google-explicit-constructor)
        : text(std::string_view{zero_terminated}) {}
    constexpr text(std::string_view bytes) noexcept  // NOLINT(google-explicit-constructor)
        : data_(bytes.data()), size_(bytes.size()) {}
    text(std::string const& owner) noexcept  // NOLINT(google-explicit-constructor)
        : data_(owner.data()), size_(owner.size()) {}

    [[nodiscard]] constexpr char const* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_, size_}; }
    /// An owning copy.
    [[nodiscard]] std::string str() const { return std::string{data_, size_}; }
    constexpr operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)
    [[nodiscard]] constexpr char const* begin() const noexcept { return data_; }
    [[nodiscard]] constexpr char const* end() const noexcept { return data_ + size_; }
    constexpr char operator[](std::size_t i) const noexcept { return data_[i]; }

    friend constexpr bool operator==(text a, text b) noexcept { return a.view() == b.view(); }
    friend constexpr std::strong_ordering operator<=>(text a, text b) noexcept { return a.view() <=> b.view(); }
};
}  // namespace driftless::inline v0
#endif
