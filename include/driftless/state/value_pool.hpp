// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_VALUE_POOL_HPP
#define DRIFTLESS_STATE_VALUE_POOL_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Values that outlive their push, each until it is dropped, with a little plain data beside it: what tables keep.
///
/// State       Places that are used again, at most as many as were ever taken at once. Text is copied into one arena;
///             once more than half of it belongs to values that have gone, what is left moves to another.
/// Errors      std::bad_alloc.
/// Complexity  hold, set, at and drop are O(1), amortised over the moves, and allocate nothing but for growth.
///             References to values hold until the next hold() or set().
template <class T, class Beside>
class value_pool {
    static constexpr bool holds_text = has_text<T>;
    static constexpr std::size_t slack = std::size_t{64} * 1024;

    struct no_size {};
    struct place {
        T value{};
        Beside beside{};
        [[no_unique_address]] std::conditional_t<holds_text, std::uint32_t, no_size> text{};
        bool held = false;
    };
    struct counted {
        arena& into;
        std::size_t bytes = 0;
        char* allocate(std::size_t n) {
            bytes += n;
            return into.allocate(n);
        }
    };
    struct texts {
        arena bytes;
        arena other;
        std::size_t used = 0;
        std::size_t live = 0;
    };

    detail::growing_array<place> all_;
    detail::growing_array<std::uint32_t> spare_;
    [[no_unique_address]] std::conditional_t<holds_text, texts, no_size> text_;

public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    value_pool() = default;

    /// Copies a value; where it is.
    std::uint32_t hold(T const& value, Beside const& beside) {
        if (spare_.empty()) add_place();
        auto const index = spare_.back();
        all_[index].value = value;
        all_[index].beside = beside;
        rehome_text(index);
        all_[index].held = true;
        spare_.pop_back();
        return index;
    }
    /// Puts another value into a place that is held.
    void set(std::uint32_t index, T const& value) {
        forget_text(index);
        all_[index].value = value;
        rehome_text(index);
    }
    [[nodiscard]] T const& operator[](std::uint32_t index) const noexcept { return all_[index].value; }
    [[nodiscard]] Beside& beside(std::uint32_t index) noexcept { return all_[index].beside; }
    [[nodiscard]] Beside const& beside(std::uint32_t index) const noexcept { return all_[index].beside; }
    void drop(std::uint32_t index) noexcept {
        forget_text(index);
        all_[index].held = false;
        spare_.push_back(index);  // add_place() has made room
    }

    /// How many values are held.
    [[nodiscard]] std::size_t size() const noexcept { return all_.size() - spare_.size(); }
    /// Bytes of the values that are held, their text included.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = size() * sizeof(place);
        if constexpr (holds_text) sum += text_.live;
        return sum;
    }
    void clear() { *this = value_pool{}; }

private:
    DRIFTLESS_NOINLINE void add_place() {
        auto const made = all_.size();
        if ((made & (made - 1)) == 0) spare_.reserve(2 * made + 1);  // so that drop() never has to allocate
        all_.push_back(place{});
        spare_.push_back(static_cast<std::uint32_t>(made));
    }
    void rehome_text([[maybe_unused]] std::uint32_t index) {
        if constexpr (holds_text) {
            counted into{text_.bytes};
            rehome(all_[index].value, into);
            all_[index].text = static_cast<std::uint32_t>(into.bytes);
            text_.used += into.bytes;
            text_.live += into.bytes;
            if (text_.used > 2 * text_.live + slack) move_text(index);
        }
    }
    void forget_text([[maybe_unused]] std::uint32_t index) noexcept {
        if constexpr (holds_text) {
            text_.live -= all_[index].text;
            all_[index].text = 0;
        }
    }
    /// `fresh` is not marked as held yet.
    DRIFTLESS_NOINLINE void move_text(std::uint32_t fresh) {
        counted into{text_.other};
        for (std::uint32_t i = 0; i < all_.size(); ++i) {
            if (all_[i].held || i == fresh) rehome(all_[i].value, into);
        }
        text_.bytes.swap(text_.other);
        text_.other.reset();
        text_.used = text_.live;
    }
};
}  // namespace driftless::inline v0
#endif
