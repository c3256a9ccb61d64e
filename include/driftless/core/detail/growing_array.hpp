// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_DETAIL_GROWING_ARRAY_HPP
#define DRIFTLESS_CORE_DETAIL_GROWING_ARRAY_HPP

#include <driftless/core/config.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The little of std::vector that stages and runs need of their own types.
///
/// A std::vector<T> costs a program some 65 functions to compile, this some 10; a small pipeline has a dozen such
/// types. Elements are moved when it grows; clear() keeps the memory.
template <class T>
class growing_array {
    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;

public:
    growing_array() = default;
    growing_array(growing_array&& other) noexcept { swap(other); }
    growing_array& operator=(growing_array&& other) noexcept {
        swap(other);
        return *this;
    }
    growing_array(growing_array const&) = delete;
    growing_array& operator=(growing_array const&) = delete;
    ~growing_array() {
        clear();
        give_back(data_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T* begin() noexcept { return data_; }
    [[nodiscard]] T* end() noexcept { return data_ + size_; }
    [[nodiscard]] T const* begin() const noexcept { return data_; }
    [[nodiscard]] T const* end() const noexcept { return data_ + size_; }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return data_[i]; }
    [[nodiscard]] T const& operator[](std::size_t i) const noexcept { return data_[i]; }
    [[nodiscard]] T& back() noexcept { return data_[size_ - 1]; }

    /// Makes room for `n` elements: no push up to there allocates.
    void reserve(std::size_t n) {
        if (n <= capacity_) return;
        T* const grown = take(n);
        if constexpr (std::is_nothrow_move_constructible_v<T>) {
            move_to(grown);
        } else {
            std::size_t moved = 0;
            try {
                for (; moved < size_; ++moved) ::new (static_cast<void*>(grown + moved)) T(std::move(data_[moved]));
            } catch (...) {
                while (moved != 0) grown[--moved].~T();
                give_back(grown);
                throw;
            }
            for (std::size_t i = 0; i < size_; ++i) data_[i].~T();
        }
        give_back(data_);
        data_ = grown;
        capacity_ = n;
    }
    /// Appends; `value` is no element of this array.
    T& push_back(T&& value) {
        if (size_ == capacity_) [[unlikely]]
            grow();
        return *::new (static_cast<void*>(data_ + size_++)) T(static_cast<T&&>(value));
    }
    T& push_back(T const& value) { return push_back(T(value)); }
    /// Makes it `n` elements, all equal to `value`, which is none of them.
    void assign(std::size_t n, T const& value) {
        clear();
        reserve(n);
        for (; size_ < n; ++size_) ::new (static_cast<void*>(data_ + size_)) T(value);
    }
    void pop_back() noexcept { data_[--size_].~T(); }
    void clear() noexcept {
        if constexpr (!std::is_trivially_destructible_v<T>) {
            while (size_ != 0) pop_back();
        }
        size_ = 0;
    }
    void swap(growing_array& other) noexcept {
        T* const data = data_;
        data_ = other.data_;
        other.data_ = data;
        auto const size = size_;
        size_ = other.size_;
        other.size_ = size;
        auto const capacity = capacity_;
        capacity_ = other.capacity_;
        other.capacity_ = capacity;
    }

private:
    static constexpr std::size_t element_bytes = sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer
    static constexpr bool over_aligned = alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__;

    DRIFTLESS_NOINLINE void grow() { reserve(capacity_ == 0 ? 8 : 2 * capacity_); }
    void move_to(T* to) noexcept {
        for (std::size_t i = 0; i < size_; ++i) {
            ::new (static_cast<void*>(to + i)) T(static_cast<T&&>(data_[i]));
            data_[i].~T();
        }
    }
    static T* take(std::size_t n) {
        if (n > ~std::size_t{0} / 2 / element_bytes) throw std::bad_array_new_length{};
        auto const bytes = n * element_bytes;
        if constexpr (over_aligned) return static_cast<T*>(::operator new(bytes, std::align_val_t{alignof(T)}));
        else return static_cast<T*>(::operator new(bytes));
    }
    static void give_back(T* data) noexcept {
        if constexpr (over_aligned) ::operator delete(static_cast<void*>(data), std::align_val_t{alignof(T)});
        else ::operator delete(static_cast<void*>(data));
    }
};
}  // namespace driftless::inline v0::detail
#endif
